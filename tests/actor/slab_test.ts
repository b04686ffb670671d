/**
 * The slab of a system in one process: who owns a block when, what may be taken, what is freed after
 * a death. Endpoints are handles of this thread; one that is closed has died, for all that others see.
 *
 * The model test plays endpoints that write, send, take and die at every step, against a list of
 * what is on its way: nothing is given twice, and in the end every block is free.
 */

import "../support/loaded.ts";
import process from "node:process";
import { assert, assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { LayoutError, SharedMemory, uniqueName } from "../../mod.ts";
import { Directory, memoryOf } from "../../src/actor/memory/directory.ts";
import { removeSystem } from "../../src/actor/memory/leftovers.ts";
import { ownerOf, stateIn, wordOf } from "../../src/actor/memory/owner.ts";
import { Slab } from "../../src/actor/memory/slab.ts";
import {
  blockBytesOf,
  blockOffset,
  COUNT_WORD,
  ENTRY_BYTES,
  FREE,
  IN_FLIGHT,
  MAX_PAYLOAD_BYTES,
  maxBlocksOf,
  QUEUED,
  segmentFor,
  SEGMENTS,
  TABLE_OFFSET,
  WRITING,
} from "../../src/actor/memory/slab_layout.ts";
import type { SlabDescriptor } from "../../src/actor/wire/frame.ts";
import { Random } from "../support/random.ts";
import { refusal } from "../support/refusal.ts";

/** An endpoint with its slab. Closing it is its death. */
interface Member extends Disposable {
  readonly id: number;
  readonly incarnation: number;
  readonly directory: Directory;
  readonly slab: Slab;
}

/** A system whose endpoints are in this thread; nothing of it is left at the end of the scope. */
class TestSystem implements Disposable {
  readonly name: string = uniqueName("test").slice(1);
  readonly main: Member;
  readonly #members: Member[] = [];

  constructor() {
    this.main = this.#member(Directory.create(this.name), 0);
  }

  /** Starts an endpoint, or starts one again. */
  start(id: number = this.main.directory.allocate(0)): Member {
    return this.#member(Directory.join(this.name), id);
  }

  #member(directory: Directory, id: number): Member {
    const incarnation = directory.begin(id, process.pid);
    const slab = Slab.open(directory, id, incarnation);
    const member = {
      id,
      incarnation,
      directory,
      slab,
      [Symbol.dispose]() {
        slab.close();
        directory.close();
      },
    };
    this.#members.push(member);
    return member;
  }

  /** The memory of a segment, as anybody of this user can open it. */
  segment(index: number): SharedMemory {
    return SharedMemory.open(`/${this.name}.slab-${index}`);
  }

  /** How many blocks of a segment are not free. */
  used(index = 0): number {
    using memory = this.segment(index);
    const words = new Int32Array(memory.buffer, 0, blockOffset(index, 0) / 4);
    let used = 0;
    for (let block = 0; block < words[COUNT_WORD]!; block++) {
      if (stateIn(words[(TABLE_OFFSET + block * ENTRY_BYTES) / 4]!) !== FREE) used++;
    }
    return used;
  }

  [Symbol.dispose](): void {
    for (const member of this.#members) member[Symbol.dispose]();
    removeSystem(this.name);
  }
}

/** Writes a payload and says that it is on its way. */
function send({ slab }: Member, payload: Uint8Array, mailbox: number | string): SlabDescriptor {
  const descriptor = slab.write(payload);
  slab.queue(descriptor, mailbox);
  return descriptor;
}

/** What ends a turn of the event loop, and with it a hand-over. */
const turn = () => Promise.resolve();

/** Bytes that are like no others. */
const payloadOf = (byteLength: number, first: number) =>
  Uint8Array.from({ length: byteLength }, (_, index) => index * 7 + first);

const EMPTY = () => true;

test("segmentFor() gives the smallest blocks that a payload fits", () => {
  for (let segment = 0; segment < SEGMENTS; segment++) {
    const bytes = blockBytesOf(segment);
    assertEquals([segmentFor(bytes), segmentFor(bytes / 2 + 1)], [segment, segment]);
    assert(maxBlocksOf(segment) >= 4);
  }
  assertEquals([segmentFor(0), segmentFor(1)], [0, 0]);
});

test("Slab hands payloads of every length from one endpoint to another", () => {
  using system = new TestSystem();
  const receiver = system.start();
  for (const byteLength of [0, 1, 4095, 4096, 4097, 65_537, 2 ** 20, 2 ** 20 + 1]) {
    const payload = payloadOf(byteLength, 3);
    const descriptor = send(system.main, payload, receiver.id);
    assertEquals([descriptor.byteLength, descriptor.segment], [byteLength, segmentFor(byteLength)]);
    assertEquals(receiver.slab.take(descriptor), payload);
    assertEquals([receiver.slab.take(descriptor), system.used(descriptor.segment)], [undefined, 0]);
  }
});

test("Slab makes nothing before the first payload, and one block of 1 MiB for the first of 1 MiB", () => {
  using system = new TestSystem();
  const names = () =>
    SharedMemory.list().map(({ name }) => name).filter((name) =>
      name.startsWith(`/${system.name}.s`)
    );
  assertEquals(system.main.slab.reclaim(5, 1), 0);
  assertEquals(names(), []);
  system.main.slab.write(new Uint8Array(2 ** 20));
  assertEquals(names(), [`/${system.name}.slab-8`]);
  using memory = system.segment(8);
  assertEquals(memory.byteLength, blockOffset(8, 1));
});

test("Slab.take() gives a copy", () => {
  using system = new TestSystem();
  const descriptor = send(system.main, payloadOf(100, 1), 0);
  const payload = system.main.slab.take(descriptor)!;
  system.main.slab.write(new Uint8Array(100)); // into the same block
  assertEquals(payload, payloadOf(100, 1));
});

test("Slab.write() throws a RangeError above 64 MiB", () => {
  using system = new TestSystem();
  const large = { byteLength: MAX_PAYLOAD_BYTES + 1 } as Uint8Array;
  assertThrows(() => system.main.slab.write(large), RangeError, "put it into a region or a file");
});

test("Slab.tryWrite() is undefined when all blocks are taken, and write() says what to do", () => {
  using system = new TestSystem();
  const { slab } = system.main, index = segmentFor(2 ** 25), most = maxBlocksOf(index);
  using _full = allTaken(system, index);
  const payload = new Uint8Array(2 ** 24 + 1);
  assertEquals(slab.tryWrite(payload), undefined);
  const error = refusal(() => slab.write(payload));
  assertEquals(error.code, "ENOSPC");
  assert(error.hint!.includes(`${most} payloads of up to ${2 ** 25} bytes`), error.hint);
});

test("Slab.tryWrite() leaves the last block to others where it is told so", () => {
  using system = new TestSystem();
  const { slab } = system.main, most = maxBlocksOf(segmentFor(1)), payload = payloadOf(1, 1);
  let written = 0;
  while (slab.tryWrite(payload, true) !== undefined) written++;
  assertEquals(written, most - 1);
  const last = slab.tryWrite(payload)!;
  assertEquals(slab.tryWrite(payload), undefined);
  slab.free(last);
  assertEquals(slab.tryWrite(payload, true), undefined);
  assert(slab.tryWrite(payload) !== undefined);
});

/** Has all blocks of a segment look taken, without the memory for them. */
function allTaken(system: TestSystem, index: number): Disposable {
  const memory = SharedMemory.create(`/${system.name}.slab-${index}`, {
    byteLength: blockOffset(index, 0),
  });
  system.main.directory.record("memory", memory.name);
  const words = new Int32Array(memory.buffer, 0, memory.byteLength / 4);
  words[COUNT_WORD] = maxBlocksOf(index);
  for (let block = 0; block < maxBlocksOf(index); block++) {
    words[(TABLE_OFFSET + block * ENTRY_BYTES) / 4] = wordOf(WRITING, ownerOf(0, 1)); // it lives
  }
  return memory;
}

test("Slab.free() frees what is written and what was received, once", () => {
  using system = new TestSystem();
  const { main } = system, receiver = system.start();
  const written = main.slab.write(payloadOf(10, 0));
  receiver.slab.free(written); // not its own
  assertEquals(system.used(), 1);
  main.slab.free(written);
  const again = main.slab.write(payloadOf(10, 2)); // the same block, in another generation
  main.slab.free(written);
  assertEquals([again.block, system.used()], [written.block, 1]);
  main.slab.free(again);
  const sent = send(main, payloadOf(10, 1), receiver.id);
  main.slab.free(written);
  assertEquals([sent.block, system.used()], [written.block, 1]);
  assertNotEquals(sent.generation, written.generation);
  receiver.slab.free(sent);
  receiver.slab.free(sent);
  assertEquals([system.used(), receiver.slab.take(sent)], [0, undefined]);
});

test("Slab.unqueue() takes back what was not sent, to be sent again", () => {
  using system = new TestSystem();
  const { slab } = system.main;
  const descriptor = send(system.main, payloadOf(10, 1), 0);
  slab.unqueue(descriptor);
  assertEquals(slab.take(descriptor), undefined); // it is nobody's to take
  slab.queue(descriptor, 0);
  assertEquals(slab.take(descriptor), payloadOf(10, 1));
  assertThrows(() => slab.unqueue(descriptor), TypeError, "Cannot take back");
  assertThrows(() => slab.queue(descriptor, 0), TypeError, "Cannot queue");
  const next = slab.write(payloadOf(10, 2)); // in the same block
  assertThrows(() => slab.queue(descriptor, 0), TypeError, "generation 1");
  assertEquals(next.block, descriptor.block);
});

test("Slab.take() is undefined for descriptors that nobody gave", () => {
  using system = new TestSystem();
  const { main } = system, receiver = system.start();
  const real = send(main, payloadOf(100, 1), receiver.id);
  const wrong: Partial<SlabDescriptor>[] = [
    { segment: 1 },
    { segment: SEGMENTS },
    { segment: 2 ** 32 - 1 },
    { block: real.block + 1 },
    { block: 2 ** 32 - 1 },
    { generation: real.generation + 1 },
    { generation: real.generation + 2 ** 29 },
    { generation: 2 ** 32 - 1 },
  ];
  for (const part of wrong) {
    assertEquals(receiver.slab.take({ ...real, ...part }), undefined, JSON.stringify(part));
    receiver.slab.free({ ...real, ...part });
  }
  assertEquals(receiver.slab.take(real), payloadOf(100, 1));
  for (const part of [{ crc: real.crc ^ 1 }, { byteLength: 99 }, { byteLength: 2 ** 32 - 1 }]) {
    const next = send(main, payloadOf(100, 1), receiver.id);
    assertEquals(receiver.slab.take({ ...next, ...part }), undefined, JSON.stringify(part));
    assertEquals(system.used(), 0); // it was the message's, and there is no other
  }
});

test("Slab.take() is undefined for bytes that were changed on the way", () => {
  using system = new TestSystem();
  const descriptor = send(system.main, payloadOf(100, 1), 0);
  using memory = system.segment(0);
  memory.bytes[blockOffset(0, descriptor.block) + 50]! ^= 1;
  assertEquals([system.main.slab.take(descriptor), system.used()], [undefined, 0]);
});

test("Slab.take() gives nothing of blocks that are counted and not there, and makes none", () => {
  using system = new TestSystem();
  const real = send(system.main, payloadOf(10, 1), 0);
  using memory = system.segment(0);
  const words = new Int32Array(memory.buffer, 0, blockOffset(0, 0) / 4), block = maxBlocksOf(0) - 1;
  words[COUNT_WORD] = block + 1;
  words[(TABLE_OFFSET + block * ENTRY_BYTES) / 4] = wordOf(QUEUED, real.generation);
  assertEquals(system.main.slab.take({ ...real, block }), undefined);
  assertEquals(memory.status().byteLength, memory.byteLength);
});

test("a slab of anything is a LayoutError, or gives nothing, and never more than there is", () => {
  const random = new Random(Date.now() >>> 0);
  for (let round = 0; round < 20; round++) {
    using system = new TestSystem();
    const { main } = system, receiver = system.start();
    const sent = Array.from(
      { length: 5 },
      (_, first) => send(main, payloadOf(50, first), receiver.id),
    );
    using memory = system.segment(0);
    const from = round % 4 === 0 ? 0 : 24; // with the header, or from the count on
    for (let at = from; at < TABLE_OFFSET + 3 * ENTRY_BYTES; at += random.below(12)) {
      memory.bytes[at] = random.below(256);
    }
    const late = system.start();
    for (const { slab } of [receiver, late]) {
      try {
        for (const descriptor of sent) slab.take(descriptor);
        slab.take({ ...sent[0]!, block: 1000 });
        slab.recover(receiver.id, EMPTY);
        slab.reclaim(9, 9);
        for (let write = 0; write < 10; write++) slab.tryWrite(payloadOf(10, write));
      } catch (error) {
        if (!(error instanceof LayoutError)) {
          throw new Error(`seed ${random.seed}, round ${round}: ${error}`, { cause: error });
        }
      }
    }
    assertEquals(memory.status().byteLength <= blockOffset(0, maxBlocksOf(0)), true);
  }
});

test("Slab.reclaim() frees what a dead endpoint was writing or reading, and refuses a living one", () => {
  using system = new TestSystem();
  const { main } = system, child = system.start();
  child.slab.write(payloadOf(10, 1));
  const sent = send(child, payloadOf(10, 2), 0);
  assertThrows(() => main.slab.reclaim(child.id, 1), TypeError, "lives, expected a dead one");
  child[Symbol.dispose]();
  using next = system.start(child.id);
  next.slab.write(payloadOf(10, 3));
  assertEquals([main.slab.reclaim(child.id, 1), main.slab.reclaim(child.id, 1)], [1, 0]);
  assertEquals(main.slab.take(sent), payloadOf(10, 2)); // a sent one outlives its sender
  assertEquals(system.used(), 1); // of its next incarnation
  using memory = system.segment(0);
  const words = new Int32Array(memory.buffer, 0, blockOffset(0, 0) / 4), block = 7;
  words[(TABLE_OFFSET + block * ENTRY_BYTES) / 4] = wordOf(IN_FLIGHT, ownerOf(child.id, 1));
  assertEquals([main.slab.reclaim(child.id, 1), system.used()], [1, 1]);
});

test("Slab.tryWrite() finds the blocks of dead ones by itself before it is full", () => {
  using system = new TestSystem();
  const { main } = system, most = maxBlocksOf(0);
  const child = system.start();
  for (let use = 0; use < 5; use++) main.slab.free(main.slab.write(payloadOf(1, 0)));
  const sent = [1, 2, 3].map((first) => send(child, payloadOf(1, first), 0));
  for (let block = sent.length; block < most; block++) child.slab.write(payloadOf(1, block));
  assertEquals(main.slab.tryWrite(payloadOf(1, 0)), undefined);
  child[Symbol.dispose]();
  assert(main.slab.tryWrite(payloadOf(1, 0)) !== undefined);
  assertEquals(system.used(), sent.length + 1);
  for (const descriptor of sent) assert(main.slab.take(descriptor) !== undefined);
});

test("Slab.recover() frees a block whose message is gone: its sender died before it was sent", async () => {
  using system = new TestSystem();
  const { main } = system, child = system.start();
  send(child, payloadOf(10, 1), 0); // and is killed here, in the same turn
  assertEquals(main.slab.recover(0, EMPTY), 0); // it lives, and may be about to send
  child.directory.close(); // and has no time to say that it is not
  assertEquals([main.slab.recover(0, EMPTY), system.used()], [1, 0]);
  await turn();
});

test("Slab.recover() frees a block whose message was taken by one that died before it took the block", async () => {
  using system = new TestSystem();
  const { main } = system, child = system.start();
  const sent = [1, 2, 3].map((first) => send(main, payloadOf(10, first), child.id));
  await turn();
  child[Symbol.dispose]();
  using next = system.start(child.id);
  // Two messages are still in its inbox.
  assertEquals(next.slab.recover(child.id, () => false), 0);
  assertEquals(next.slab.take(sent[1]!), payloadOf(10, 2));
  assertEquals(next.slab.take(sent[2]!), payloadOf(10, 3));
  assertEquals([next.slab.recover(child.id, EMPTY), system.used()], [1, 0]);
});

test("Slab.recover() leaves what is for others, and what a sender is at", async () => {
  using system = new TestSystem();
  const { main } = system, one = system.start(), two = system.start();
  const other = send(main, payloadOf(10, 1), two.id), named = send(main, payloadOf(10, 2), "box");
  assertEquals(one.slab.recover(one.id, EMPTY), 0);
  await turn();
  const own = send(main, payloadOf(10, 3), one.id);
  assertEquals(one.slab.recover(one.id, EMPTY), 0); // not sent yet, perhaps
  main.slab.unqueue(own);
  await turn();
  assertEquals([one.slab.recover(one.id, EMPTY), one.slab.recover("bix", EMPTY)], [0, 0]);
  assertEquals([two.slab.take(other), one.slab.take(named)], [payloadOf(10, 1), payloadOf(10, 2)]);
});

test("Slab.recover() notices an attempt that begins while it looks", async () => {
  using system = new TestSystem();
  const { main } = system, one = system.start();
  const sent = send(main, payloadOf(10, 1), one.id);
  main.slab.unqueue(sent); // full
  await turn();
  main.slab.queue(sent, one.id);
  main.slab.unqueue(sent);
  await turn();
  send(main, payloadOf(5, 2), one.id); // queued, so that recover() looks closer
  await turn();
  let looked = 0;
  const freed = one.slab.recover(one.id, () => {
    // In the middle of its steps: the sender is at its next attempt, with another block.
    if (looked++ === 0) main.slab.queue(sent, one.id);
    return true;
  });
  assertEquals([freed, looked], [0, 1]);
  await turn();
  assertEquals(one.slab.take(sent), payloadOf(10, 1));
});

test("Slab.recover() of a shared mailbox waits for those who are taking from it", async () => {
  using system = new TestSystem();
  const { main } = system, one = system.start(), two = system.start();
  const sent = send(main, payloadOf(10, 1), "pool");
  await turn();
  two.slab.taking(); // and takes the message
  assertEquals(one.slab.recover("pool", EMPTY), 0);
  assertEquals(two.slab.take(sent), payloadOf(10, 1));
  await turn();

  const lost = send(main, payloadOf(10, 2), "pool");
  await turn();
  two.slab.taking();
  assertEquals(one.slab.recover("pool", EMPTY), 0);
  two[Symbol.dispose](); // with the message in hand
  assertEquals([one.slab.recover("pool", EMPTY), one.slab.take(lost)], [1, undefined]);
});

test("Slab.close() closes its memory, and what it had sent can be taken", async () => {
  using system = new TestSystem();
  const child = system.start();
  const sent = send(child, payloadOf(10, 1), 0);
  child.slab.close();
  child.slab.close();
  assertEquals([child.slab.closed, system.main.slab.take(sent)], [true, payloadOf(10, 1)]);
  assertThrows(() => child.slab.tryWrite(payloadOf(1, 1)), Error, "is closed");
  await turn();
});

test("Slab of another run is a LayoutError", () => {
  using system = new TestSystem();
  system.main.slab.write(payloadOf(1, 1));
  memoryOf(system.main.directory).run ^= 2n;
  using late = system.start();
  assertThrows(() => late.slab.write(payloadOf(1, 1)), LayoutError, "of this run");
});

test("no block is lost and none is given twice, whoever dies at which step", async () => {
  const seed = Date.now() >>> 0, random = new Random(seed);
  using system = new TestSystem();
  const { main } = system;
  /** The endpoints that live, by number, and what is in each inbox. */
  const members = new Map<number, Member>();
  const inboxes = new Map<number, { descriptor: SlabDescriptor; first: number }[]>();
  const ids = [1, 2, 3].map(() => main.directory.allocate(0));
  for (const id of ids) {
    members.set(id, system.start(id));
    inboxes.set(id, []);
  }
  const dies = () => random.oneIn(25);
  const restart = (id: number) => {
    const { incarnation } = members.get(id)!;
    members.get(id)![Symbol.dispose]();
    members.set(id, system.start(id));
    if (random.oneIn(2)) main.slab.reclaim(id, incarnation);
  };
  const sendOne = (id: number) => {
    const { slab } = members.get(id)!, to = random.pick(ids), first = random.below(256);
    const descriptor = slab.write(payloadOf(8, first));
    if (dies()) return restart(id);
    for (;;) {
      slab.queue(descriptor, to);
      if (dies()) return restart(id);
      if (inboxes.get(to)!.length < 10) break;
      slab.unqueue(descriptor);
      if (dies()) return restart(id);
      inboxes.get(to)!.shift(); // as a foreign reader of the queue: the message is gone
    }
    inboxes.get(to)!.push({ descriptor, first });
    if (dies()) restart(id);
  };
  const takeOne = (id: number) => {
    const message = inboxes.get(id)!.shift();
    if (message === undefined) {
      members.get(id)!.slab.recover(id, () => inboxes.get(id)!.length === 0);
      return;
    }
    if (dies()) return restart(id);
    const payload = members.get(id)!.slab.take(message.descriptor);
    assertEquals(payload, payloadOf(8, message.first), `seed ${seed}`);
  };
  for (let step = 0; step < 3000; step++) {
    const id = random.pick(ids);
    if (random.oneIn(2)) sendOne(id);
    else takeOne(id);
    if (random.oneIn(3)) await turn();
  }
  await turn();
  for (const id of ids) while (inboxes.get(id)!.length > 0) takeOne(id);
  for (const id of ids) members.get(id)![Symbol.dispose]();
  for (const { id, incarnation } of main.directory.endpoints()) {
    if (id === 0) continue;
    for (let dead = 1; dead <= incarnation; dead++) main.slab.reclaim(id, dead);
    main.slab.recover(id, EMPTY);
  }
  assertEquals(system.used(), 0, `seed ${seed}`);
});
