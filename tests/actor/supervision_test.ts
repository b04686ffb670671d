/** Supervision: who is restarted after which end, when, together with whom, and who is given up. */

import "../support/loaded.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ActorError, describeExit, type Exit } from "../../src/actor/errors.ts";
import { type Clock, VirtualClock } from "../../src/actor/flow/clock.ts";
import { Backoff } from "../../src/actor/supervision/backoff.ts";
import { Intensity } from "../../src/actor/supervision/intensity.ts";
import { Links } from "../../src/actor/supervision/links.ts";
import {
  isKept,
  isNormal,
  type Keep,
  restartPolicy,
} from "../../src/actor/supervision/restart_policy.ts";
import {
  checkStrategy,
  restartedWith,
  type Strategy,
} from "../../src/actor/supervision/strategy.ts";
import { Supervisor, type SupervisorOptions } from "../../src/actor/supervision/supervisor.ts";
import { Puppet, type Stage } from "./puppet.ts";

const KILLED: Exit = { kind: "signal", signal: "SIGKILL" };
const STOPPED: Exit = { kind: "stopped" };
const DONE: Exit = { kind: "exit", code: 0 };
const FAILURES: readonly Exit[] = [
  KILLED,
  { kind: "threw", error: new Error("mine") },
  { kind: "exit", code: 1 },
  { kind: "terminated" },
  { kind: "out-of-memory" },
  { kind: "lost", reason: "its parent died" },
  { kind: "gave-up", restarts: 1, withinMs: 1, last: KILLED },
];

test("isKept() restarts by what was agreed and how it ended", () => {
  const kept = (exit: Exit) =>
    (["permanent", "transient", "temporary"] as const)
      .filter((keep) => isKept(keep, exit));
  for (const exit of FAILURES) {
    assertEquals([kept(exit), isNormal(exit)], [["permanent", "transient"], false]);
  }
  assertEquals([kept(DONE), isNormal(DONE)], [["permanent"], true]);
  assertEquals([kept(STOPPED), isNormal(STOPPED)], [[], true]);
});

test("restartPolicy() completes what is given, and refuses nonsense", () => {
  assertEquals(restartPolicy(), {
    keep: "transient",
    max: 3,
    withinMs: 5000,
    backoffMs: [50, 5000],
  });
  assertEquals(restartPolicy({ max: Infinity, backoffMs: [0, 0] }).backoffMs, [0, 0]);
  assertThrows(() => restartPolicy({ keep: "always" as Keep }), TypeError, '"always"');
  for (const max of [-1, 0.5, NaN]) {
    assertThrows(() => restartPolicy({ max }), RangeError, `allow ${max} restarts`);
  }
  for (const withinMs of [0, -1, NaN]) {
    assertThrows(() => restartPolicy({ withinMs }), RangeError, `within ${withinMs} ms`);
  }
  for (const backoffMs of [[-1, 5], [6, 5], [NaN, 5], [0, NaN], [0, Infinity]] as const) {
    assertThrows(() => restartPolicy({ backoffMs }), RangeError, `from ${backoffMs[0]} to`);
  }
});

test("Intensity.allow() counts restarts for less than the period", () => {
  const intensity = new Intensity({ max: 2, withinMs: 100 });
  const at = [0, 10, 20, 99, 100, 100, 109, 110, 199, 200].map((ms) => intensity.allow(ms));
  assertEquals(at, [true, true, false, false, true, false, false, true, false, true]);
});

test("Intensity.allow() allows none of 0, and any number of Infinity", () => {
  assert(!new Intensity({ max: 0, withinMs: 100 }).allow(0));
  const always = new Intensity({ max: Infinity, withinMs: 100 });
  for (let count = 0; count < 1000; count++) assert(always.allow(0));
});

test("Backoff.next() doubles, and begins anew after a quiet period", () => {
  const backoff = new Backoff([50, 300], 1000);
  assertEquals([0, 999, 0, 0, 0].map((ranMs) => backoff.next(ranMs)), [50, 100, 200, 300, 300]);
  assertEquals([1000, 0].map((ranMs) => backoff.next(ranMs)), [50, 100]);
});

