/**
 * The directory of a system in one process: who has a number, who is alive, what is recorded, what
 * a dead one leaves to the next.
 *
 * A handle that is closed leaves what a killed process leaves: the kernel has its locks back, and
 * nothing else has changed. Killed processes themselves are in tests/process/actor_leftovers_test.ts.
 */

import "../support/loaded.ts";
import process from "node:process";
import { assert, assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  ClosedError,
  LayoutError,
  MessageQueue,
  PosixError,
  SharedMemory,
  uniqueName,
} from "../../mod.ts";
import { Directory, memoryOf } from "../../src/actor/memory/directory.ts";
import { endDeadSystem } from "../../src/actor/memory/dead_system.ts";
import {
  CHANGING,
  CLAIM_WORD,
  CLAIMED,
  DIRECTORY_BYTES,
  JOURNAL_OFFSET,
  MAX_ENDPOINTS,
  MAX_NAMES,
  NAME_BYTES,
} from "../../src/actor/memory/directory_layout.ts";
import { DirectoryMemory } from "../../src/actor/memory/directory_memory.ts";
import { EndpointTable } from "../../src/actor/memory/endpoint_table.ts";
import { Journal, type SystemObject } from "../../src/actor/memory/journal.ts";
import { listSystems, removeSystem, systemStatus } from "../../src/actor/memory/leftovers.ts";
import { checkMailboxName, checkSystemName } from "../../src/actor/memory/names.ts";
import { endpointIn, ownerOf, stateIn, wordOf } from "../../src/actor/memory/owner.ts";
import { refusal } from "../support/refusal.ts";
import { Random } from "../support/random.ts";

const { pid } = process;

/** A name for a system; what is left of it is taken away at the end of the scope. */
function systemName(): Disposable & { system: string; directoryName: string } {
  const system = uniqueName("test").slice(1), directoryName = `/${system}.directory`;
  return {
    system,
    directoryName,
    [Symbol.dispose]() {
      const names = SharedMemory.list().map(({ name }) => name);
      if (!names.includes(directoryName)) return;
      try {
        removeSystem(system);
      } catch (error) {
        if (!(error instanceof LayoutError)) throw error;
        SharedMemory.unlink(directoryName);
      }
    },
  };
}

/** A system whose main endpoint has begun. */
function newSystem(system: string): Directory {
  const directory = Directory.create(system);
  directory.begin(0, pid);
  return directory;
}

/** Another endpoint of it, which has begun. */
function join(main: Directory, parent = 0): { directory: Directory; id: number } {
  const id = main.allocate(parent);
  const directory = Directory.join(main.system, main.run);
  directory.begin(id, pid);
  return { directory, id };
}

const namesLike = (system: string) =>
  [
    ...MessageQueue.list().queues.map(({ name }) => name),
    ...SharedMemory.list().map(({ name }) => name),
  ].filter((name) => name.startsWith(`/${system}.`));

test("checkSystemName() takes 1 to 64 letters, digits, _ and -", () => {
  for (const name of ["a", "shop", "0", "Shop_2-x", "x".repeat(64)]) checkSystemName(name);
  for (const name of ["", "x".repeat(65), "a.b", "a/b", "/a", "a b", "ä", "a\0", "a\n"]) {
    assertThrows(() => checkSystemName(name), RangeError, "expected 1 to 64 characters");
    assertThrows(() => Directory.create(name), RangeError);
    assertThrows(() => Directory.join(name), RangeError);
  }
  assertThrows(() => checkSystemName(5), TypeError, "expected a string");
});

test("checkMailboxName() refuses what the system itself has objects of", () => {
  for (const name of ["counter", "slab", "ring-x", "1a", "directory2"]) checkMailboxName(name);
  for (const name of ["0", "17", "directory", "slab-3", "ring-0"]) {
    assertThrows(() => checkMailboxName(name), RangeError, "system itself");
  }
});

test("an owner and a state fit one word, and come out of it", () => {
  for (const [endpoint, incarnation] of [[0, 0], [127, 2 ** 22 - 1], [5, 1]] as const) {
    const owner = ownerOf(endpoint, incarnation), word = wordOf(7, owner);
    assertEquals([stateIn(word), endpointIn(owner)], [7, endpoint]);
    assertEquals(ownerOf(endpoint, incarnation + 2 ** 22), owner);
  }
});

