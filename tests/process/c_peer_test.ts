/**
 * Queues and memory shared with C programs that call mq_*, shm_open and mmap themselves.
 *
 * Rule: each side is in turn the one that creates, that waits, and that unlinks.
 */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, PosixError, SharedMemory } from "../../mod.ts";
import "../support/loaded.ts";
import { memoryName, queueName } from "../support/names.ts";
import { fromHex, hex, Peer } from "../support/peer.ts";
import { Child, compileC } from "../support/process.ts";
import { addTogether, untilBlocked } from "../support/until.ts";

const queuePeer = new URL("./queue_peer.c", import.meta.url);
const memoryPeer = new URL("./memory_peer.c", import.meta.url);

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);

/** As long as the queues of these tests allow. */
const LONGEST = 300;
const longest = Uint8Array.from({ length: LONGEST }, (_, at) => at * 7);

const priorities = [0, 9, 3, 32767, 9];
/** By priority, and of equals the oldest first: the second `9` after the first. */
const delivered = [[32767, 3], [9, 1], [9, 4], [3, 2], [0, 0]] as const;

const utf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function assertNoQueue(name: string) {
  assertEquals(assertThrows(() => MessageQueue.open(name), PosixError).code, "ENOENT");
}

function assertNoMemory(name: string) {
  assertEquals(assertThrows(() => SharedMemory.open(name), PosixError).code, "ENOENT");
}

test("MessageQueue delivers to C by priority, with C as the one that unlinks", async () => {
  using object = queueName();
  using program = await compileC(queuePeer);
  await using peer = new Peer(program.path, [object.name]);
  using queue = MessageQueue.create(object.name, { maxMessages: 5, maxMessageBytes: 64 });
  assertEquals(await peer.ask("open"), "ok");
  assertEquals(await peer.ask("attributes"), "5 64 0");

  priorities.forEach((priority, at) => assert(queue.trySend(`message ${at}`, { priority })));
  assertEquals(await peer.ask("attributes"), "5 64 5");
  for (const [priority, at] of delivered) {
    assertEquals(await peer.ask("receive"), `${priority} ${hex(`message ${at}`)}`);
  }
  assertEquals(queue.length, 0);
  assertEquals(await peer.ask("unlink"), "ok");
  assertNoQueue(object.name);
});

test("MessageQueue receives from C by priority, in C's queue, which we unlink", async () => {
  using object = queueName();
  using program = await compileC(queuePeer);
  await using peer = new Peer(program.path, [object.name]);
  assertEquals(await peer.ask("create 5 64"), "ok");
  using queue = MessageQueue.open(object.name);
  assertEquals([queue.maxMessages, queue.maxMessageBytes], [5, 64]);

  for (const [at, priority] of priorities.entries()) {
    assertEquals(await peer.ask(`send ${priority} ${hex(`message ${at}`)}`), "ok");
  }
  assertEquals([queue.length, queue.status().queuedBytes], [5, 5 * "message n".length]);
  for (const [priority, at] of delivered) {
    const message = queue.tryReceive();
    assertEquals([message?.priority, message?.text()], [priority, `message ${at}`]);
  }
  assertEquals(queue.tryReceive(), undefined);
  MessageQueue.unlink(object.name);
  assertEquals(await peer.ask("close"), "ok");
  assertEquals(await peer.ask("open"), "ENOENT");
});

test("MessageQueue and C pass every byte, no byte and the most bytes both ways", async () => {
  using object = queueName();
  using program = await compileC(queuePeer);
  await using peer = new Peer(program.path, [object.name]);
  using queue = MessageQueue.create(object.name, { maxMessages: 1, maxMessageBytes: LONGEST });
  assertEquals(await peer.ask("open"), "ok");

  for (const data of [everyByte, new Uint8Array(0), longest]) {
    assert(queue.trySend(data, { priority: 1 }));
    assertEquals(await peer.ask("receive"), `1 ${hex(data)}`);

    assertEquals(await peer.ask(`send 2 ${hex(data)}`), "ok");
    const message = queue.receiveSync({ timeoutMs: 0 });
    assertEquals([message?.priority, message?.data], [2, data]);
  }

  const tooLong = new Uint8Array(LONGEST + 1);
  assertEquals(await peer.ask(`send 0 ${hex(tooLong)}`), "EMSGSIZE");
  assertEquals(assertThrows(() => queue.trySend(tooLong), PosixError).code, "EMSGSIZE");
});