test("Backoff.next() grows from nothing, unless nothing is the most", () => {
  const growing = new Backoff([0, 5], 1000), none = new Backoff([0, 0], 1000);
  assertEquals([1, 2, 3, 4, 5].map(() => growing.next(0)), [0, 1, 2, 4, 5]);
  assertEquals([1, 2, 3].map(() => none.next(0)), [0, 0, 0]);
});

test("restartedWith() gives who restarts together, in their order", () => {
  const members = ["a", "b", "c", "d"];
  assertEquals(restartedWith("one-for-one", members, "b"), ["b"]);
  assertEquals(restartedWith("one-for-all", members, "b"), members);
  assertEquals(restartedWith("rest-for-one", members, "b"), ["b", "c", "d"]);
  assertThrows(() => checkStrategy("one-for-none"), TypeError, '"one-for-none"');
});

/** A group of puppets, and what happened to them: "start a1", "down b2 was stopped, restarting". */
class Troupe implements Stage {
  readonly clock = new VirtualClock();
  readonly log: string[] = [];
  readonly members: Puppet[];
  readonly supervisor: Supervisor;

  constructor(
    strategy: Strategy,
    keeps: Record<string, Keep>,
    options: Partial<SupervisorOptions> = {},
  ) {
    this.members = Object.entries(keeps).map(([label, keep]) => new Puppet(label, keep, this));
    this.supervisor = new Supervisor(this.members, {
      strategy,
      max: 3,
      withinMs: 1000,
      backoffMs: [10, 40],
      stopTimeoutMs: 500,
      clock: this.clock,
      onDown: ({ label, incarnation, exit, restarting }) =>
        this.log.push(
          `down ${label}${incarnation} ${describeExit(exit)}${restarting ? ", restarting" : ""}`,
        ),
      onGaveUp: (exit) => this.log.push(`gave up: ${describeExit(exit)}`),
      ...options,
    });
  }

  starting({ label }: Puppet, incarnation: number): void {
    this.log.push(`start ${label}${incarnation}`);
  }

  stopping({ label, incarnation }: Puppet, timeoutMs: number): void {
    this.log.push(`stop ${label}${incarnation}${timeoutMs === 500 ? "" : ` within ${timeoutMs}`}`);
  }

  ran(): void {}

  over(): void {}

  get(label: string): Puppet {
    return this.members.find((one) => one.label === label)!;
  }

  /** What happened since it was asked for last, after so many milliseconds more. */
  async after(ms: number): Promise<string[]> {
    await this.clock.advance(ms);
    return this.log.splice(0);
  }
}

/** A group that runs. */
async function running(...args: ConstructorParameters<typeof Troupe>): Promise<Troupe> {
  const troupe = new Troupe(...args);
  await troupe.supervisor.start();
  troupe.log.splice(0);
  return troupe;
}

const ABC = { a: "permanent", b: "permanent", c: "permanent" } as const;

test("Supervisor.start() starts in order, each after the one before runs", async () => {
  const troupe = new Troupe("one-for-one", ABC);
  troupe.get("a").nextStart = { kind: "runs", afterMs: 5 };
  const started = troupe.supervisor.start();
  assertEquals(await troupe.after(4), ["start a1"]);
  assertEquals(await troupe.after(1), ["start b1", "start c1"]);
  await started;
});

test("Supervisor.start() stops what runs when a start fails, and rejects with its error", async () => {
  const error = new Error("no disk");
  for (const kind of ["throws", "rejects"] as const) {
    const troupe = new Troupe("one-for-one", ABC);
    troupe.get("c").nextStart = { kind, error };
    const thrown = await assertRejects(() => troupe.supervisor.start(), Error);
    assert(thrown === error);
    assertEquals(troupe.log, [
      ...["start a1", "start b1", "start c1", "down c1 threw Error: no disk"],
      ...["stop b1", "down b1 was stopped", "stop a1", "down a1 was stopped"],
    ]);
    await troupe.supervisor.stop(); // it is over, and gives nobody up
    troupe.log.splice(0);
    assertEquals(await troupe.after(10_000), []);
  }
});