test("Directory.create() throws EEXIST while the system lives, and says in which process", () => {
  using name = systemName();
  using _directory = newSystem(name.system);
  const error = refusal(() => Directory.create(name.system));
  assertEquals([error.code, error.target], ["EEXIST", name.system]);
  assert(error.hint!.includes("this process has it"), error.hint);
});

test("Directory.create() cleans up what a dead one left, and goes on with the same object", () => {
  using name = systemName();
  const { system } = name;
  const dead = newSystem(system), { run } = dead;
  const { directory: child } = join(dead);
  dead.record("queue", `/${system}.0`);
  MessageQueue.create(`/${system}.0`, { maxMessages: 1, maxMessageBytes: 8 }).close();
  child.record("memory", `/${system}.ring-1`);
  SharedMemory.create(`/${system}.ring-1`, { byteLength: 8 }).close();
  dead.record("queue", `/${system}.never-made`);
  child.close();
  dead.close();
  assertEquals(namesLike(system).length, 3);

  using next = Directory.create(system);
  assertEquals(namesLike(system), [name.directoryName]);
  assertNotEquals(next.run, run);
  assertEquals(next.endpoints().map(({ id, alive }) => [id, alive]), [[0, false]]);
  // Counted on, so that nothing of the dead one is taken for this one's.
  assertEquals(next.begin(0, pid), 2);
});

test("Directory.create() does not end its own process, and says what lives on", () => {
  using name = systemName();
  const dead = newSystem(name.system);
  const { directory: worker } = join(dead);
  dead.close();
  const error = refusal(() => Directory.create(name.system));
  assertEquals(error.code, "EBUSY");
  assert(error.hint!.includes("endpoint 1 (this process) lives on"), error.hint);
  worker.close();
  Directory.create(name.system).remove();
});

test("Directory.create() takes no object that is not a directory, and leaves it as it is", () => {
  for (const bytes of [[1], Array.from({ length: DIRECTORY_BYTES }, (_, i) => i & 0xff)]) {
    using name = systemName();
    using memory = SharedMemory.create(name.directoryName, { byteLength: bytes.length });
    memory.write(Uint8Array.from(bytes));
    assertThrows(() => Directory.create(name.system), LayoutError, "expected a directory");
    assertThrows(() => Directory.join(name.system), LayoutError);
    assertEquals([...memory.read()], bytes);
    const status = systemStatus(name.system);
    assertEquals([status.state, status.objects], ["broken", []]);
    assertThrows(() => removeSystem(name.system), LayoutError);
  }
});

test("Directory.create() makes one of what a killed maker left", () => {
  for (const byteLength of [0, DIRECTORY_BYTES]) {
    using name = systemName();
    SharedMemory.create(name.directoryName, { byteLength }).close();
    assertEquals(systemStatus(name.system).state, "dead");
    newSystem(name.system).remove();
  }
});

test("Directory.create() waits a moment for who cleans up, and then says so", () => {
  using name = systemName();
  const dead = newSystem(name.system);
  memoryOf(dead).phase = CHANGING; // as somebody has it who is at it, and holds the lock
  const error = refusal(() => Directory.create(name.system));
  assertEquals(error.code, "EEXIST");
  assert(error.hint!.includes("cleaning it up"), error.hint);
  dead.close();
});

test("Directory.join() throws ENOENT where no system lives", () => {
  using name = systemName();
  assertEquals(refusal(() => Directory.join(name.system)).code, "ENOENT");
  const dead = newSystem(name.system), { run } = dead;
  Directory.join(name.system, run).close();
  dead.close();
  assertEquals(refusal(() => Directory.join(name.system)).hint, "it has ended");
  using _next = newSystem(name.system);
  assert(refusal(() => Directory.join(name.system, run)).hint!.includes("a later one"));
});

test("Directory.begin() counts the starts of an endpoint, and holds its lock", () => {
  using name = systemName();
  using main = newSystem(name.system);
  const id = main.allocate(0);
  assertEquals([id, main.incarnationOf(id), main.isAlive(id)], [1, 0, false]);
  for (const incarnation of [1, 2, 3]) {
    using directory = Directory.join(name.system);
    assertEquals(directory.begin(id, pid), incarnation);
    assertEquals([main.isAlive(id), directory.isAlive(id)], [true, true]);
    using second = Directory.join(name.system);
    assertEquals(refusal(() => second.begin(id, pid)).code, "EBUSY");
    assertEquals(refusal(() => main.free(id)).code, "EBUSY");
  }
  assertEquals([main.isAlive(id), main.incarnationOf(id)], [false, 3]);
  assertEquals(main.endpoints(), [
    { id: 0, incarnation: 1, parent: 0, pid, alive: true },
    { id: 1, incarnation: 3, parent: 0, pid, alive: false },
  ]);
});

