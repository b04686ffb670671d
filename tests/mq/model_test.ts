/**
 * MessageQueue against a model: 100 000 random operations on several names and handles.
 *
 * Goal: no call ever differs from what POSIX says, whatever came before. Method: the model is an
 * array per queue, kept sorted, and a table of names; every call is made on both and compared.
 */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, type QueueAccess, uniqueName } from "../../mod.ts";
import { type Random, withSeed } from "../support/random.ts";
import { outcome } from "../support/refusal.ts";

interface ModelMessage {
  data: Uint8Array;
  priority: number;
}

class ModelQueue {
  readonly messages: ModelMessage[] = [];
  constructor(readonly maxMessages: number, readonly maxMessageBytes: number) {}

  send(message: ModelMessage): boolean | string {
    if (message.priority > 32767) return "EINVAL";
    if (message.data.byteLength > this.maxMessageBytes) return "EMSGSIZE";
    if (this.messages.length === this.maxMessages) return false;
    const later = this.messages.findIndex(({ priority }) => priority < message.priority);
    this.messages.splice(later === -1 ? this.messages.length : later, 0, message);
    return true;
  }
}

interface Handle {
  real: MessageQueue;
  model: ModelQueue;
  access: QueueAccess;
}

class World {
  readonly names = Array.from({ length: 3 }, () => uniqueName("model"));
  readonly linked = new Map<string, ModelQueue>();
  handles: Handle[] = [];
  readonly counts: Record<string, number> = {};

  [Symbol.dispose](): void {
    for (const { real } of this.handles) real.close();
    for (const name of this.linked.keys()) MessageQueue.unlink(name);
  }

  step(random: Random): void {
    const operation = random.pick(OPERATIONS);
    this.counts[operation.name] = (this.counts[operation.name] ?? 0) + 1;
    operation(this, random);
  }
}

function add(world: World, name: string, real: MessageQueue | string, fresh: ModelQueue) {
  if (typeof real === "string") return;
  const model = world.linked.get(name) ?? fresh;
  world.linked.set(name, model);
  assertEquals(
    [real.maxMessages, real.maxMessageBytes, real.length],
    [model.maxMessages, model.maxMessageBytes, model.messages.length],
  );
  world.handles.push({ real, model, access: real.access });
  if (world.handles.length > 8) world.handles.shift()!.real.close();
}

function create(world: World, random: Random): void {
  const name = random.pick(world.names);
  const sizes = { maxMessages: random.below(4), maxMessageBytes: 1 + random.below(12) };
  const access = random.pick(["r", "w", "rw"] as const);
  const real = outcome(() => MessageQueue.create(name, { ...sizes, access }));
  // A depth of 0 is refused before the kernel looks whether the name is taken.
  const expected = world.linked.has(name) ? ["EEXIST", "EINVAL"] : ["EINVAL"];
  if (typeof real === "string") assert(expected.includes(real), real);
  else assertEquals([world.linked.has(name), sizes.maxMessages > 0], [false, true]);
  add(world, name, real, new ModelQueue(sizes.maxMessages, sizes.maxMessageBytes));
}

function open(world: World, random: Random): void {
  const name = random.pick(world.names);
  const access = random.pick(["r", "w", "rw"] as const);
  const real = outcome(() => MessageQueue.open(name, { access }));
  if (!world.linked.has(name)) return assertEquals(real, "ENOENT");
  add(world, name, real, world.linked.get(name)!);
}

function openOrCreate(world: World, random: Random): void {
  const name = random.pick(world.names);
  const sizes = { maxMessages: 1 + random.below(3), maxMessageBytes: 1 + random.below(12) };
  const real = outcome(() => MessageQueue.openOrCreate(name, sizes));
  assert(typeof real !== "string", String(real));
  add(world, name, real, new ModelQueue(sizes.maxMessages, sizes.maxMessageBytes));
}

function unlink(world: World, random: Random): void {
  const name = random.pick(world.names);
  const real = outcome(() => MessageQueue.unlink(name));
  assertEquals(real, world.linked.delete(name) ? undefined : "ENOENT");
}

function send(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const { real, model, access } = random.pick(world.handles);
  const message = {
    data: random.bytes(random.below(real.maxMessageBytes + 2)),
    priority: random.oneIn(30) ? 32768 : random.pick([0, 1, 2, 32767]),
  };
  const result = random.oneIn(2)
    ? outcome(() => real.trySend(message.data, message))
    : outcome(() => real.sendSync(message.data, { ...message, timeoutMs: 0 }));
  if (real.closed) return assertEquals(result, "closed");
  if (access !== "r") return assertEquals(result, model.send(message));
  // The kernel looks at the priority before it looks at the descriptor.
  assertEquals(result, message.priority > 32767 ? "EINVAL" : "EBADF");
}

function receive(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const { real, model, access } = random.pick(world.handles);
  const result = random.oneIn(2)
    ? outcome(() => real.tryReceive())
    : outcome(() => real.receiveSync({ timeoutMs: 0 }));
  if (real.closed) return assertEquals(result, "closed");
  if (access === "w") return assertEquals(result, "EBADF");
  const expected = model.messages.shift();
  if (typeof result === "string" || result === undefined) {
    return assertEquals<unknown>(result, expected);
  }
  assertEquals([result.priority, result.data], [expected?.priority, expected?.data]);
}

function receiveInto(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const { real, model, access } = random.pick(world.handles);
  const buffer = new Uint8Array(model.maxMessageBytes - 1 + random.below(3)).fill(170);
  const result = outcome(() => real.tryReceiveInto(buffer));
  if (real.closed) return assertEquals(result, "closed");
  if (access === "w") return assertEquals(result, "EBADF");
  if (buffer.byteLength < model.maxMessageBytes) return assertEquals(result, "EMSGSIZE");
  const expected = model.messages.shift();
  if (expected === undefined) return assertEquals(result, undefined);
  const { data, priority } = expected;
  assertEquals(result, { byteLength: data.byteLength, priority });
  assertEquals(buffer.subarray(0, data.byteLength), data);
  assert(buffer.subarray(data.byteLength).every((byte) => byte === 170));
}

function look(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  const { real, model } = random.pick(world.handles);
  const length = outcome(() => real.length), status = outcome(() => real.status());
  if (real.closed || typeof status === "string") {
    return assertEquals([length, status], ["closed", "closed"]);
  }
  assertEquals(length, model.messages.length);
  const queuedBytes = model.messages.reduce((sum, { data }) => sum + data.byteLength, 0);
  assertEquals([status.queuedBytes, status.notifyPid], [queuedBytes, 0]);
}

function close(world: World, random: Random): void {
  if (world.handles.length === 0) return;
  random.pick(world.handles).real.close(); // stays among the handles, to be used once more
}

const OPERATIONS = [
  ...[create, open, openOrCreate, unlink, close, look],
  ...Array.from({ length: 4 }, () => [send, send, receive, receiveInto]).flat(),
];

test("MessageQueue does what the model does in 100 000 random operations", () => {
  using world = new World();
  withSeed(Date.now() >>> 0, 100_000, (random) => world.step(random));
  // Each operation really took place, many times.
  for (const operation of OPERATIONS) assert((world.counts[operation.name] ?? 0) > 1000);
});
