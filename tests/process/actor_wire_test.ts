/**
 * Frames between JavaScript, C and Python: golden ones, and real ones through kernel queues.
 *
 * Rule: the golden frames are made by a program that shares nothing with src/; JavaScript and C each
 * read and write all of them.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { test } from "../harness.ts";
import { f64, i64, MessageQueue, struct, u32 } from "../../mod.ts";
import {
  type Crossing,
  decodePayload,
  encodePayload,
  loadCodecs,
} from "../../src/actor/wire/codec.ts";
import { decodeError } from "../../src/actor/wire/error_codec.ts";
import { CODEC, FLAG, KIND } from "../../src/actor/wire/frame_layout.ts";
import {
  blankHeader,
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameHeader,
} from "../../src/actor/wire/frame.ts";
import { REPLY_PRIORITY } from "../../src/actor/wire/priorities.ts";
import { tagOf } from "../../src/actor/protocol/names.ts";
import type { CodecName } from "../../src/actor/protocol/codec_choice.ts";
import "../support/loaded.ts";
import { namedQueue, queueName } from "../support/names.ts";
import { fromHex, hex } from "../support/peer.ts";
import { Child, compileC, run } from "../support/process.ts";
import { execPath, fileArgs, siblingUrl } from "../support/runtime.ts";

/** A golden frame, as tests/vectors/frames.py describes it. */
interface Golden extends Omit<Frame, "payload" | "replyName" | "block"> {
  name: string;
  hex: string;
  payload: string;
  replyName: string | null;
  block: Frame["block"] | null;
  value?: unknown;
}

const vectors = new URL("../vectors/", import.meta.url);
const golden: Golden[] = JSON.parse(readFileSync(new URL("frames.json", vectors), "utf8"));
const peer = new URL("../../examples/peer.c", import.meta.url);

/** Nothing that these tests send is a ref or a region. */
const crossing: Crossing = {
  encodeRef: () => undefined,
  decodeRef: () => undefined,
  encodeRegion: () => undefined,
  openRegion: () => undefined,
};

await loadCodecs();

/** The fields of a golden frame as decodeFrame() gives them. */
function fieldsOf({ name: _, hex: __, value: ___, ...fields }: Golden): Record<string, unknown> {
  const { payload, replyName, block } = fields;
  return {
    ...fields,
    payload: fromHex(payload || "-"),
    replyName: replyName ?? undefined,
    block: block ?? undefined,
  };
}

test("the golden frames are those that the program beside them makes", async () => {
  const program = fileURLToPath(new URL("frames.py", vectors));
  const { code, stderr } = await run("python3", { args: [program, "check"] });
  assertEquals([code, stderr], [0, ""]);
});

test("decodeFrame() reads the golden frames, and encodeFrame() writes them", () => {
  const kinds = new Set(golden.map(({ kind }) => kind));
  const codecs = new Set(golden.map(({ codec }) => codec));
  assertEquals([kinds.size, codecs.size], [11, 6]);
  for (const frame of golden) {
    const bytes = fromHex(frame.hex), fields = fieldsOf(frame);
    assertEquals({ ...decodeFrame(bytes, bytes.byteLength) }, fields, frame.name);

    const into = new Uint8Array(2048);
    const implied = FLAG.BY_REFERENCE | FLAG.REPLY_NAME;
    const { payload, block, ...header } = fields as unknown as Frame;
    const own = { ...header, flags: header.flags & ~implied };
    const byteLength = encodeFrame(into, own, block ?? payload);
    assertEquals(hex(into.subarray(0, byteLength)), frame.hex, frame.name);
  }
});

/** Those whose golden payloads have a value. */
const CODECS: Partial<Record<number, CodecName>> = { 1: "messagepack", 2: "json", 3: "clone" };

test("the payloads of the golden frames are what they say", {
  not: { bun: "its engine has a structured clone of its own" },
}, () => {
  let count = 0;
  for (const { codec, payload, value, name } of golden) {
    if (value === undefined) continue;
    const choice = CODECS[codec]!;
    const bytes = fromHex(payload);
    assertEquals(decodePayload(codec, choice, bytes, crossing), value, name);
    // Engines of several ages write several versions of the structured clone.
    if (choice !== "clone") assertEquals(encodePayload(choice, value, crossing), bytes, name);
    count++;
  }
  assert(count >= 6);
});