test("Directory.begin() refuses who has no number, a second time, and a process that is none", () => {
  using name = systemName();
  using main = newSystem(name.system);
  assertThrows(() => main.begin(1, pid), TypeError, "this handle is endpoint 0's");
  using other = Directory.join(name.system);
  assertEquals(refusal(() => other.begin(7, pid)).hint, "it has no endpoint 7");
  assertEquals(refusal(() => other.begin(main.allocate(0), 2 ** 30)).code, "ESRCH");
  for (const id of [-1, 128, 0.5, NaN]) assertThrows(() => other.begin(id, pid), RangeError);
  assertEquals(main.isAlive(7), false);
});

test("Directory.begin() throws ENOENT when the system ended, or another run began, meanwhile", () => {
  using name = systemName();
  const main = newSystem(name.system), id = main.allocate(0);
  const late = Directory.join(name.system), later = Directory.join(name.system);
  main.close();
  assertEquals(refusal(() => late.begin(id, pid)).code, "ENOENT");
  using next = newSystem(name.system);
  assertEquals(next.allocate(0), id);
  assertEquals(refusal(() => later.begin(id, pid)).code, "ENOENT");
  assertEquals(next.isAlive(id), false);
  late.close();
  later.close();
});

test("Directory.begin() is refused while somebody cleans up after the system", () => {
  using name = systemName();
  const main = newSystem(name.system), id = main.allocate(0);
  using late = Directory.join(name.system);
  main.close();
  const cleaner = DirectoryMemory.open(name.system)!;
  assert(cleaner.tryLock());
  // It begins at the last moment: right before it is looked for.
  const codes: string[] = [];
  const { isAlive } = cleaner;
  cleaner.isAlive = (other) => {
    if (codes.length === 0) codes.push(refusal(() => late.begin(id, pid)).code);
    return isAlive.call(cleaner, other);
  };
  endDeadSystem(cleaner);
  cleaner.close();
  assertEquals(codes, ["ENOENT"]);
});

test("who cleans up waits until the locks of all who were there are gone", () => {
  using name = systemName();
  newSystem(name.system).close();
  const cleaner = DirectoryMemory.open(name.system)!;
  assert(cleaner.tryLock());
  let looks = 0;
  cleaner.isAlive = (id) => id === 9 && ++looks < 4; // it says no process yet
  assertEquals(endDeadSystem(cleaner), { objects: [], pids: [] });
  cleaner.close();
  assertEquals(looks, 4);
});

test("Directory.allocate() gives 127 numbers, and those of who cannot be started any more", () => {
  using name = systemName();
  using main = newSystem(name.system);
  const { directory: worker, id } = join(main);
  const taken = Array.from({ length: 126 }, () => worker.allocate(id));
  assertEquals(taken, Array.from({ length: 126 }, (_, index) => index + 2));
  const error = refusal(() => main.allocate(0));
  assertEquals(error.code, "ENOSPC");
  assert(error.hint!.includes("at most 127"), error.hint);
  main.free(40);
  assertEquals(main.allocate(0), 40);
  using kept = Directory.join(name.system);
  kept.begin(2, pid); // lives on when its parent has died
  worker.close();
  assertEquals(main.allocate(0), 3);
});

test("EndpointTable.allocate() gives each number once, at random, however often they come back", () => {
  const random = new Random(Date.now() >>> 0);
  const table = new EndpointTable(new SharedArrayBuffer(DIRECTORY_BYTES));
  const mine = new Set<number>();
  const owner = ownerOf(0, 1);
  for (let step = 0; step < 5000; step++) {
    if (random.below(100) < 45 && mine.size > 0) {
      const id = random.pick([...mine]);
      table.free(id);
      mine.delete(id);
    } else {
      const id = table.allocate(owner, () => false, () => true);
      assertEquals(id === undefined, mine.size === MAX_ENDPOINTS - 1, `seed ${random.seed}`);
      if (id === undefined) continue;
      assert(!mine.has(id), `seed ${random.seed}: ${id} twice`);
      mine.add(id);
    }
  }
});

