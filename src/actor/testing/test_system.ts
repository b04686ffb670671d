/**
 * testSystem(): a system for tests, with a clock that stands still, probes, and deaths on request.
 *
 * Rule: it is the system that programs have, with real queues, workers and processes; only its time
 * is the test's.
 */

import type { Exit } from "../errors.ts";
import { realClock, VirtualClock } from "../flow/clock.ts";
import type { AnyProtocol } from "../protocol/protocol.ts";
import { addressOf, type AnyRef, type Ref } from "../protocol/ref.ts";
import { createSystem, endpointOf, type System, type SystemOptions } from "../runtime/system.ts";
import { Probe, probeActor, ProbeInbox } from "./probe.ts";

/** So much time passes in each step of closing. */
const CLOSING_STEP_MS = 100;

/** How a system for tests is made. */
export interface TestSystemOptions extends SystemOptions {
  /**
   * Its name.
   * @default {one that no other has}
   */
  readonly name?: string | undefined;
  /**
   * `virtual`: timers, deadlines, times to live and backoffs of this isolate pass when the test says
   * so. What lives in workers and processes has the machine's clock.
   * @default {"virtual"}
   */
  readonly clock?: "virtual" | "real" | undefined;
}

/**
 * A system under test. Everything of {@linkcode System} is in `system`.
 *
 * @example A timer, without waiting for it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { actor, msg, protocol, testSystem } from "@postbox/postbox/actor";
 *
 * const Alarm = protocol("alarm", { ring: msg() });
 * const Clock = protocol("clock", { ringIn: msg().reply() });
 *
 * await using shop = await testSystem();
 * const bell = await shop.probe(Alarm);
 * const clock = actor(import.meta, Clock, (context) => ({
 *   ringIn: () => void context.after(60_000, () => bell.ref.ring()),
 * }));
 * const ref = await shop.system.spawn(clock);
 * await ref.ringIn();
 * await shop.advance(59_999);
 * assertEquals(bell.length, 0);
 * await shop.advance(1);
 * await bell.expect("ring");
 * ```
 */
export class TestSystem implements AsyncDisposable {
  /** The system, as programs have it. */
  readonly system: System;
  readonly #clock: VirtualClock | undefined;

  /** Made by {@linkcode testSystem}. */
  constructor(system: System, clock: VirtualClock | undefined) {
    this.system = system;
    this.#clock = clock;
  }

  /** What its clock shows, in milliseconds since 1970; a virtual one begins with 0. */
  get now(): number {
    return (this.#clock ?? realClock).now();
  }

  /**
   * Lets time pass on the virtual clock, and what is due happen.
   *
   * @param ms 0 or more milliseconds.
   * @throws {TypeError} If the clock is the machine's.
   */
  async advance(ms: number): Promise<void> {
    if (this.#clock === undefined) {
      throw new TypeError('Cannot advance the clock: it is real, expected clock: "virtual"');
    }
    await this.#clock.advance(ms);
  }

  /** An actor that keeps what it is sent, for the test to look at, and answers as it is told. */
  async probe<P extends AnyProtocol>(protocol: P): Promise<Probe<P>> {
    const inbox = new ProbeInbox();
    const ref = await this.system.spawn(probeActor(protocol, inbox), { name: "probe" });
    return new Probe(ref as Ref<P>, inbox);
  }

  /**
   * Ends an actor as if it had gone wrong: by a signal to its process (`SIGKILL`), by `terminate()`
   * of its worker, or by an error as one of its handlers throws it. Its supervision goes on as ever.
   *
   * @returns Settles when it has ended.
   */
  async crash(ref: AnyRef, how: `SIG${string}` | Error): Promise<void> {
    const exit: Exit = typeof how === "string"
      ? { kind: "signal", signal: how }
      : { kind: "threw", error: how };
    await endpointOf(this.system).deaths.crash(addressOf(ref), exit);
  }

  /** Closes the system. What has a deadline to stop is not waited for: its time passes now. */
  async [Symbol.asyncDispose](): Promise<void> {
    let isClosed = false;
    const closed = this.system.close().finally(() => isClosed = true);
    while (this.#clock !== undefined && !isClosed) {
      await this.#clock.advance(CLOSING_STEP_MS);
      await Promise.race([closed, new Promise<void>((resolve) => realClock.after(1, resolve))]);
    }
    await closed;
  }
}

/** Makes a system for a test. */
export async function testSystem(options: TestSystemOptions = {}): Promise<TestSystem> {
  const { name = `test-${crypto.randomUUID()}`, clock = "virtual", ...rest } = options;
  const virtual = clock === "virtual" ? new VirtualClock() : undefined;
  return new TestSystem(await createSystem(name, rest, virtual ?? realClock), virtual);
}
