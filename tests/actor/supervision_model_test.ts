/**
 * Supervisors against what they promise, whatever happens when.
 *
 * Goal: there are never two incarnations of a member; members start and stop in the order of their
 * strategy; restarts are counted and backed off exactly; who watches is told the truth; nothing
 * hangs, and nothing is left after the end. Method: puppets that end, fail to start, hang, are slow
 * to stop, at random instants of a virtual clock, seeded, several at once. The rules stand here in
 * naive form and are judged by what the puppets see and what is told of them; the supervisor's own
 * state is not looked at.
 */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { describeExit, type Exit } from "../../src/actor/errors.ts";
import { type Clock, VirtualClock } from "../../src/actor/flow/clock.ts";
import type { Keep } from "../../src/actor/supervision/restart_policy.ts";
import type { Strategy } from "../../src/actor/supervision/strategy.ts";
import type { Down } from "../../src/actor/supervision/supervised.ts";
import { Supervisor } from "../../src/actor/supervision/supervisor.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { Puppet, type Stage } from "./puppet.ts";

const FAILURES: readonly Exit[] = [
  { kind: "signal", signal: "SIGKILL" },
  { kind: "threw", error: new Error("mine") },
  { kind: "exit", code: 1 },
];
const NORMAL: readonly Exit[] = [{ kind: "exit", code: 0 }, { kind: "stopped" }];

const STOP_TIMEOUT_MS = 30, WITHIN_MS = 100;

/** What is restarted after which end. */
function isRestarted(keep: Keep, exit: Exit): boolean {
  if (exit.kind === "stopped" || keep === "temporary") return false;
  return keep === "permanent" || exit.kind !== "exit" || exit.code !== 0;
}

/** What was seen of a member. */
class Part {
  incarnations = 0;
  /** What was told last: of which incarnation, and whether another was to follow. */
  told: { incarnation: number; restarting: boolean } | undefined;
  /** When the present incarnation began to run, and how long the last one did. */
  ranSince: number | undefined;
  ranMs = 0;
  /** How often it ended, each time before the period was over. */
  failures = 0;
  isRemoved = false;

  /** Whether it never comes back. */
  get isGone(): boolean {
    return this.told?.restarting === false;
  }

  /** Whether another incarnation was promised, and has not begun. */
  get isAwaited(): boolean {
    return this.told?.restarting === true && this.told.incarnation === this.incarnations;
  }
}

/** A group, what is done with it, and what it must do. */
class Play implements Stage {
  readonly clock = new VirtualClock();
  readonly strategy: Strategy;
  readonly max: number;
  readonly backoffMs: readonly [firstMs: number, mostMs: number];
  readonly parts = new Map<Puppet, Part>();
  readonly supervisor: Supervisor;
  /** When there were restarts that count. */
  readonly restarts: number[] = [];
  /** Whose restart is being prepared: who else is told of meanwhile goes with it. */
  cause: Puppet | undefined;
  isStarting = true;
  isEnding = false;
  gaveUp: Exit | undefined;
  isOver = false;
  failure: unknown;

  constructor(readonly random: Random) {
    this.strategy = random.pick(["one-for-one", "one-for-all", "rest-for-one"]);
    this.max = random.pick([0, 1, 3, 8, Infinity, Infinity]);
    this.backoffMs = random.pick([[0, 0], [1, 1], [3, 50], [0, 9]] as const);
    for (let index = 0; index <= random.below(5); index++) {
      const keep = random.pick<Keep>(["permanent", "permanent", "transient", "temporary"]);
      this.parts.set(new Puppet(`m${index}.`, keep, this), new Part());
    }
    this.supervisor = new Supervisor([...this.parts.keys()], {
      strategy: this.strategy,
      max: this.max,
      withinMs: WITHIN_MS,
      backoffMs: this.backoffMs,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      clock: this.#watchedClock(),
      onDown: (down) => this.#judge(() => this.#down(down)),
      onGaveUp: (exit) => {
        this.#judge(() => assert(exit === this.gaveUp && !this.isOver));
        this.isOver = true;
      },
    });
  }

