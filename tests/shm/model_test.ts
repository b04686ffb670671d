/**
 * SharedMemory against a model: 100 000 random operations on several names, handles and views.
 *
 * Goal: every handle sees what POSIX says it sees, and no view, however stale, crashes or shows
 * another object. Method: the model keeps plain arrays: the bytes of each object, the private
 * pages of each read-only handle, the zero pages that a closed handle leaves behind.
 */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory, uniqueName } from "../../mod.ts";
import { pageBytes } from "../../src/sys/process.ts";
import { type Random, withSeed } from "../support/random.ts";
import { outcome } from "../support/refusal.ts";

const MAX_BYTES = 5 * pageBytes();

/** An object: as long as it is, and zeros as far as it may grow. */
interface ModelObject {
  bytes: Uint8Array;
  byteLength: number;
}

class Handle {
  /** Pages that a read-only handle wrote to, and that follow nobody from then on. */
  readonly privatePages = new Map<number, Uint8Array>();
  /** What stale views see: zeros, and what was written into them since. */
  readonly afterlife = new Uint8Array(MAX_BYTES);
  readonly views: Uint8Array[] = [];
  byteLength: number;

  constructor(readonly real: SharedMemory, readonly object: ModelObject) {
    this.byteLength = real.byteLength;
    this.views.push(real.bytes);
  }

  byteAt(index: number): number {
    if (this.real.closed) return this.afterlife[index]!;
    const page = this.privatePages.get(Math.floor(index / pageBytes()));
    return page?.[index % pageBytes()] ?? this.object.bytes[index]!;
  }

  setByte(index: number, value: number): void {
    if (this.real.closed) {
      this.afterlife[index] = value;
      return;
    }
    if (this.real.access === "rw") {
      this.object.bytes[index] = value;
      return;
    }
    const number = Math.floor(index / pageBytes());
    const start = number * pageBytes();
    const page = this.privatePages.get(number) ??
      this.object.bytes.slice(start, start + pageBytes());
    page[index % pageBytes()] = value;
    this.privatePages.set(number, page);
  }
}

class World {
  readonly names = Array.from({ length: 3 }, () => uniqueName("model"));
  readonly linked = new Map<string, ModelObject>();
  readonly handles: Handle[] = [];
  readonly counts: Record<string, number> = {};

  [Symbol.dispose](): void {
    for (const { real } of this.handles) real.close();
    for (const name of this.linked.keys()) SharedMemory.unlink(name);
  }

  step(random: Random): void {
    const operation = random.pick(OPERATIONS);
    this.counts[operation.name] = (this.counts[operation.name] ?? 0) + 1;
    operation(this, random);
  }

  add(handle: Handle): void {
    assertEquals(handle.real.bytes.byteLength, handle.byteLength);
    this.handles.push(handle);
    if (this.handles.length > 6) this.handles.shift()!.real.close();
  }
}

function newObject(byteLength: number): ModelObject {
  return { bytes: new Uint8Array(MAX_BYTES), byteLength };
}

/** Lengths around the page boundaries are where mistakes are. */
function someLength(random: Random): number {
  const page = random.below(5) * pageBytes();
  return random.oneIn(2)
    ? Math.min(MAX_BYTES, Math.max(0, page + random.below(3) - 1))
    : random.below(MAX_BYTES + 1);
}

function create(world: World, random: Random): void {
  const byteLength = someLength(random);
  if (random.oneIn(4)) {
    const real = SharedMemory.anonymous({ byteLength, maxByteLength: MAX_BYTES });
    return world.add(new Handle(real, newObject(byteLength)));
  }
  const name = random.pick(world.names);
  const real = outcome(() => SharedMemory.create(name, { byteLength, maxByteLength: MAX_BYTES }));
  if (world.linked.has(name)) return assertEquals(real, "EEXIST");
  assert(typeof real !== "string", String(real));
  world.linked.set(name, newObject(byteLength));
  world.add(new Handle(real, world.linked.get(name)!));
}

function open(world: World, random: Random): void {
  const name = random.pick(world.names), access = random.pick(["r", "rw"] as const);
  const real = outcome(() => SharedMemory.open(name, { access, maxByteLength: MAX_BYTES }));
  const object = world.linked.get(name);
  if (object === undefined) return assertEquals(real, "ENOENT");
  assert(typeof real !== "string", String(real));
  assertEquals(real.byteLength, object.byteLength);
  world.add(new Handle(real, object));
}

