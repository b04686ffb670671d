/**
 * The steps of src/wait/event_steps.ts in every order, with the death of everybody after every
 * step.
 *
 * Goal: no wake-up is lost. In no state is something published that a parked waiter waits for while
 * nobody is left who will wake it, unless the last one who published was killed; and then the
 * waiter's own look after a while finds it.
 *
 * Method: the real functions run on a memory of the test's, in which each access is one step. A
 * thread cannot be stopped inside a function, so for each step it is run again from its start: what
 * its accesses gave so far is played back, and the first one beyond that is its next step. All
 * states that any order of steps can reach are visited, each once. That the search finds a lost
 * wake-up is shown on the same functions with one mistake each.
 */

import { assertGreater, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ARMED_STEP, FIRST_BELL_BIT, WAITING_MASK } from "../../src/wait/event_layout.ts";
import {
  answerBell,
  armBell,
  disarmBell,
  type EventMemory,
  type Listener,
  notifyAll,
  rearmBell,
  type Rung,
  type SleepEnd,
  sleepUnless,
} from "../../src/wait/event_steps.ts";

// --- A thread, step by step ----------------------------------------------------------------------

/** One access: what is done, and with what. */
type Step = readonly [name: keyof typeof STEPS, ...parameters: unknown[]];

/** Thrown where a thread's next step is known. */
const STOP = new Error("stop");

/** The memory as one thread sees it while it is run again. */
class Playback implements EventMemory {
  /** The step after those that were played back; undefined when the thread is done. */
  next: Step | undefined;
  #played = 0;

  constructor(
    readonly results: readonly unknown[],
    readonly bellSlots: number,
    /** The thread's own. */
    readonly bell: bigint,
  ) {}

  #step<T>(...step: Step): T {
    // After the stop a `finally` may go on for a while: nothing of it counts.
    if (this.next === undefined && this.#played < this.results.length) {
      return this.results[this.#played++] as T;
    }
    this.next ??= step;
    throw STOP;
  }

  loadChanges(): number {
    return this.#step("loadChanges");
  }
  addChange(): void {
    this.#step("addChange");
  }
  loadArmed(): number {
    return this.#step("loadArmed");
  }
  countArmed(): void {
    this.#step("countArmed");
  }
  exchangeArmed(expected: number, replacement: number): void {
    this.#step("exchangeArmed", expected, replacement);
  }
  setBits(bits: number): void {
    this.#step("setBits", bits);
  }
  clearBits(bits: number): void {
    this.#step("clearBits", bits);
  }
  loadBell(slot: number): bigint {
    return this.#step("loadBell", slot);
  }
  exchangeBell(slot: number, expected: bigint, replacement: bigint): boolean {
    return this.#step("exchangeBell", slot, expected, replacement);
  }
  sleep(changes: number): SleepEnd {
    return this.#step("sleep", changes);
  }
  wakeSleepers(): void {
    this.#step("wakeSleepers");
  }
  ring(bell: bigint): Rung {
    return this.#step("ring", bell);
  }
  isDead(bell: bigint): boolean {
    return this.#step("isDead", bell);
  }

  // What the caller of an event count does, and what the event loop does.

  publish(): void {
    this.#step("publish");
  }
  loadValue(): number {
    return this.#step("loadValue");
  }
  drain(): void {
    this.#step("drain");
  }
  /** Parks until the bell is rung or the clock says so. */
  awaitBell(): "rung" | "clock" {
    return this.#step("awaitBell");
  }
  /** Parks without a bell. */
  awaitClock(): void {
    this.#step("awaitClock");
  }
}

/** A thread of a scenario. Whatever it keeps, it makes anew each time it is run. */
interface Role {
  /** What it waits for: so many publications. undefined for one who publishes. */
  target?: number;
  run: (memory: Playback) => void;
  /** Its view of the memory, when that is one with a mistake. */
  view?: typeof Playback;
}

/** What a thread's steps gave so far. One object for each such history. */
class History {
  static #count = 0;
  readonly id: number = History.#count++;
  readonly next: Step | undefined;
  readonly #later = new Map<unknown, History>();

  constructor(
    readonly role: Role,
    readonly bellSlots: number,
    readonly bell: bigint,
    readonly results: readonly unknown[] = [],
  ) {
    const memory = new (role.view ?? Playback)(results, bellSlots, bell);
    try {
      role.run(memory);
    } catch (error) {
      if (error !== STOP) throw error;
    }
    this.next = memory.next;
  }