test("Supervisor.start() rejects, and tells how a member ended before it ran", async () => {
  const troupe = new Troupe("one-for-one", { a: "permanent" });
  troupe.get("a").nextStart = { kind: "exits", exit: KILLED };
  await assertRejects(() => troupe.supervisor.start(), Error, "it ended before it ran");
  assertEquals(troupe.log, ["start a1", "down a1 was killed by SIGKILL"]);
});

test("Supervisor.start() is done with a member that ended as soon as it ran", async () => {
  const troupe = new Troupe("one-for-one", { a: "transient", b: "transient" });
  troupe.get("a").nextStart = { kind: "ends at once", exit: DONE };
  troupe.get("b").nextStart = { kind: "ends at once", exit: KILLED };
  await troupe.supervisor.start();
  assertEquals(await troupe.after(10), [
    ...["start a1", "start b1", "down a1 exited with code 0"],
    ...["down b1 was killed by SIGKILL, restarting", "start b2"],
  ]);
});

test("Supervisor restarts one alone, after its backoff", async () => {
  const troupe = await running("one-for-one", ABC);
  troupe.get("b").exit(KILLED);
  assertEquals(await troupe.after(9), ["down b1 was killed by SIGKILL, restarting"]);
  assertEquals(await troupe.after(1), ["start b2"]);
  troupe.get("b").exit(KILLED);
  assertEquals(await troupe.after(19), ["down b2 was killed by SIGKILL, restarting"]);
  assertEquals(await troupe.after(1), ["start b3"]);
});

test("Supervisor restarts all when one ends: stops in reverse, starts in order", async () => {
  const troupe = await running("one-for-all", ABC);
  troupe.get("b").exit(KILLED);
  assertEquals(await troupe.after(10), [
    "down b1 was killed by SIGKILL, restarting",
    ...["stop c1", "down c1 was stopped, restarting", "stop a1", "down a1 was stopped, restarting"],
    ...["start a2", "start b2", "start c2"],
  ]);
});

test("Supervisor restarts the rest when one ends", async () => {
  const troupe = await running("rest-for-one", ABC);
  troupe.get("b").exit(KILLED);
  assertEquals(await troupe.after(10), [
    "down b1 was killed by SIGKILL, restarting",
    ...["stop c1", "down c1 was stopped, restarting", "start b2", "start c2"],
  ]);
});

test("Supervisor lets others go on while one backs off", async () => {
  const troupe = await running("one-for-one", ABC);
  troupe.get("a").exit(KILLED);
  await troupe.after(5);
  troupe.get("b").exit(KILLED);
  assertEquals(await troupe.after(5), ["down b1 was killed by SIGKILL, restarting", "start a2"]);
  assertEquals(await troupe.after(5), ["start b2"]);
});

test("Supervisor makes one restart of two deaths at once", async () => {
  for (const strategy of ["one-for-all", "rest-for-one"] as const) {
    const troupe = await running(strategy, ABC, { max: 1 });
    troupe.get("a").exit(KILLED);
    troupe.get("c").exit({ kind: "exit", code: 3 });
    assertEquals(await troupe.after(10), [
      "down a1 was killed by SIGKILL, restarting",
      "down c1 exited with code 3, restarting",
      ...["stop b1", "down b1 was stopped, restarting", "start a2", "start b2", "start c2"],
    ]);
  }
});

test("Supervisor takes a restart that is due into one of more members", async () => {
  const troupe = await running("rest-for-one", ABC);
  troupe.get("b").exit(KILLED);
  await troupe.after(9);
  troupe.get("a").exit(KILLED);
  assertEquals(await troupe.after(9), ["down a1 was killed by SIGKILL, restarting"]);
  assertEquals(await troupe.after(1), ["start a2", "start b2", "start c2"]);
  assertEquals(troupe.clock.pending, 0);
});

test("Supervisor takes in a restart whose time came while others were stopped", async () => {
  const troupe = await running("rest-for-one", { ...ABC, d: "permanent" });
  troupe.get("c").exit(KILLED);
  await troupe.after(0);
  troupe.get("a").exit(KILLED);
  troupe.get("b").nextStop = { kind: "stops", afterMs: 15 };
  await troupe.after(14);
  assertEquals(await troupe.after(1), ["down b1 was stopped, restarting"]);
  assertEquals(await troupe.after(10), ["start a2", "start b2", "start c2", "start d2"]);
});