function openOrCreate(world: World, random: Random): void {
  const name = random.pick(world.names), byteLength = someLength(random);
  const real = SharedMemory.openOrCreate(name, { byteLength, maxByteLength: MAX_BYTES });
  const object = world.linked.get(name) ?? newObject(byteLength);
  world.linked.set(name, object);
  object.byteLength = Math.max(object.byteLength, byteLength);
  assertEquals(real.byteLength, object.byteLength);
  world.add(new Handle(real, object));
}

function unlink(world: World, random: Random): void {
  const name = random.pick(world.names);
  const real = outcome(() => SharedMemory.unlink(name));
  assertEquals(real, world.linked.delete(name) ? undefined : "ENOENT");
}

function grow(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const handle = random.pick(world.handles);
  const byteLength = random.oneIn(20) ? MAX_BYTES + 1 : someLength(random);
  const result = outcome(() => handle.real.grow(byteLength));
  if (handle.real.closed) return assertEquals(result, "closed");
  if (byteLength > MAX_BYTES) return assertEquals(result, "range");
  const { object } = handle;
  const tooShort = byteLength > handle.byteLength && byteLength > object.byteLength;
  if (tooShort && handle.real.access === "r") return assertEquals(result, "EBADF");
  assertEquals(result, undefined);
  handle.byteLength = Math.max(handle.byteLength, byteLength);
  object.byteLength = Math.max(object.byteLength, byteLength);
  assertEquals(handle.real.byteLength, handle.byteLength);
}

function keepView(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const handle = random.pick(world.handles);
  const view = outcome(() => handle.real.bytes);
  if (handle.real.closed) return assertEquals(view, "closed");
  assertEquals((view as Uint8Array).byteLength, handle.byteLength);
  if (handle.views.push(view as Uint8Array) > 4) handle.views.shift();
}

/** Through any view of any handle, stale ones and those of closed handles included. */
function touch(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const handle = random.pick(world.handles), view = random.pick(handle.views);
  if (view.byteLength === 0) return;
  for (let count = 0; count < 8; count++) {
    const index = random.below(view.byteLength);
    if (random.oneIn(2)) {
      const value = random.below(256);
      view[index] = value;
      handle.setByte(index, value);
    }
    assertEquals(Atomics.load(view, index), handle.byteAt(index), `byte ${index}`);
  }
}

function write(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const handle = random.pick(world.handles), { object } = handle;
  const offset = someLength(random), data = random.bytes(random.below(20));
  const result = outcome(() => handle.real.write(data, { offset }));
  if (handle.real.closed) return assertEquals(result, "closed");
  if (handle.real.access === "r") return assertEquals(result, "EBADF");
  if (data.byteLength === 0) return assertEquals(result, undefined);
  const end = offset + data.byteLength;
  if (end > MAX_BYTES) return assertEquals(result, "range");
  assertEquals(result, undefined);
  handle.byteLength = Math.max(handle.byteLength, end);
  object.byteLength = Math.max(object.byteLength, end);
  object.bytes.set(data, offset);
}

function read(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const handle = random.pick(world.handles), { object } = handle;
  const offset = someLength(random), byteLength = random.below(40);
  const result = outcome(() => handle.real.read({ offset, byteLength }));
  if (handle.real.closed) return assertEquals(result, "closed");
  const end = Math.max(offset, Math.min(offset + byteLength, object.byteLength));
  assertEquals(result, object.bytes.slice(offset, end) as Uint8Array<ArrayBuffer>);
}

function close(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  random.pick(world.handles).real.close(); // stays among the handles, with its views
}

/** Everything that a handle sees, byte by byte. */
function compareAll(world: World, random: Random): void {
  if (world.handles.length === 0 || !random.oneIn(50)) return;
  const handle = random.pick(world.handles), view = random.pick(handle.views);
  for (let index = 0; index < view.byteLength; index++) {
    if (view[index] !== handle.byteAt(index)) assertEquals(view[index], handle.byteAt(index));
  }
}

const OPERATIONS = [
  ...[create, open, openOrCreate, unlink, close, grow, grow, keepView, compareAll],
  ...Array.from({ length: 4 }, () => [touch, write, read]).flat(),
];

test("SharedMemory does what the model does in 100 000 random operations", () => {
  using world = new World();
  withSeed(Date.now() >>> 0, 100_000, (random) => world.step(random));
  for (const operation of OPERATIONS) assert((world.counts[operation.name] ?? 0) > 1000);
});
