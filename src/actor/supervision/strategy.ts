/**
 * Who is restarted together with one that ended.
 *
 * Rule: what depends on something stands behind it. So members start in their order and stop in the
 * reverse of it.
 */

import { checkChoice } from "../protocol/options.ts";

/**
 * Who is restarted when a member of a group is.
 *
 * - `one-for-one`: it alone.
 * - `one-for-all`: all.
 * - `rest-for-one`: it, and those behind it.
 */
export type Strategy = "one-for-one" | "one-for-all" | "rest-for-one";

const STRATEGIES: readonly Strategy[] = ["one-for-one", "one-for-all", "rest-for-one"];

/**
 * Refuses what is no strategy.
 *
 * @throws {TypeError} If it is none.
 */
export function checkStrategy(strategy: unknown): asserts strategy is Strategy {
  checkChoice(strategy, "strategy", STRATEGIES);
}

/** Those of the members that are restarted when one of them is, in their order. */
export function restartedWith<M>(strategy: Strategy, members: readonly M[], one: M): M[] {
  switch (strategy) {
    case "one-for-one":
      return [one];
    case "one-for-all":
      return [...members];
    case "rest-for-one":
      return members.slice(members.indexOf(one));
  }
}