test("MessageQueue.trySend() wakes a C program that is blocked in mq_receive", async () => {
  using object = queueName();
  using program = await compileC(queuePeer);
  await using peer = new Peer(program.path, [object.name]);
  using queue = MessageQueue.create(object.name, { maxMessages: 1, maxMessageBytes: 64 });
  assertEquals(await peer.ask("open"), "ok");

  await peer.tell("receive");
  await untilBlocked(peer.pid, "mq_timedreceive");
  assert(queue.trySend("at last", { priority: 4 }));
  assertEquals(await peer.line(), `4 ${hex("at last")}`);
});

test("MessageQueue.tryReceive() wakes a C program that is blocked in mq_send", async () => {
  using object = queueName();
  using program = await compileC(queuePeer);
  await using peer = new Peer(program.path, [object.name]);
  using queue = MessageQueue.create(object.name, { maxMessages: 1, maxMessageBytes: 64 });
  assertEquals(await peer.ask("open"), "ok");
  assert(queue.trySend("in the way"));

  await peer.tell(`send 1 ${hex("waited")}`);
  await untilBlocked(peer.pid, "mq_timedsend");
  assertEquals(queue.tryReceive()?.text(), "in the way");
  assertEquals(await peer.line(), "ok");
  assertEquals(queue.tryReceive()?.text(), "waited");
});

/** A program that is about to block, for nothing else can act while this one does. */
const blocking = (call: string) => `
  import process from "node:process";
  import { MessageQueue } from "@postbox/postbox";
  using queue = MessageQueue.open(process.argv[2]);
  console.log("ready");
  console.log(${call});
`;

test("MessageQueue.receiveSync() gets what C sends later", async () => {
  using object = queueName();
  using program = await compileC(queuePeer);
  await using peer = new Peer(program.path, [object.name]);
  assertEquals(await peer.ask("create 1 64"), "ok");

  await using child = Child.program(blocking("queue.receiveSync().text()"), object.name);
  assertEquals(await child.line(), "ready");
  await untilBlocked(child.pid, "poll");
  assertEquals(await peer.ask(`send 7 ${hex("from C")}`), "ok");
  assertEquals(await child.line(), "from C");
  assertEquals((await child.finished()).code, 0);
});

test("MessageQueue.sendSync() gets in when C makes room", async () => {
  using object = queueName();
  using program = await compileC(queuePeer);
  await using peer = new Peer(program.path, [object.name]);
  assertEquals(await peer.ask("create 1 64"), "ok");
  assertEquals(await peer.ask(`send 0 ${hex("in the way")}`), "ok");

  await using child = Child.program(
    blocking('queue.sendSync("waited", { priority: 5 })'),
    object.name,
  );
  assertEquals(await child.line(), "ready");
  await untilBlocked(child.pid, "poll");
  assertEquals(await peer.ask("receive"), `0 ${hex("in the way")}`);
  assertEquals(await child.line(), "true");
  assertEquals(await peer.ask("receive"), `5 ${hex("waited")}`);
  assertEquals((await child.finished()).code, 0);
});

test("SharedMemory.create() makes what C reads, writes and unlinks", async () => {
  using object = memoryName();
  using program = await compileC(memoryPeer);
  await using peer = new Peer(program.path, [object.name]);
  using memory = SharedMemory.create(object.name, { byteLength: 5000 });
  assertEquals(await peer.ask("open"), "5000");

  memory.bytes.set(everyByte, 100); // through the mapping
  memory.write(everyByte, { offset: 4000 }); // through the kernel
  assertEquals(fromHex(await peer.ask("read 100 256")), everyByte);
  assertEquals(fromHex(await peer.ask("read 4000 256")), everyByte);

  assertEquals(await peer.ask(`write 4990 ${hex("from C")}`), "ok");
  assertEquals(utf8(memory.bytes.slice(4990, 4996)), "from C");
  assertEquals(utf8(memory.read({ offset: 4990, byteLength: 6 })), "from C");

  assertEquals(await peer.ask("unlink"), "ok");
  assertEquals(memory.status().linked, false);
  assertNoMemory(object.name);
});

test("SharedMemory.open() shows what C made, and unlink() takes C's name away", async () => {
  using object = memoryName();
  using program = await compileC(memoryPeer);
  await using peer = new Peer(program.path, [object.name]);
  assertEquals(await peer.ask("create 8192"), "ok");
  assertEquals(await peer.ask(`write 0 ${hex(everyByte)}`), "ok");

  using memory = SharedMemory.open(object.name);
  assertEquals(memory.byteLength, 8192);
  assertEquals(memory.bytes.slice(0, 256), everyByte);
  assertEquals(memory.read({ byteLength: 256 }), everyByte);
  memory.bytes.set(everyByte.toReversed(), 7000);
  assertEquals(fromHex(await peer.ask("read 7000 256")), everyByte.toReversed());

  SharedMemory.unlink(object.name);
  assertEquals(await peer.ask("unlink"), "ENOENT");
});