test("Journal has what was recorded and not forgotten, at random", () => {
  const random = new Random(Date.now() >>> 0);
  const journal = new Journal(new SharedArrayBuffer(DIRECTORY_BYTES));
  const model = new Map<string, "queue" | "memory">();
  const owner = ownerOf(3, 1);
  const names = Array.from(
    { length: MAX_NAMES + 20 },
    (_, index) => `/s.${"é".repeat(index % 80)}${index}`,
  );
  for (let step = 0; step < 4000; step++) {
    const name = random.pick(names);
    if (random.oneIn(4)) {
      journal.forget(name);
      model.delete(name);
    } else {
      const kind = model.get(name) ?? random.pick(["queue", "memory"] as const);
      const hasRoom = model.has(name) || model.size < MAX_NAMES;
      assertEquals(
        journal.record({ kind, name }, owner, () => true),
        hasRoom,
        `seed ${random.seed}`,
      );
      if (hasRoom) model.set(name, kind);
    }
  }
  const found = journal.names("/s.").map(({ kind, name }) => [name, kind] as const);
  assertEquals(new Map(found), model);
  assertEquals(found.length, model.size);
  assertEquals(journal.names("/other."), []);
});

test("Journal.record() takes over the places of dead ones that had no name yet, and no others", () => {
  const buffer = new SharedArrayBuffer(DIRECTORY_BYTES), journal = new Journal(buffer);
  const words = new Int32Array(buffer, JOURNAL_OFFSET);
  const dead = ownerOf(1, 1), living = ownerOf(2, 1);
  for (let place = 0; place < MAX_NAMES; place++) {
    words[place * NAME_BYTES / 4 + CLAIM_WORD] = wordOf(CLAIMED, place === 100 ? dead : living);
  }
  const isRunning = (owner: number) => owner === living;
  assertEquals(journal.record({ kind: "queue", name: "/s.a" }, living, isRunning), true);
  assertEquals(journal.record({ kind: "queue", name: "/s.b" }, living, isRunning), false);
  assertEquals(journal.names("/s."), [{ kind: "queue", name: "/s.a" }]);
});

test("Journal keeps the names that dead ones recorded", () => {
  const journal = new Journal(new SharedArrayBuffer(DIRECTORY_BYTES));
  const record = (name: string) =>
    journal.record({ kind: "memory", name }, ownerOf(1, 1), () => false);
  const names = Array.from({ length: MAX_NAMES }, (_, index) => `/s.${index}`);
  assertEquals([names.every(record), record("/s.more")], [true, false]);
  assertEquals(journal.names("/s.").map(({ name }) => name), names);
});

test("Journal.forget() takes out a name that two have recorded at once", () => {
  const buffer = new SharedArrayBuffer(DIRECTORY_BYTES), journal = new Journal(buffer);
  journal.record({ kind: "queue", name: "/s.a" }, ownerOf(1, 1), () => true);
  const places = new Uint8Array(buffer, JOURNAL_OFFSET);
  places.copyWithin(7 * NAME_BYTES, 0, NAME_BYTES);
  assertEquals(journal.names("/s.").length, 2);
  journal.forget("/s.a");
  assertEquals(journal.names("/s."), []);
});

test("Journal.names() of any bytes are names of that kind, or none", () => {
  const random = new Random(Date.now() >>> 0);
  for (let round = 0; round < 20; round++) {
    const buffer = new SharedArrayBuffer(DIRECTORY_BYTES);
    const bytes = new Uint8Array(buffer, JOURNAL_OFFSET);
    for (let place = 0; place < MAX_NAMES; place++) {
      // Small words, so that some of it looks right.
      bytes.set([random.below(2), 0, 0, random.below(256)], place * NAME_BYTES);
      bytes.set([random.below(256), random.below(3), random.below(4)], place * NAME_BYTES + 4);
      bytes.set(new TextEncoder().encode("/s."), place * NAME_BYTES + 8);
      bytes.set(random.bytes(8), place * NAME_BYTES + 11 + random.below(200));
    }
    for (const { kind, name } of new Journal(buffer).names("/s.")) {
      assert(["queue", "memory"].includes(kind) && name.startsWith("/s."), `seed ${random.seed}`);
      assert(name.length <= 256 && !name.includes("\0"), `seed ${random.seed}`);
    }
  }
});

