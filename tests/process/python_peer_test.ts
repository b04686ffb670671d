/**
 * Memory shared with Python's multiprocessing.shared_memory.
 *
 * Rule: each side is in turn the one that creates and the one that unlinks, and the other's end
 * takes nothing away.
 */

import { fileURLToPath } from "node:url";
import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { PosixError, SharedMemory } from "../../mod.ts";
import "../support/loaded.ts";
import { memoryName } from "../support/names.ts";
import { fromHex, hex, Peer } from "../support/peer.ts";

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);

/** Python adds the slash itself. */
function python(name: string): Peer {
  const program = fileURLToPath(new URL("./memory_peer.py", import.meta.url));
  return new Peer("python3", [program, name.slice(1)]);
}

/** Lets a peer come to its own end, with all that Python does then. */
async function endOf(peer: Peer) {
  await peer.tell("end");
  const { code, stdout, stderr } = await peer.finished();
  assertEquals([code, stdout, stderr], [0, "", ""]);
}

test("SharedMemory.create() makes what Python reads, writes and leaves alone", async () => {
  using object = memoryName();
  using memory = SharedMemory.create(object.name, { byteLength: 5000 });
  memory.bytes.set(everyByte, 100);
  await using peer = python(object.name);
  assertEquals(await peer.ask("open"), "5000");
  assertEquals(fromHex(await peer.ask("read 100 256")), everyByte);
  assertEquals(await peer.ask(`write 4744 ${hex(everyByte)}`), "ok");
  assertEquals(memory.bytes.slice(4744), everyByte);
  assertEquals(memory.read({ offset: 4744 }), everyByte);

  await endOf(peer);
  assertEquals(memory.status().linked, true);
  SharedMemory.unlink(object.name);
});

test("SharedMemory.create() makes what Python unlinks", async () => {
  using object = memoryName();
  using memory = SharedMemory.create(object.name, { byteLength: 64 });
  await using peer = python(object.name);
  assertEquals(await peer.ask("open"), "64");
  assertEquals(await peer.ask("unlink"), "ok");
  assertEquals(memory.status().linked, false);
  assertEquals(assertThrows(() => SharedMemory.open(object.name), PosixError).code, "ENOENT");

  assertEquals(await peer.ask("write 0 2a"), "ok"); // the memory outlives its name, for both
  assertEquals(memory.bytes[0], 42);
  await endOf(peer);
});

test("SharedMemory.open() shows what Python made and unlinks", async () => {
  using object = memoryName();
  await using peer = python(object.name);
  assertEquals(await peer.ask("create 4096"), "4096");
  assertEquals(await peer.ask(`write 10 ${hex(everyByte)}`), "ok");
  using memory = SharedMemory.open(object.name, { allocate: true });
  assertEquals(memory.byteLength, 4096);
  assertEquals(memory.bytes.slice(10, 266), everyByte);
  memory.bytes.set(everyByte.toReversed(), 3000);
  assertEquals(fromHex(await peer.ask("read 3000 256")), everyByte.toReversed());

  assertEquals(await peer.ask("unlink"), "ok");
  await endOf(peer);
  assertEquals(memory.bytes.slice(10, 266), everyByte);
  assertEquals(assertThrows(() => SharedMemory.open(object.name), PosixError).code, "ENOENT");
});

test("SharedMemory.unlink() takes away the name of what Python made", async () => {
  using object = memoryName();
  await using peer = python(object.name);
  assertEquals(await peer.ask("create 4096"), "4096");
  SharedMemory.unlink(object.name);
  assertEquals(await peer.ask("open"), "FileNotFoundError");
  await endOf(peer);
});

test("SharedMemory.create() refuses with EEXIST what Python made, and Python what we made", async () => {
  using object = memoryName();
  await using peer = python(object.name);
  assertEquals(await peer.ask("create 64"), "64");
  const error = assertThrows(
    () => SharedMemory.create(object.name, { byteLength: 64 }),
    PosixError,
  );
  assertEquals(error.code, "EEXIST");

  SharedMemory.unlink(object.name);
  using memory = SharedMemory.create(object.name, { byteLength: 64 });
  assertEquals(await peer.ask("create 64"), "FileExistsError");
  await endOf(peer);
  assertEquals(memory.status().linked, true);
});