test("SharedMemory.open() with access r follows what C writes and cannot change it", async () => {
  using object = memoryName();
  using program = await compileC(memoryPeer);
  await using peer = new Peer(program.path, [object.name]);
  assertEquals(await peer.ask("create 8192"), "ok");

  using memory = SharedMemory.open(object.name, { access: "r" });
  assertEquals(await peer.ask("write 0 0102"), "ok");
  assertEquals(memory.bytes.slice(0, 2), new Uint8Array([1, 2]));
  memory.bytes[5000] = 99;
  assertEquals(await peer.ask("read 5000 1"), "00");
});

test("SharedMemory.open() with allocate gives pages to what C only truncated", async () => {
  using object = memoryName();
  using program = await compileC(memoryPeer);
  await using peer = new Peer(program.path, [object.name]);
  assertEquals(await peer.ask("create 40960"), "ok");

  using sparse = SharedMemory.open(object.name);
  assertEquals(sparse.status().allocatedBytes, 0);
  using memory = SharedMemory.open(object.name, { allocate: true });
  assertEquals([memory.byteLength, memory.status().allocatedBytes], [40960, 40960]);
});

test("SharedMemory.grow() is seen by C, and what C added by grow()", async () => {
  using object = memoryName();
  using program = await compileC(memoryPeer);
  await using peer = new Peer(program.path, [object.name]);
  using memory = SharedMemory.create(object.name, { byteLength: 100, maxByteLength: 100_000 });
  memory.bytes.fill(1);

  memory.grow(10_000);
  memory.bytes.fill(2, 100);
  assertEquals(await peer.ask("open"), "10000");
  assertEquals(await peer.ask("read 99 2"), "0102");
  assertEquals(await peer.ask("read 9999 1"), "02");

  assertEquals(await peer.ask("grow 50000"), "ok");
  assertEquals(await peer.ask("write 49999 03"), "ok");
  assertEquals(await peer.ask("write 10001 04"), "ok"); // in the page that is mapped already
  assertEquals([memory.status().byteLength, memory.byteLength], [50_000, 10_000]);
  memory.grow(50_000);
  assertEquals(memory.byteLength, 50_000);
  const seen = [99, 100, 9999, 10_000, 10_001, 49_999].map((at) => memory.bytes[at]);
  assertEquals(seen, [1, 2, 2, 0, 4, 3]);
  assertEquals(await peer.ask("read 10001 1"), "04");
});

// Tens of milliseconds: more than one turn of the scheduler, should both share a processor.
const ADDS = 10_000_000;

test("SharedMemory.buffer counts exactly when Atomics and C11 add at once, 32 bits", async () => {
  using object = memoryName();
  using program = await compileC(memoryPeer);
  await using peer = new Peer(program.path, [object.name]);
  using memory = SharedMemory.create(object.name, { byteLength: 128 });
  assertEquals(await peer.ask("open"), "128");
  const word = new Uint32Array(memory.buffer, 64, 1);
  const start = 2 ** 32 - ADDS; // so that the sum wraps around
  Atomics.store(word, 0, start);

  await peer.tell(`add32 64 ${ADDS}`);
  const ours = await addTogether(
    new Uint32Array(memory.buffer, 0, 2),
    () => Atomics.add(word, 0, 1),
  );
  assertEquals(await peer.line(), "ok");
  assertEquals(Atomics.load(word, 0), (start + ADDS + ours) % 2 ** 32);
});

test("SharedMemory.buffer counts exactly when Atomics and C11 add at once, 64 bits", async () => {
  using object = memoryName();
  using program = await compileC(memoryPeer);
  await using peer = new Peer(program.path, [object.name]);
  assertEquals(await peer.ask("create 128"), "ok");
  using memory = SharedMemory.open(object.name, { allocate: true });
  const word = new BigUint64Array(memory.buffer, 64, 1);
  const start = 2n ** 32n - BigInt(ADDS); // so that the sum carries into the upper half
  Atomics.store(word, 0, start);

  await peer.tell(`add64 64 ${ADDS}`);
  const ours = await addTogether(
    new Uint32Array(memory.buffer, 0, 2),
    () => Atomics.add(word, 0, 1n),
  );
  assertEquals(await peer.line(), "ok");
  assertEquals(Atomics.load(word, 0), start + BigInt(ADDS + ours));
});