test("C reads the golden frames, writes them, and refuses what JavaScript refuses", async () => {
  using program = await compileC(new URL("./wire_vectors.c", import.meta.url));
  const damaged = golden.flatMap((frame) => damages(frame.hex));
  const lines = [...golden.map((frame) => frame.hex), ...damaged];
  const { code, stdout } = await run(program.path, { stdin: `${lines.join("\n")}\n` });
  assertEquals(code, 0);
  const told = stdout.trimEnd().split("\n");

  for (const [index, frame] of golden.entries()) {
    const { kind, codec, flags, tag, to, toIncarnation, from, fromActor, epoch, sequence } = frame;
    const { expires, attempt, argument, replyName } = frame;
    const numbers = [kind, codec, flags, tag, to, toIncarnation, from, fromActor, epoch, sequence];
    const name = hex(replyName ?? new Uint8Array(0));
    const payload = frame.hex.slice(2 * 64 + (name === "-" ? 0 : name.length)) || "-";
    const expected = [...numbers, expires, attempt, argument, name, payload, "same"];
    assertEquals(told[index], expected.join(" "), frame.name);
  }
  for (const [index, bytes] of damaged.entries()) {
    const result = decodeFrame(fromHex(bytes), bytes.length / 2);
    assertEquals(told[golden.length + index], "problem" in result ? result.problem : "a frame");
  }
});

/** A frame with other magic, version, length, and one bit of every fourth byte. */
function damages(frame: string): string[] {
  const flipped: string[] = [];
  for (let at = 0; at < frame.length / 2; at += 4) {
    const bytes = fromHex(frame);
    bytes[at]! ^= 1 << (at / 4 % 8);
    flipped.push(hex(bytes));
  }
  return [frame.slice(0, 2 * 63), `${frame}00`, frame.slice(0, -2), ...flipped];
}

const Reading = struct("reading", { at: i64, celsius: f64 });
const Unit = struct("unit", { unit: u32 });
const Offset = struct("offset", { celsius: f64 });

/** Speaks to the sensor of examples/peer.c in frames, as an endpoint does. */
class Asker {
  readonly #replies: MessageQueue;
  readonly #sensor: MessageQueue;
  readonly #frame = new Uint8Array(1024);
  #sequence = 0;

  constructor(replies: MessageQueue, sensor: MessageQueue) {
    this.#replies = replies;
    this.#sensor = sensor;
  }