  /** What is thrown into the supervisor is caught there, and is to fail the test. */
  #judge(judge: () => void): void {
    try {
      judge();
    } catch (error) {
      this.failure ??= error;
    }
  }

  /** The supervisor sets a timer for each restart, and none for anything else. */
  #watchedClock(): Clock {
    const { clock } = this;
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, run) => {
        this.#judge(() => this.#restartIsDue(ms));
        return clock.after(ms, run);
      },
    };
  }

  starting(puppet: Puppet, incarnation: number): void {
    this.#judge(() => this.#starting(puppet, incarnation));
  }

  #starting(puppet: Puppet, incarnation: number): void {
    const part = this.parts.get(puppet)!, what = `${puppet.label}${incarnation}`;
    assert(!this.isEnding, `${what} starts after the end`);
    assertEquals(puppet.incarnation, undefined, `${what} is not alone`);
    assert(
      incarnation === 1 ? part.told === undefined : part.isAwaited,
      `${what} was not promised`,
    );
    assertEquals(incarnation, ++part.incarnations);
    assertEquals(this.cause, undefined, `${what} starts while others stop`);
    part.ranSince = undefined;
    part.ranMs = 0;
    if (this.strategy === "one-for-one" && incarnation > 1) return;
    for (const { other, otherPart, isBehind } of this.#othersThan(puppet)) {
      if (isBehind) assertEquals(other.incarnation, undefined, `${what}: ${other.label} runs`);
      else assert(otherPart.incarnations > 0 && !otherPart.isAwaited, `${what}: ${other.label}`);
    }
  }

  ran(puppet: Puppet): void {
    this.parts.get(puppet)!.ranSince = this.clock.now();
  }

  over(puppet: Puppet): void {
    const part = this.parts.get(puppet)!;
    if (part.ranSince !== undefined) part.ranMs = this.clock.now() - part.ranSince;
  }

  stopping(puppet: Puppet, timeoutMs: number): void {
    this.#judge(() => this.#stopping(puppet, timeoutMs));
  }

  #stopping(puppet: Puppet, timeoutMs: number): void {
    assertEquals(timeoutMs, STOP_TIMEOUT_MS);
    if (this.parts.get(puppet)!.isRemoved) return;
    assert(this.isEnding || this.#goesWith(puppet), `${puppet.label} is stopped for nothing`);
    for (const { other, isBehind } of this.#othersThan(puppet)) {
      if (isBehind) assertEquals(other.incarnation, undefined, `${puppet.label}: ${other.label}`);
    }
  }

  /** The others that belong to the group. */
  *#othersThan(puppet: Puppet) {
    let isBehind = false;
    for (const [other, otherPart] of this.parts) {
      if (other === puppet) isBehind = true;
      else if (!otherPart.isGone && !otherPart.isRemoved) yield { other, otherPart, isBehind };
    }
  }

  /** Whether it is restarted with the one that ended. */
  #goesWith(puppet: Puppet): boolean {
    if (this.cause === undefined || this.strategy === "one-for-one") return false;
    const order = [...this.parts.keys()];
    return this.strategy === "one-for-all" || order.indexOf(puppet) > order.indexOf(this.cause);
  }

  #counted(): number {
    return this.restarts.filter((time) => this.clock.now() - time < WITHIN_MS).length;
  }

  #down({ member, label, incarnation, exit, restarting }: Down): void {
    const puppet = member as Puppet, part = this.parts.get(puppet)!;
    const what = `${label}${incarnation} ${describeExit(exit)}`;
    assertEquals(incarnation, part.incarnations, what);
    assertEquals(puppet.incarnation, undefined, `${what}, and is there`);
    assert(!part.isGone, `${what} once more`);
    const { isAwaited } = part;
    part.told = { incarnation, restarting };
    if (this.isEnding || part.isRemoved) {
      assert(!restarting, what);
    } else if (isAwaited) {
      throw new Error(`${what}, but was to come back`);
    } else if (this.isStarting) {
      this.isEnding = true; // the first start failed
    } else if (this.cause !== undefined) {
      assert(this.#goesWith(puppet), `${what}, while another restarts`);
      assert(!restarting || puppet.keep !== "temporary", what);
      assert(restarting || puppet.keep === "temporary" || !isRestarted(puppet.keep, exit), what);
    } else if (exit.kind === "gave-up") {
      assert(!restarting && isRestarted(puppet.keep, exit.last), what);
      assertEquals([exit.restarts, exit.withinMs], [this.max, WITHIN_MS]);
      assertEquals(this.#counted(), this.max, what);
      this.gaveUp = exit;
      this.isEnding = true;
    } else if (restarting) {
      assert(isRestarted(puppet.keep, exit), what);
      assert(this.#counted() < this.max, what);
      this.restarts.push(this.clock.now());
      this.cause = puppet;
    } else {
      assert(!isRestarted(puppet.keep, exit), what);
    }
  }

  #restartIsDue(ms: number): void {
    assert(this.cause !== undefined && !this.isEnding, "a timer for nothing");
    const part = this.parts.get(this.cause)!, [firstMs, mostMs] = this.backoffMs;
    for (const { other } of this.#othersThan(this.cause)) {
      if (this.#goesWith(other)) assertEquals(other.incarnation, undefined, `${other.label} runs`);
    }
    if (part.ranMs >= WITHIN_MS) part.failures = 0;
    let expectedMs = firstMs;
    for (let failure = 0; failure < part.failures; failure++) {
      expectedMs = Math.min(mostMs, Math.max(1, expectedMs * 2));
    }
    assertEquals(ms, expectedMs, `${this.cause.label} after ${part.failures} failures`);
    part.failures++;
    this.cause = undefined;
  }

  /** Something happens to somebody. */
  async step(): Promise<void> {
    const { random } = this, puppets = [...this.parts.keys()], puppet = random.pick(puppets);
    // Few end normally: a group of which little is left says little.
    const exit = random.pick(random.oneIn(20) ? NORMAL : FAILURES),
      ms = random.below(40),
      error = new Error("mine");
    switch (random.below(12)) {
      case 0:
      case 1:
        return this.#exit(puppet, exit);
      case 2: // several at once
        for (const one of puppets) if (random.oneIn(2)) this.#exit(one, exit);
        return;
      case 3:
        puppet.nextStart = random.pick([
          { kind: "runs", afterMs: ms },
          { kind: "ends at once", exit },
          { kind: "exits", exit },
          { kind: "throws", error },
          { kind: "rejects", error },
          { kind: "hangs" },
        ]);
        return;
      case 4:
        puppet.nextStop = random.pick([
          { kind: "stops", afterMs: ms },
          { kind: "stops", afterMs: ms, exit },
          { kind: "rejects", error },
        ]);
        return;
      case 5:
        return puppet.letGo();
      case 6:
        if (random.oneIn(20)) void this.#remove(puppet);
        return;
      case 7:
        if (random.oneIn(30)) void this.stop();
        return;
      case 8:
      case 9: // in the midst of what is under way
        for (let turn = 0; turn < ms; turn++) await undefined;
        return;
      default:
        await this.clock.advance(random.pick([0, 1, 5, 20, WITHIN_MS]));
    }
  }

  #exit(puppet: Puppet, exit: Exit): void {
    if (puppet.incarnation !== undefined) puppet.exit(exit);
  }

  async #remove(puppet: Puppet): Promise<void> {
    const part = this.parts.get(puppet)!;
    part.isRemoved = true;
    await this.supervisor.remove(puppet);
    this.#judge(() => {
      assertEquals(puppet.incarnation, undefined);
      assert(part.isGone || part.incarnations === 0, `${puppet.label} left, and nobody was told`);
    });
  }

  async stop(): Promise<void> {
    this.isEnding = true;
    this.cause = undefined;
    await this.supervisor.stop();
    this.isOver = true;
  }

  /** Lets all come to rest, and looks at what there is then. */
  async settle(): Promise<void> {
    for (let round = 0; round < 20; round++) {
      for (const puppet of this.parts.keys()) {
        puppet.nextStart = { kind: "runs" };
        puppet.letGo();
      }
      await this.clock.advance(WITHIN_MS);
    }
    for (const [puppet, part] of this.parts) {
      const shouldRun = !this.isOver && !part.isGone && !part.isRemoved;
      assertEquals(puppet.isRunning, shouldRun, `${puppet.label} at rest`);
    }
    assertEquals(this.cause, undefined);
    assertEquals(this.isOver, this.isEnding);
    assertEquals(this.clock.pending, 0);
    if (this.failure !== undefined) throw this.failure;
  }
}