  /** The history when the next step gave this. */
  with(result: unknown): History {
    let later = this.#later.get(result);
    if (later === undefined) {
      const { role, bellSlots, bell, results } = this;
      later = new History(role, bellSlots, bell, [...results, result]);
      this.#later.set(result, later);
    }
    return later;
  }
}

// --- The memory, the kernel and the threads ------------------------------------------------------

interface Thread {
  history: History;
  status: "runs" | "sleeps" | "dead";
  /** Whether its bell is rung, and whether others can find it. */
  rung: boolean;
  named: boolean;
}

interface State {
  /** What is published: a number that only grows. */
  value: number;
  /** Who published last. */
  publisher: number | undefined;
  changes: number;
  armed: number;
  bells: bigint[];
  threads: Thread[];
  /** How many looks by the clock are still to come, at any time, and how many deaths. */
  clocks: number;
  deaths: number;
}

/** What a step gives that is not over yet. */
const WAITS = Symbol("waits");

/** What each step does, all at once; the kernel's calls are such steps too. */
const STEPS = {
  loadChanges: (state: State) => state.changes,
  addChange: (state: State) => void state.changes++,
  loadArmed: (state: State) => state.armed,
  countArmed: (state: State) => void (state.armed += ARMED_STEP),
  exchangeArmed(state: State, _: number, expected: number, replacement: number) {
    if (state.armed === expected) state.armed = replacement;
  },
  setBits: (state: State, _: number, bits: number) => void (state.armed |= bits),
  clearBits: (state: State, _: number, bits: number) => void (state.armed &= ~bits),
  loadBell: (state: State, _: number, slot: number) => state.bells[slot],
  exchangeBell(state: State, _: number, slot: number, expected: bigint, replacement: bigint) {
    if (state.bells[slot] !== expected) return false;
    state.bells[slot] = replacement;
    return true;
  },
  sleep(state: State, self: number, changes: number) {
    if (state.changes !== changes) return "changed";
    state.threads[self]!.status = "sleeps";
    return WAITS;
  },
  wakeSleepers(state: State) {
    const sleepers = state.threads.filter(({ status }) => status === "sleeps");
    for (const sleeper of sleepers) goOn(sleeper, "woken");
  },
  ring(state: State, _: number, bell: bigint) {
    const owner = ownerOf(state, bell);
    owner.named &&= owner.status !== "dead";
    if (!owner.named) return "gone";
    owner.rung = true;
    return "rung";
  },
  isDead(state: State, _: number, bell: bigint) {
    const owner = ownerOf(state, bell);
    owner.named &&= owner.status !== "dead";
    return !owner.named;
  },
  publish(state: State, self: number) {
    state.value++;
    state.publisher = self;
  },
  loadValue: (state: State) => state.value,
  drain: (state: State, self: number) => void (state.threads[self]!.rung = false),
  awaitBell: (state: State, self: number) => state.threads[self]!.rung ? "rung" : WAITS,
  awaitClock: () => WAITS,
} as const;

function ownerOf(state: State, bell: bigint): Thread {
  return state.threads[Number(bell) - 1]!;
}

/** Gives a thread the result of its step. */
function goOn(thread: Thread, result: unknown): void {
  thread.history = thread.history.with(result);
  thread.status = "runs";
}

/** Lets a parked thread look though nobody woke it. */
function lookByClock(thread: Thread): void {
  const [name] = thread.history.next!;
  goOn(thread, name === "sleep" ? "timeout" : name === "awaitBell" ? "clock" : undefined);
}

/** Whether a thread goes on only when somebody wakes it, or by the clock. */
function isParked({ history, status, rung }: Thread): boolean {
  if (status !== "runs") return status === "sleeps";
  const name = history.next?.[0];
  return name === "awaitClock" || (name === "awaitBell" && !rung);
}

function copyOf(state: State): State {
  return {
    ...state,
    bells: [...state.bells],
    threads: state.threads.map((thread) => ({ ...thread })),
  };
}

function keyOf(state: State): string {
  const { value, publisher, changes, armed, bells, threads, clocks, deaths } = state;
  const each = threads.map(({ history, status, rung, named }) =>
    `${history.id}${status[0]}${rung ? "r" : ""}${named ? "n" : ""}`
  );
  return [value, publisher, changes, armed, bells, each, clocks, deaths].join();
}

// --- The search ----------------------------------------------------------------------------------

/** A situation of which every course is searched. */
interface Scenario {
  roles: Role[];
  bellSlots?: number;
  /** How many looks by the clock come at any time, though nobody needs them. */
  clocks?: number;
  /** How many are killed. */
  deaths?: number;
}

