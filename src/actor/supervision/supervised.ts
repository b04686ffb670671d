/**
 * What a supervisor wants of those it supervises, and what it tells of them.
 *
 * Rule: an incarnation ends once, and is over before the next one starts.
 */

import type { Exit } from "../errors.ts";
import type { Keep } from "../protocol/spawn_options.ts";

/** Something that can be started again and again: an actor, a pool, another supervisor. */
export interface Supervised {
  /** For messages to people. */
  readonly label: string;
  /** When it is restarted. */
  readonly keep: Keep;
  /**
   * Starts an incarnation.
   *
   * @param incarnation 1 for the first, then one more each time.
   * @param onExit To be called as soon as the incarnation has ended, whatever the reason; not needed
   * when it is stopped, or does not start. Later calls, and those for an incarnation that is over, do
   * nothing.
   * @returns Settles when it can do its work, also when it has ended since. Rejects when it could not
   * be started; nothing of it is left then.
   */
  start(incarnation: number, onExit: (exit: Exit) => void): Promise<void>;
  /**
   * Ends what runs, or is about to: it may be called before the start has settled.
   *
   * @param timeoutMs So long it may take to end in good order; then it is killed.
   * @returns Settles when nothing of it is left.
   */
  stop(timeoutMs: number): Promise<void>;
}

/** That an incarnation ended, or that none will follow it. */
export interface Down {
  /** What ended. */
  readonly member: Supervised;
  /** Its label. */
  readonly label: string;
  /** Which incarnation of it. */
  readonly incarnation: number;
  /** How it ended. */
  readonly exit: Exit;
  /**
   * Whether another will follow. When it is told true, and the supervisor ends before that, it is
   * told again with false; what was told with false never comes back.
   */
  readonly restarting: boolean;
}