test("Supervisor counts a start that fails as an end, and goes on from there", async () => {
  const troupe = await running("rest-for-one", ABC);
  troupe.get("a").exit(KILLED);
  troupe.get("b").nextStart = { kind: "rejects", error: new Error("no disk") };
  await troupe.after(9);
  assertEquals(await troupe.after(1), [
    ...["start a2", "start b2", "down b2 threw Error: no disk, restarting"],
  ]);
  assertEquals(await troupe.after(10), ["start b3", "start c2"]);
});

test("Supervisor leaves out of a group who has ended for good", async () => {
  const keeps = { a: "permanent", b: "transient", c: "temporary", d: "permanent" } as const;
  const troupe = await running("one-for-all", keeps);
  troupe.get("b").exit(DONE);
  assertEquals(await troupe.after(0), ["down b1 exited with code 0"]);
  troupe.get("d").exit(KILLED);
  assertEquals(await troupe.after(10), [
    ...["down d1 was killed by SIGKILL, restarting", "stop c1", "down c1 was stopped"],
    ...["stop a1", "down a1 was stopped, restarting", "start a2", "start d2"],
  ]);
});

test("Supervisor does not restart with a group who just ended normally", async () => {
  const troupe = await running("one-for-all", { a: "permanent", b: "transient" });
  troupe.get("a").exit(KILLED);
  troupe.get("b").exit(DONE);
  assertEquals(await troupe.after(10), [
    "down a1 was killed by SIGKILL, restarting",
    ...["down b1 exited with code 0", "start a2"],
  ]);
});

test("Supervisor gives up at one restart too many, and stops the others in reverse", async () => {
  const troupe = await running("one-for-one", ABC, { max: 2, backoffMs: [0, 0] });
  for (let count = 0; count < 2; count++) {
    troupe.get("b").exit(KILLED);
    await troupe.after(499);
  }
  troupe.log.splice(0);
  troupe.get("a").exit(KILLED);
  const gaveUp = "was given up after 2 restarts within 1000 ms: at last it was killed by SIGKILL";
  assertEquals(await troupe.after(0), [
    `down a1 ${gaveUp}`,
    ...["stop c1", "down c1 was stopped", "stop b3", "down b3 was stopped", `gave up: ${gaveUp}`],
  ]);
  assertEquals(await troupe.after(100_000), []);
});

test("Supervisor gives up no sooner: a restart a period ago is over", async () => {
  const troupe = await running("one-for-one", { a: "permanent" }, { max: 1, backoffMs: [0, 0] });
  for (let count = 0; count < 5; count++) {
    troupe.get("a").exit(KILLED);
    assertEquals((await troupe.after(1000)).at(-1), `start a${count + 2}`);
  }
});

test("Supervisor tells of those that were to be restarted when it gives up", async () => {
  const troupe = await running("one-for-one", { a: "permanent", b: "permanent" }, { max: 1 });
  troupe.get("a").exit(KILLED);
  troupe.get("b").exit(KILLED);
  const gaveUp = "was given up after 1 restart within 1000 ms: at last it was killed by SIGKILL";
  assertEquals(await troupe.after(10_000), [
    ...["down a1 was killed by SIGKILL, restarting", `down b1 ${gaveUp}`],
    ...[`down a1 ${gaveUp}`, `gave up: ${gaveUp}`],
  ]);
  assertEquals(troupe.clock.pending, 0);
});

test("Supervisor.stop() stops in reverse, and tells how each ended", async () => {
  const troupe = await running("one-for-one", ABC);
  troupe.get("b").nextStop = { kind: "stops", afterMs: 70, exit: KILLED };
  const stopped = troupe.supervisor.stop(70);
  assertEquals(await troupe.after(69), [
    ...["stop c1 within 70", "down c1 was stopped", "stop b1 within 70"],
  ]);
  assertEquals(await troupe.after(1), [
    ...["down b1 was killed by SIGKILL", "stop a1 within 70", "down a1 was stopped"],
  ]);
  await stopped;
  await troupe.supervisor.stop();
});