/** What a search came across. */
interface Found {
  states: number;
  /** States in which nobody goes on by itself. */
  ends: number;
  /** Parked waiters that found by the clock what somebody had published who was then killed. */
  saved: number;
}

class Search {
  readonly found: Found = { states: 0, ends: 0, saved: 0 };
  readonly #visited = new Set<string>();
  /** The steps that led to the state that is being visited. */
  readonly #path: string[] = [];

  constructor({ roles, bellSlots = 2, clocks = 0, deaths = 0 }: Scenario) {
    const threads = roles.map((role, self): Thread => {
      const history = new History(role, bellSlots, BigInt(self + 1));
      return { history, status: "runs", rung: false, named: true };
    });
    this.#visit({
      value: 0,
      publisher: undefined,
      changes: 0,
      armed: 0,
      bells: Array.from({ length: bellSlots }, () => 0n),
      threads,
      clocks,
      deaths,
    });
  }

  #visit(state: State): void {
    const key = keyOf(state);
    if (this.#visited.has(key)) return;
    this.#visited.add(key);
    this.found.states++;
    let isEnd = true;
    for (const [self, { history: { next: step }, status }] of state.threads.entries()) {
      if (status === "dead" || step === undefined) continue;
      if (this.#doStep(state, self, step)) isEnd = false;
      if (state.clocks > 0 && isParked(state.threads[self]!)) {
        this.#after(`${self} looks by the clock`, state, (next) => {
          next.clocks--;
          lookByClock(next.threads[self]!);
        });
      }
      if (state.deaths > 0) {
        this.#after(`${self} is killed`, state, (next) => {
          next.deaths--;
          next.threads[self]!.status = "dead";
        });
      }
    }
    if (isEnd) this.#judge(state);
  }

  /** Visits what a step leads to; false when the thread cannot do it now. */
  #doStep(state: State, self: number, [name, ...parameters]: Step): boolean {
    if (state.threads[self]!.status === "sleeps") return false;
    const act = STEPS[name] as (state: State, self: number, ...rest: unknown[]) => unknown;
    const next = copyOf(state);
    const result = act(next, self, ...parameters);
    if (result !== WAITS) goOn(next.threads[self]!, result);
    else if (next.threads[self]!.status !== "sleeps") return false;
    this.#go(`${self} ${name}(${parameters})`, next);
    return true;
  }

  #after(label: string, state: State, change: (next: State) => void): void {
    const next = copyOf(state);
    change(next);
    this.#go(label, next);
  }

  #go(label: string, next: State): void {
    this.#path.push(label);
    this.#visit(next);
    this.#path.pop();
  }

  /** Nobody goes on by itself: does anybody wait for what is there? */
  #judge(state: State): void {
    this.found.ends++;
    const late = state.threads.filter((thread) =>
      isParked(thread) && state.value >= thread.history.role.target!
    );
    if (late.length === 0) return this.#checkWhatIsLeft(state);
    const wasKilled = state.threads[state.publisher!]!.status === "dead";
    for (const { history } of late) {
      const self = state.threads.findIndex((thread) => thread.history === history);
      const hasTimer = history.next![0] === "awaitClock";
      if (!wasKilled && !hasTimer) this.#fail(`thread ${self} is not woken`);
      if (!hasTimer) this.found.saved++;
      this.#after(
        `${self} looks by the clock at last`,
        state,
        (next) => lookByClock(next.threads[self]!),
      );
    }
  }

  /** What is left in the memory is of those who were killed or still wait. */
  #checkWhatIsLeft({ threads, bells }: State): void {
    const owners = threads.filter((thread) => thread.status === "dead" || isParked(thread));
    const left = bells.filter((bell) => bell !== 0n);
    const strange = left.find((bell) => !owners.some(({ history }) => history.bell === bell));
    if (strange !== undefined) this.#fail(`bell ${strange} is left`);
  }

  #fail(what: string): never {
    throw new Error(`${what} after: ${this.#path.join(" · ")}`);
  }
}

// --- Who takes part ------------------------------------------------------------------------------

/** Publishes so many times. */
function publisher(times = 1, view = Playback): Role {
  return {
    view,
    run(memory) {
      for (let time = 0; time < times; time++) {
        memory.publish();
        notifyAll(memory);
      }
    },
  };
}

/** Waits as EventCount.waitSync() does. */
function blocked(target = 1, view = Playback): Role {
  return {
    target,
    view,
    run(memory) {
      const look = () => memory.loadValue() >= target;
      let isThere = look();
      while (!isThere) isThere = sleepUnless(memory, look, 1) === "found" || look();
    },
  };
}