  async tell(kind: string, payload: Uint8Array, changes: Partial<FrameHeader> = {}) {
    const codec = payload.byteLength === 0 ? CODEC.NONE : CODEC.STRUCT;
    const header: FrameHeader = {
      ...blankHeader(KIND.TELL),
      codec,
      tag: tagOf("sensor", kind),
      from: 1,
      fromActor: 7,
      epoch: 3,
      sequence: ++this.#sequence,
      ...changes,
    };
    const byteLength = encodeFrame(this.#frame, header, payload);
    await this.#sensor.send(this.#frame.subarray(0, byteLength), { timeoutMs: 10_000 });
  }

  async ask(kind: string, payload: Uint8Array): Promise<Frame> {
    await this.tell(kind, payload, { kind: KIND.ASK, replyName: this.#replies.name });
    const { data, priority } = await this.#replies.receive({ timeoutMs: 10_000 });
    const frame = decodeFrame(data, data.byteLength);
    if ("problem" in frame) throw new Error(`${frame.problem}: ${frame.detail}`);
    const { tag, to, from, epoch, sequence } = frame;
    const about = [tagOf("sensor", kind), 7, 0, 3, this.#sequence];
    assertEquals([tag, to, from, epoch, sequence], about);
    assertEquals(priority, REPLY_PRIORITY);
    return frame;
  }
}

const NOTHING = new Uint8Array(0);

function unit(number: number): Uint8Array {
  return encodePayload(Unit, { unit: number }, crossing);
}

test("examples/peer.c answers asks in C with libc alone", async () => {
  using object = queueName();
  using replies = namedQueue({ maxMessages: 4, maxMessageBytes: 1024 });
  using program = await compileC(peer);
  await using child = new Child(program.path, ["serve", object.name]);
  assertEquals(await child.line(), "ready");
  using sensor = MessageQueue.open(object.name, { access: "w" });
  const asker = new Asker(replies.queue, sensor);

  const before = Date.now();
  const read = await asker.ask("read", unit(2));
  assertEquals([read.kind, read.codec], [KIND.REPLY, CODEC.STRUCT]);
  const reading = decodePayload(read.codec, Reading, read.payload, crossing) as {
    at: bigint;
    celsius: number;
  };
  assert(reading.at >= before && reading.at <= Date.now());
  assertEquals(reading.celsius, 22);

  await asker.tell("calibrate", encodePayload(Offset, { celsius: -1.5 }, crossing));
  await asker.tell("calibrate", encodePayload(Offset, { celsius: 100 }, crossing), { expires: 1 });
  const again = await asker.ask("read", unit(0));
  const { celsius } = decodePayload(again.codec, Reading, again.payload, crossing) as {
    celsius: number;
  };
  assertEquals(celsius, 18.5);

  const name = await asker.ask("name", NOTHING);
  assertEquals(decodePayload(name.codec, "json", name.payload, crossing), "cellar");

  const failed = await asker.ask("read", unit(3));
  assertEquals(failed.kind, KIND.FAILED);
  const error = decodeError(decodePayload(failed.codec, "messagepack", failed.payload, crossing));
  assert(error instanceof RangeError);
  assertEquals({ ...error, message: error.message }, {
    code: "ENOENT",
    message: "no such sensor",
  } as never);
  assertEquals((await asker.ask("explode", NOTHING)).kind, KIND.FAILED);

  await sensor.send("too short to be a frame");
  await sensor.send(new Uint8Array(1024));
  await asker.tell("stop", NOTHING);
  const { code, stderr } = await child.finished();
  assertEquals(code, 0);
  assertMatch(stderr, /^peer: no frame: short\npeer: no frame: magic\n$/);
});

test("examples/peer.c tells readings, in frames and bare", async () => {
  using object = namedQueue({ maxMessages: 4, maxMessageBytes: 1024 });
  using program = await compileC(peer);
  const count = 50;
  for (const way of ["tell", "bare"]) {
    await using child = new Child(program.path, [way, object.name, `${count}`]);
    for (let at = 1; at <= count; at++) {
      const { data, priority } = await object.queue.receive({ timeoutMs: 10_000 });
      const payload = way === "bare" ? data : payloadOf(data);
      const reading = decodePayload(CODEC.STRUCT, Reading, payload, crossing);
      assertEquals([reading, priority], [{ at: BigInt(at), celsius: 20 + at }, 0]);
    }
    assertEquals((await child.finished()).code, 0);
  }
});

test("examples/peer.ts speaks to C programs, and they to it", async () => {
  const example = siblingUrl("../../examples/peer.ts", import.meta.url);
  const { code, stdout, stderr } = await run(execPath(), {
    args: fileArgs(example, { permissions: ["--allow-all", "--quiet"] }),
    timeoutMs: 60_000,
  });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.trim().split("\n"), [
    "Asking cellar",
    "20.5 degrees",
    "RangeError ENOENT: no such sensor",
    "100 readings in frames, 70.5 degrees in the mean",
    "100 readings without frames",
  ]);
});

/** What a reading that was told carries. */
function payloadOf(bytes: Uint8Array): Uint8Array {
  const frame = decodeFrame(bytes, bytes.byteLength);
  if ("problem" in frame) throw new Error(`${frame.problem}: ${frame.detail}`);
  const { kind, codec, tag, from, payload } = frame;
  assertEquals([kind, codec, from], [KIND.TELL, CODEC.STRUCT, 0]);
  assertEquals(tag, tagOf("readings", "add"));
  return payload;
}