test("Supervisor.stop() ends a backoff", async () => {
  const troupe = await running("one-for-one", ABC);
  troupe.get("b").exit(KILLED);
  await troupe.after(5);
  await troupe.supervisor.stop();
  assertEquals(troupe.clock.pending, 0);
  assertEquals(await troupe.after(1000), [
    ...["stop c1", "down c1 was stopped", "down b1 was stopped", "stop a1", "down a1 was stopped"],
  ]);
});

test("Supervisor.stop() ends a start that hangs, at first and after a backoff", async () => {
  const first = new Troupe("one-for-one", { a: "permanent", b: "permanent" });
  first.get("a").nextStart = { kind: "hangs" };
  const started = assertRejects(() => first.supervisor.start(), ActorError, "was stopped");
  await first.after(0);
  await first.supervisor.stop();
  await started;
  assertEquals(first.log, ["stop a1", "down a1 was stopped"]);

  const later = await running("one-for-all", ABC);
  later.get("b").nextStart = { kind: "hangs" };
  later.get("a").exit(KILLED);
  await later.after(10);
  await later.supervisor.stop();
  assertEquals(later.log.slice(-5), [
    ...["down c1 was stopped", "stop b2", "down b2 was stopped", "stop a2", "down a2 was stopped"],
  ]);
});

test("Supervisor.stop() goes on when a member cannot be stopped", async () => {
  const troupe = await running("one-for-one", { a: "permanent", b: "permanent" });
  troupe.get("b").nextStop = { kind: "rejects", error: new Error("stuck") };
  await troupe.supervisor.stop();
  assertEquals(troupe.log, [
    ...["stop b1", "down b1 threw Error: stuck", "stop a1", "down a1 was stopped"],
  ]);
});

test("Supervisor.remove() stops one for good, and nobody else", async () => {
  const troupe = await running("one-for-all", ABC);
  await troupe.supervisor.remove(troupe.get("b"));
  await troupe.supervisor.remove(troupe.get("b"));
  assertEquals(await troupe.after(100), ["stop b1", "down b1 was stopped"]);
  troupe.get("c").exit(KILLED);
  assertEquals((await troupe.after(10)).slice(-2), ["start a2", "start c2"]);
});

test("Supervisor.remove() of one that backs off leaves the others of its restart", async () => {
  const troupe = await running("rest-for-one", ABC);
  troupe.get("b").exit(KILLED);
  await troupe.after(5);
  await troupe.supervisor.remove(troupe.get("b"));
  assertEquals((await troupe.after(5)).slice(-2), ["down b1 was stopped", "start c2"]);
});

test("Supervisor.remove() ends a start that hangs, and the others start", async () => {
  const troupe = await running("rest-for-one", ABC);
  troupe.get("b").nextStart = { kind: "hangs" };
  troupe.get("a").exit(KILLED);
  await troupe.after(10);
  troupe.log.splice(0);
  await troupe.supervisor.remove(troupe.get("b"));
  assertEquals(troupe.log, ["start c2", "stop b2", "down b2 was stopped"]);
});

test("Supervisor.remove() of one that just ended restarts nobody", async () => {
  const troupe = await running("one-for-all", ABC);
  troupe.get("b").exit(KILLED);
  await troupe.supervisor.remove(troupe.get("b"));
  assertEquals(await troupe.after(100), ["down b1 was killed by SIGKILL"]);
});

test("Supervisor judges by the latest incarnation alone", async () => {
  const troupe = await running("one-for-one", { a: "permanent" });
  const a = troupe.get("a");
  a.exit(KILLED);
  a.exit(DONE); // once more, and otherwise
  assertEquals(await troupe.after(10), ["down a1 was killed by SIGKILL, restarting", "start a2"]);
  a.exitOf(1, KILLED);
  assertEquals([await troupe.after(100), a.isRunning], [[], true]);
});

test("Supervisor.stop() does not stop who ended meanwhile", async () => {
  const troupe = await running("one-for-one", { a: "permanent", b: "permanent" });
  troupe.get("b").nextStop = { kind: "stops", afterMs: 5 };
  const stopped = troupe.supervisor.stop();
  await troupe.after(0);
  troupe.get("a").exit(KILLED);
  assertEquals(await troupe.after(5), ["down b1 was stopped", "down a1 was killed by SIGKILL"]);
  await stopped;
});