/** Waits as EventCount.wait() and the doorbell do. */
function looping(target = 1, view = Playback, answer = answerBell): Role {
  return {
    target,
    view,
    run(memory) {
      const { bell } = memory;
      let isThere = memory.loadValue() >= target;
      if (isThere) return;
      let slot = armBell(memory, bell);
      const listener = {
        rearm() {
          if (slot !== undefined && !rearmBell(memory, slot, bell)) slot = undefined;
        },
        look() {
          isThere ||= memory.loadValue() >= target;
        },
      };
      listener.look();
      while (!isThere) {
        if (slot === undefined) {
          memory.awaitClock();
          slot = armBell(memory, bell);
          listener.look();
        } else if (memory.awaitBell() === "rung") {
          answer(() => memory.drain(), [listener]);
        } else {
          listener.rearm();
          listener.look();
        }
      }
      if (slot !== undefined) disarmBell(memory, slot, bell);
    },
  };
}

// --- The steps as they are -----------------------------------------------------------------------

const SCENARIOS: Record<string, Scenario> = {
  "a blocked thread": { roles: [publisher(), blocked()], clocks: 2, deaths: 2 },
  "an event loop": { roles: [publisher(), looping()], clocks: 2, deaths: 2 },
  "a blocked thread and two publications": { roles: [publisher(2), blocked(2)], deaths: 1 },
  "an event loop and three publications": {
    roles: [publisher(3), looping(3)],
    clocks: 1,
    deaths: 1,
  },
  "two blocked threads": { roles: [publisher(), blocked(), blocked()], deaths: 2 },
  "two event loops": { roles: [publisher(), looping(), looping()], deaths: 2 },
  "two event loops, and room for one bell": {
    roles: [publisher(), looping(), looping()],
    bellSlots: 1,
    deaths: 2,
  },
  "two event loops that wait for different things, and room for one bell": {
    roles: [publisher(2), looping(1), looping(2)],
    bellSlots: 1,
    deaths: 1,
  },
  "a blocked thread and an event loop": {
    roles: [publisher(), blocked(), looping()],
    clocks: 1,
    deaths: 1,
  },
  "two publishers and a blocked thread": {
    roles: [publisher(), publisher(), blocked(2)],
    deaths: 1,
  },
  "two publishers and an event loop": {
    roles: [publisher(), publisher(), looping(2)],
    deaths: 2,
  },
};

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  test(`no order of steps and no death loses a wake-up: ${name}`, () => {
    const { states, ends, saved } = new Search(scenario).found;
    assertGreater(states, 500);
    assertGreater(ends, 50);
    assertGreater(saved, 0);
  });
}

// --- The same steps with one mistake -------------------------------------------------------------

class LooksOnceOnly extends Playback {
  #looks = 0;
  override loadValue(): number {
    return ++this.#looks === 2 ? -1 : super.loadValue();
  }
}

class ReadsArmedBeforePublishing extends Playback {
  #armed = 0;
  override publish(): void {
    this.#armed = super.loadArmed();
    super.publish();
  }
  override loadArmed(): number {
    return this.#armed;
  }
}

class AddsChangeAfterWaking extends Playback {
  override addChange(): void {}
  override wakeSleepers(): void {
    super.wakeSleepers();
    super.addChange();
  }
}

class AddsNoChange extends Playback {
  override addChange(): void {}
}

class DisarmsFirst extends Playback {
  override loadArmed(): number {
    const armed = super.loadArmed();
    if ((armed & WAITING_MASK) !== 0) super.exchangeArmed(armed, armed & ~WAITING_MASK);
    return armed;
  }
  override exchangeArmed(): void {}
}

class DisarmsWhoArmedMeanwhile extends Playback {
  override exchangeArmed(expected: number, replacement: number): void {
    super.clearBits(expected & ~replacement);
  }
}

class ReadsChangesAfterLooking extends Playback {
  override loadChanges(): number {
    return 0;
  }
  override sleep(): SleepEnd {
    return super.sleep(super.loadChanges());
  }
}