/** Runs groups through so many random steps; gives how many were restarted, and how they ended. */
async function play(random: Random, steps: number): Promise<Record<string, number>> {
  const seen = { restarts: 0, groups: 0, gaveUp: 0, failedAtFirst: 0 };
  while (steps > 0) {
    const group = new Play(random);
    const started = group.supervisor.start().then(() => group.isStarting = false, () => {
      group.isEnding = group.isOver = true;
      seen.failedAtFirst++;
    });
    for (; steps > 0 && !group.isOver && !random.oneIn(1000); steps--) {
      await group.step();
      if (group.failure !== undefined) throw group.failure;
    }
    await group.settle();
    await started;
    const stopped = group.stop();
    await group.settle();
    await stopped;
    seen.groups++;
    seen.restarts += group.restarts.length;
    if (group.gaveUp !== undefined) seen.gaveUp++;
  }
  return seen;
}

test("Supervisor keeps its promises, whatever happens when", async () => {
  const steps = scaled(30_000), total: Record<string, number> = {};
  for (let seed = 1; seed <= 10; seed++) {
    try {
      const seen = await play(new Random(seed), steps / 10);
      for (const [what, count] of Object.entries(seen)) total[what] = (total[what] ?? 0) + count;
    } catch (cause) {
      throw new Error(`seed ${seed}: ${cause}`, { cause });
    }
  }
  // A schedule in which little happens would say little.
  assert(
    total.restarts! > steps / 40 && total.gaveUp! > 0 && total.failedAtFirst! > 0,
    JSON.stringify(total),
  );
});