test("Supervisor.stop() is told of a start that it ended as of one that was stopped", async () => {
  const troupe = new Troupe("one-for-one", { a: "permanent" });
  troupe.get("a").nextStart = { kind: "hangs" };
  troupe.get("a").nextStop = { kind: "stops", afterMs: 5 };
  const started = assertRejects(() => troupe.supervisor.start(), ActorError);
  await troupe.after(0);
  const stopped = troupe.supervisor.stop();
  assertEquals(await troupe.after(5), ["stop a1", "down a1 was stopped"]);
  await Promise.all([started, stopped]);
});

test("Supervisor.start() after stop() starts nothing", async () => {
  const troupe = new Troupe("one-for-one", ABC);
  await troupe.supervisor.stop();
  await assertRejects(() => troupe.supervisor.start(), ActorError, "it was stopped");
  assertEquals(troupe.log, []);
});

test("Supervisor keeps no process by a restart that is due", async () => {
  const clock = new VirtualClock(), background: unknown[] = [];
  const watched: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, run, options) => {
      background.push(options?.background);
      return clock.after(ms, run);
    },
  };
  const troupe = await running("one-for-one", { a: "permanent" }, { clock: watched });
  troupe.get("a").exit(KILLED);
  await clock.advance(10);
  assertEquals([background, troupe.get("a").isRunning], [[true], true]);
});

/** Links among a, b, c, …, each pair written as "ab". */
function linked(...pairs: string[]): Links<string> {
  const links = new Links<string>();
  for (const [one, other] of pairs) links.link(one!, other!);
  return links;
}

/** Whom an end draws in. */
function drawnIn(
  links: Links<string>,
  key: string,
  exit: Exit = KILLED,
  restarting = true,
): string {
  return links.ended({ key, label: `the ${key}`, exit, restarting }).map(({ key }) => key).join("");
}

test("Links.ended() says who ends with it, and why", () => {
  const [consequence] = linked("ab").ended({
    key: "a",
    label: "counter",
    exit: KILLED,
    restarting: false,
  });
  assertEquals(consequence, {
    key: "b",
    exit: { kind: "lost", reason: 'linked to "counter", which was killed by SIGKILL' },
  });
});

test("Links.ended() spreads failures and ends for good, not a normal end before a restart", () => {
  assertEquals(drawnIn(linked("ab"), "a", KILLED, true), "b");
  assertEquals(drawnIn(linked("ab"), "b", KILLED, false), "a");
  assertEquals(drawnIn(linked("ab"), "a", DONE, false), "b");
  assertEquals(drawnIn(linked("ab"), "a", DONE, true), "");
  assertEquals(drawnIn(linked("ab"), "c", KILLED, true), "");
});

test("Links.ended() reaches all along the links once, and comes to rest", () => {
  const links = linked("ab", "bc", "ca", "cd", "dd");
  assertEquals(drawnIn(links, "a"), "bcd");
  for (const key of "bcd") {
    const exit: Exit = { kind: "lost", reason: "linked" };
    assertEquals(drawnIn(links, key, exit), "", `${key} spreads again`);
  }
});

test("Links.ended() spreads again when a new incarnation fails", () => {
  const links = linked("ab", "bc");
  assertEquals(drawnIn(links, "a"), "bc");
  // b was on its way up when it was drawn in, so no end of it follows.
  for (const key of "abc") links.began(key);
  assertEquals(drawnIn(links, "b"), "ac");
});

test("Links.ended() ends the links of who ended for good", () => {
  const links = linked("ab", "bc");
  drawnIn(links, "b", KILLED, false);
  for (const key of "abc") links.began(key);
  assertEquals([drawnIn(links, "a"), drawnIn(links, "c")], ["", ""]);
});

test("Links.unlink() takes a link back, from either side", () => {
  const links = linked("ab", "ac");
  links.unlink("b", "a");
  links.unlink("b", "a");
  assertEquals([drawnIn(links, "b"), drawnIn(links, "a")], ["", "c"]);
});
