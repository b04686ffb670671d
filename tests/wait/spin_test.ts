/** Spinner: how often it tries, and when it does not. The clock is the test's, so load is not felt. */

import "../support/loaded.ts";
import { assertEquals, assertLess } from "../assert.ts";
import { test } from "../harness.ts";
import { Spinner } from "../../src/wait/spin.ts";

const MAX_TRIES = 100, PROBE_EVERY = 32, TIMED_EVERY = 16, LOOK_EVERY = 16, MAX_PAUSE = 1024;

/** A spinner whose tries take as long as they are told to, and find something or not. */
class Rig {
  #nowMs = 0;
  readonly #spinner = new Spinner(() => this.#nowMs);

  /** One spin: how many tries it took, and what it gave. */
  spin({ tryMs = 0.0005, hitAt = Infinity } = {}): { tries: number; result: string | undefined } {
    let tries = 0;
    const result = this.#spinner.spin(() => {
      this.#nowMs += tryMs;
      return ++tries === hitAt ? "hit" : undefined;
    });
    return { tries, result };
  }

  /** One wait: whether it looked before it spun, and where it found something. */
  wait(hitAt: "look" | number): { looked: boolean; result: string | undefined } {
    let looked = false;
    const found = this.#spinner.look(() => {
      looked = true;
      return hitAt === "look" ? "hit" : undefined;
    });
    const result = found ?? this.spin({ hitAt: hitAt === "look" ? 1 : hitAt }).result;
    return { looked, result };
  }

  /** Waits that park at once before the next spin, all of whose tries take a time slice. */
  pause(): number {
    for (let waits = 0;; waits++) {
      if (this.spin({ tryMs: 3 }).tries > 0) return waits;
    }
  }
}

test("Spinner.spin() gives what a try gave and tries no more", () => {
  assertEquals(new Rig().spin({ hitAt: 3 }), { tries: 3, result: "hit" });
});

test("Spinner.spin() tries half as often after each miss, and at last only now and then", () => {
  const rig = new Rig();
  const misses = Array.from({ length: 7 }, () => rig.spin());
  assertEquals(misses.map(({ tries }) => tries), [100, 50, 25, 12, 6, 3, 1]);
  assertEquals(misses.every(({ result }) => result === undefined), true);
  for (let round = 0; round < 3; round++) {
    for (let wait = 0; wait < PROBE_EVERY; wait++) assertEquals(rig.spin().tries, 0);
    assertEquals(rig.spin().tries, MAX_TRIES, "a probe");
  }
});

test("Spinner.spin() tries as often as it can after a hit", () => {
  const rig = new Rig();
  for (let miss = 0; miss < 4; miss++) rig.spin();
  assertEquals(rig.spin({ hitAt: 1 }), { tries: 1, result: "hit" });
  assertEquals(rig.spin({ hitAt: 15 }), { tries: 15, result: "hit" });
});

test("Spinner.spin() stops when its time is over, and that is a miss and no more", () => {
  const rig = new Rig();
  assertEquals(rig.spin({ tryMs: 0.03 }), { tries: 5, result: undefined });
  assertEquals(rig.spin({ hitAt: 50 }), { tries: 50, result: "hit" });
});

test("Spinner.spin() stops when a try takes a time slice, and parks the next waits", () => {
  const rig = new Rig();
  // The first miss is what starts the clock.
  assertEquals(rig.spin({ tryMs: 3 }), { tries: 2, result: undefined });
  assertEquals(rig.spin().tries, 0, "the next parks");
  assertEquals(rig.spin().tries, MAX_TRIES);
});

test("Spinner.spin() gives what a try gave when that took a time slice", () => {
  const rig = new Rig();
  for (let spin = 0; spin < TIMED_EVERY; spin++) {
    assertEquals(rig.spin({ tryMs: 3, hitAt: 1 }), { tries: 1, result: "hit" });
  }
  assertEquals(rig.spin().tries, 0, "and has noticed");
});

test("Spinner.spin() parks twice as many waits each time, up to a bound", () => {
  const rig = new Rig();
  rig.pause();
  const pauses = Array.from({ length: 12 }, () => rig.pause());
  assertEquals(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, MAX_PAUSE, MAX_PAUSE]);
});

test("Spinner.spin() comes back when spins are short again", () => {
  const rig = new Rig();
  for (let pause = 0; pause < 12; pause++) rig.pause();
  // Half as many each time: 1024 + 512 + … + 1 waits and a spin after each.
  for (let wait = 0; wait < 2 * MAX_PAUSE + 11; wait++) rig.spin({ hitAt: 1 });
  for (let wait = 0; wait < 100; wait++) {
    assertEquals(rig.spin({ hitAt: 1 }), { tries: 1, result: "hit" });
  }
});

/** How many of the next waits do not look before they spin. */
function waitsInStep(rig: Rig, count: number): number {
  let inStep = 0;
  for (let wait = 0; wait < count; wait++) if (!rig.wait(1).looked) inStep++;
  return inStep;
}

test("Spinner.look() gives what is there, and nothing in vain while a peer is in step", () => {
  const rig = new Rig();
  assertEquals(rig.wait("look"), { looked: true, result: "hit" });
  for (let first = 0; first < 2; first++) assertEquals(rig.wait(1).looked, true);
  assertEquals(rig.wait(1), { looked: false, result: "hit" });
  assertEquals(waitsInStep(rig, 10 * LOOK_EVERY), 10 * (LOOK_EVERY - 1));
});

test("Spinner.look() looks again when the peer is ahead, late, or gone, or a spin is long", () => {
  const ways: Record<string, (rig: Rig) => unknown> = {
    late: (rig) => rig.wait(2),
    gone: (rig) => rig.wait(Infinity),
    long: (rig) => {
      for (let spin = 0; spin < TIMED_EVERY; spin++) rig.spin({ tryMs: 3, hitAt: 1 });
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    const rig = new Rig();
    assertEquals(waitsInStep(rig, 4), 2, name);
    way(rig);
    assertEquals(rig.wait("look").looked, true, name);
  }
  const ahead = new Rig();
  assertEquals(waitsInStep(ahead, 4), 2);
  let waits = 0;
  while (!ahead.wait("look").looked) waits++;
  assertLess(waits, LOOK_EVERY);
  assertEquals(ahead.wait("look").looked, true);
});