test("Directory.record() says whether a name is new to it", () => {
  using system = systemName();
  using main = newSystem(system.system);
  const name = `/${system.system}.box`;
  assertEquals(main.record("queue", name), true);
  assertEquals(main.record("queue", name), false);
  main.forget(name);
  assertEquals(main.record("queue", name), true);
});

test("Directory.record() takes names of its own system alone, once it has begun", () => {
  using name = systemName();
  using main = newSystem(name.system);
  assertThrows(
    () => main.record("queue", "/other.1"),
    RangeError,
    "expected a name that begins with",
  );
  assertThrows(() => main.record("queue", `/${name.system}`), RangeError);
  const long = `/${name.system}.${"x".repeat(255)}`;
  assertThrows(() => main.record("queue", long), RangeError, "expected at most 256");
  using idle = Directory.join(name.system);
  assertThrows(() => idle.record("queue", `/${name.system}.1`), TypeError, "expected begin()");
  for (let index = 0; index < MAX_NAMES; index++) main.record("queue", `/${name.system}.${index}`);
  main.record("queue", `/${name.system}.0`); // it is there
  const error = refusal(() => main.record("queue", `/${name.system}.more`));
  assertEquals([error.code, error.hint!.includes("at most 512")], ["ENOSPC", true]);
  main.forget(`/${name.system}.7`);
  main.record("memory", `/${name.system}.more`);
});

test("Directory.remove() takes everything away, for who created it alone", () => {
  using name = systemName();
  const main = newSystem(name.system);
  const { directory: child } = join(main);
  assertThrows(() => child.remove(), TypeError, "expected the handle that created it");
  child.close();
  main.record("memory", `/${name.system}.slab-0`);
  SharedMemory.create(`/${name.system}.slab-0`, { byteLength: 1 }).close();
  main.remove();
  assertEquals([namesLike(name.system), main.closed], [[], true]);
  main.close();
  for (const use of [() => main.endpoints(), () => main.remove(), () => main.allocate(0)]) {
    assertThrows(use, ClosedError);
  }
});

test("what is written into a directory by anybody does no harm", () => {
  const random = new Random(Date.now() >>> 0);
  using name = systemName();
  for (let round = 0; round < 10; round++) {
    const main = newSystem(name.system);
    using memory = SharedMemory.open(name.directoryName);
    // Behind magic and version; the run and the phase too.
    for (let at = 12; at < memory.byteLength; at += random.below(64)) {
      memory.bytes[at] = random.below(256);
    }
    const tolerate = (use: () => unknown) => {
      try {
        use();
      } catch (error) {
        const known = error instanceof PosixError || error instanceof LayoutError;
        if (!known) throw new Error(`seed ${random.seed}: ${error}`, { cause: error });
      }
    };
    tolerate(() => main.endpoints());
    tolerate(() => main.allocate(0));
    tolerate(() => main.record("queue", `/${name.system}.x`));
    tolerate(() => main.forget(`/${name.system}.x`));
    tolerate(() => Directory.join(name.system));
    tolerate(() => systemStatus(name.system));
    main.close();
    memory.bytes[12] = 2; // as of a run, or there would be nothing to clean up
    memory.bytes.fill(0, 13, 16);
    Directory.create(name.system).close();
  }
});

test("listSystems() tells the living from the dead, and what they have", () => {
  using live = systemName();
  using dead = systemName();
  using _main = newSystem(live.system);
  const gone = newSystem(dead.system);
  gone.record("queue", `/${dead.system}.box`);
  gone.record("queue", `/${dead.system}.not-there`);
  MessageQueue.create(`/${dead.system}.box`, { maxMessages: 1, maxMessageBytes: 8 }).close();
  gone.close();
  const found = listSystems().filter(({ system }) => [live.system, dead.system].includes(system));
  const objects: SystemObject[] = [
    { kind: "queue", name: `/${dead.system}.box` },
    { kind: "memory", name: dead.directoryName },
  ];
  const one = found.find(({ system }) => system === live.system);
  const two = found.find(({ system }) => system === dead.system);
  assertEquals([one?.state, one?.process, one?.pids], ["live", "this process", [pid]]);
  assertEquals([two?.state, two?.objects, two?.pids], ["dead", objects, []]);
  assertEquals(refusal(() => removeSystem(live.system)).code, "EBUSY");
  assertEquals(removeSystem(dead.system), { objects, pids: [] });
  assertEquals(refusal(() => removeSystem(dead.system)).code, "ENOENT");
});
