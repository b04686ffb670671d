/**
 * The one way a test is registered: the same files run under Deno, Node and Bun.
 *
 * Rule: what cannot run somewhere says why. It is registered all the same and reported as not run,
 * so that the runners count it.
 */

import { RUNTIME, type Runtime } from "./support/runtime.ts";
import { parkedCallIsBack } from "./support/parked.ts";
import { closeBellOfThisThread } from "../src/wait/doorbell.ts";

/** What a test is. */
export type TestBody = () => void | Promise<void>;

/** Where a test is not run. */
export interface TestOptions {
  /** The runtimes on which it cannot run, each with the reason. */
  not?: Partial<Record<Runtime, string>> | undefined;
  /** Why it cannot run on this machine or for this user; undefined where it can. */
  missing?: string | undefined;
  /**
   * Whether it uses what lives longer than it, as a system of actors that all tests of the file
   * have: Deno's sanitizers would call that a leak. {@linkcode afterTests} ends it.
   */
  shared?: boolean | undefined;
}

/** Registers a test, or `undefined` in place of the body for one that is not run. */
type Register = (name: string, body: TestBody | undefined, isShared: boolean) => void;

/** For what hangs: the bounds of a wait are in the tests, and much shorter. */
const TIMEOUT_MS = 300_000;

const register = await registration();

async function registration(): Promise<Register> {
  if (RUNTIME === "deno") {
    // deno.json turns the sanitizers of operations and resources on. A cancelled wait's parked call
    // comes back a moment later.
    return (name, body, isShared) =>
      Deno.test({
        name,
        ignore: body === undefined,
        ...(isShared && { sanitizeOps: false, sanitizeResources: false }),
        fn: async () => {
          if (body !== undefined) await bounded(body);
          if (!isShared) await parkedCallIsBack();
        },
      });
  }
  if (RUNTIME === "bun") {
    const module = "bun:test"; // a name that only Bun can resolve
    const { test, afterAll } = await import(module);
    // Bun ends when the last test has, whatever is still due, and calls no handler of the process.
    // One turn of the loop, so that what is due by then fails the file if it throws; what is due
    // later never happens under Bun, and fails under Node, which waits for it.
    afterAll(async () => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      closeBellOfThisThread(); // which a handler of the process does elsewhere
    });
    // The name of one that is not run says why: test() below puts the reason there.
    return (name, body) => body === undefined ? test.skip(name) : test(name, body, TIMEOUT_MS);
  }
  const { test } = await import("node:test");
  return (name, body) => {
    test(name, { skip: body === undefined, timeout: TIMEOUT_MS }, async () => await body?.());
  };
}

/** Runs a test for so long at most, where the runner knows no such bound. */
async function bounded(body: TestBody): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const reason = `the test did not end within ${TIMEOUT_MS / 60_000} minutes`;
    timer = setTimeout(() => reject(new Error(reason)), TIMEOUT_MS);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Registers a test. */
export function test(name: string, body: TestBody): void;
/** Registers a test that cannot run everywhere. */
export function test(name: string, options: TestOptions, body: TestBody): void;
export function test(name: string, second: TestOptions | TestBody, third?: TestBody): void {
  const [options, body] = typeof second === "function" ? [{}, second] : [second, third!];
  const reason = options.not?.[RUNTIME] ?? options.missing;
  const isShared = options.shared ?? false;
  if (reason === undefined) register(name, body, isShared);
  else register(`${name} [not run: ${reason}]`, undefined, isShared);
}

/** Does something when the tests of the file are over, whether they passed or not. */
export async function afterTests(body: TestBody): Promise<void> {
  if (RUNTIME === "deno") return Deno.test.afterAll(body);
  const module = RUNTIME === "bun" ? "bun:test" : "node:test"; // a name that only Bun can resolve
  const { afterAll, after = afterAll } = await import(module);
  after(body);
}