class ReadsChangesAfterArming extends Playback {
  #changes = 0;
  override loadChanges(): number {
    return 0;
  }
  override setBits(bits: number): void {
    super.setBits(bits);
    this.#changes = super.loadChanges();
  }
  override sleep(): SleepEnd {
    return super.sleep(this.#changes);
  }
}

class ArmsWithoutCounting extends Playback {
  override countArmed(): void {}
}

class CountsAfterItsBit extends Playback {
  override countArmed(): void {}
  override setBits(bits: number): void {
    super.setBits(bits);
    super.countArmed();
  }
}

class SetsNoBit extends Playback {
  override setBits(): void {}
}

class ArmsOnlyOnce extends Playback {
  #isArmed = false;
  override setBits(bits: number): void {
    if (!this.#isArmed) super.setBits(bits);
    this.#isArmed = true;
  }
}

class FreesSlotBeforeItsBit extends Playback {
  override clearBits(): void {}
  override exchangeBell(slot: number, expected: bigint, replacement: bigint): boolean {
    const done = super.exchangeBell(slot, expected, replacement);
    if (replacement === 0n) super.clearBits(FIRST_BELL_BIT << slot);
    return done;
  }
}

/** An order of draining, arming and looking. */
function answering(...order: ("drain" | keyof Listener)[]): typeof answerBell {
  return (drain, listeners) => {
    for (const listener of listeners) {
      for (const what of order) what === "drain" ? drain() : listener[what]();
    }
  };
}

const MISTAKES: Record<string, Scenario> = {
  "a notifier reads armed before publishing, for a blocked thread": {
    roles: [publisher(1, ReadsArmedBeforePublishing), blocked()],
  },
  "a notifier reads armed before publishing, for an event loop": {
    roles: [publisher(1, ReadsArmedBeforePublishing), looping()],
  },
  "a notifier adds its change after waking": {
    roles: [publisher(1, AddsChangeAfterWaking), blocked()],
  },
  "a notifier adds no change": { roles: [publisher(1, AddsNoChange), blocked()] },
  "a notifier disarms a blocked thread before waking it, and is killed": {
    roles: [publisher(1, DisarmsFirst), publisher(), blocked(2)],
    deaths: 1,
  },
  "a notifier disarms an event loop before ringing, and is killed": {
    roles: [publisher(1, DisarmsFirst), publisher(), looping(2)],
    deaths: 1,
  },
  "a notifier disarms a thread that armed meanwhile": {
    roles: [publisher(2, DisarmsWhoArmedMeanwhile), blocked(2)],
  },
  "a notifier disarms an event loop that armed meanwhile": {
    roles: [publisher(2, DisarmsWhoArmedMeanwhile), looping(2)],
  },
  "a blocked thread does not look again after arming": {
    roles: [publisher(), blocked(1, LooksOnceOnly)],
  },
  "a blocked thread reads changes after looking": {
    roles: [publisher(), blocked(1, ReadsChangesAfterLooking)],
  },
  "a blocked thread reads changes after arming": {
    roles: [publisher(2), blocked(2, ReadsChangesAfterArming)],
  },
  "a blocked thread sets no bit": { roles: [publisher(), blocked(1, SetsNoBit)] },
  "a blocked thread sets its bit only once": { roles: [publisher(2), blocked(2, ArmsOnlyOnce)] },
  "a blocked thread arms without counting": {
    roles: [publisher(2), blocked(2, ArmsWithoutCounting)],
  },
  "a blocked thread counts after setting its bit": {
    roles: [publisher(2), blocked(1), blocked(2, CountsAfterItsBit)],
  },
  "an event loop does not look again after arming": {
    roles: [publisher(), looping(1, LooksOnceOnly)],
  },
  "an event loop sets no bit": { roles: [publisher(), looping(1, SetsNoBit)] },
  "an event loop does not arm again": { roles: [publisher(2), looping(2, ArmsOnlyOnce)] },
  "an event loop arms without counting": {
    roles: [publisher(2), looping(2, ArmsWithoutCounting)],
  },
  "an event loop drains its bell after looking": {
    roles: [publisher(2), looping(2, Playback, answering("rearm", "look", "drain"))],
  },
  "an event loop drains its bell after arming": {
    roles: [publisher(3), looping(3, Playback, answering("rearm", "drain", "look"))],
  },
  "an event loop arms again after looking": {
    roles: [publisher(2), looping(2, Playback, answering("drain", "look", "rearm"))],
  },
  "an event loop frees its slot before clearing the bit": {
    roles: [publisher(2), looping(1, FreesSlotBeforeItsBit), looping(2)],
    bellSlots: 1,
  },
};

for (const [name, scenario] of Object.entries(MISTAKES)) {
  test(`the search finds a lost wake-up when ${name}`, () => {
    assertThrows(() => new Search(scenario), Error, "is not woken");
  });
}
