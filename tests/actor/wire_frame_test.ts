/**
 * Frames as bytes: what is encoded comes back, and whatever else is refused with its reason.
 *
 * Method: random frames against their headers, every bit of frames flipped, random bytes and random
 * damage with a seed; frames whose checksum is right and whose fields are not are made by hand.
 * tests/vectors has the bytes that another program makes.
 */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { crc32c } from "../../src/actor/wire/crc32c.ts";
import * as layout from "../../src/actor/wire/frame_layout.ts";
import {
  CODEC,
  type CodecNumber,
  FLAG,
  type FrameKind,
} from "../../src/actor/wire/frame_layout.ts";
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  type FrameProblem,
  type FrameProblemName,
  type SlabDescriptor,
} from "../../src/actor/wire/frame.ts";
import { type Random, withSeed } from "../support/random.ts";
import { scaled } from "../support/scale.ts";

const plain: FrameHeader = {
  kind: 1,
  codec: 1,
  flags: 0,
  tag: 0x0102_0304,
  to: 5,
  toIncarnation: 6,
  from: 7,
  fromActor: 8,
  epoch: 9,
  sequence: 10,
  expires: 0x1_0203_0405,
  attempt: 11,
  argument: 12,
  replyName: undefined,
};
const payload = Uint8Array.of(1, 2, 3);

function encoded(header: FrameHeader, body: Uint8Array | SlabDescriptor = payload): Uint8Array {
  const into = new Uint8Array(2048).fill(0xee);
  return into.slice(0, encodeFrame(into, header, body));
}

function decoded(bytes: Uint8Array): Frame {
  const frame = decodeFrame(bytes, bytes.byteLength);
  if ("problem" in frame) throw new Error(`${frame.problem}: ${frame.detail}`);
  return frame;
}

function problemOf(bytes: Uint8Array, byteLength = bytes.byteLength): FrameProblemName {
  const problem = decodeFrame(bytes, byteLength);
  assert("problem" in problem, "it is a frame");
  return problem.problem;
}

/** A frame with a few bytes of its own, and the checksum that belongs to them. */
function forged(changes: Record<number, number>, header = plain, body?: Uint8Array): Uint8Array {
  const bytes = encoded(header, body);
  for (const [at, byte] of Object.entries(changes)) bytes[Number(at)] = byte;
  return sealed(bytes);
}

function sealed(bytes: Uint8Array): Uint8Array {
  const ofHeader = crc32c(bytes, 0, layout.CHECKSUM_OFFSET);
  const crc = crc32c(bytes, FRAME_HEADER_BYTES, bytes.byteLength, ofHeader);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(layout.CHECKSUM_OFFSET, crc, true);
  return bytes;
}

function randomU32(random: Random): number {
  return random.pick([0, 1, 2 ** 31, 2 ** 32 - 1, random.below(2 ** 32)]);
}

function randomHeader(random: Random): FrameHeader {
  return {
    kind: 1 + random.below(layout.LAST_KIND) as FrameKind,
    codec: 1 + random.below(layout.LAST_CODEC) as CodecNumber,
    flags: random.pick([0, FLAG.WANTS_TAKEN, FLAG.RING, FLAG.WANTS_TAKEN | FLAG.RING]),
    tag: randomU32(random),
    to: randomU32(random),
    toIncarnation: randomU32(random),
    from: randomU32(random),
    fromActor: randomU32(random),
    epoch: randomU32(random),
    sequence: randomU32(random),
    expires: random.pick([0, 1, 2 ** 32 - 1, 2 ** 32, 1_795_500_000_000, 2 ** 53 - 1]),
    attempt: randomU32(random),
    argument: randomU32(random),
    replyName: random.oneIn(3) ? random.pick(["/a", "/läger", "/" + "x".repeat(254)]) : undefined,
  };
}

function randomBlock(random: Random): SlabDescriptor {
  return {
    segment: randomU32(random),
    block: randomU32(random),
    generation: randomU32(random),
    byteLength: randomU32(random),
    crc: randomU32(random),
  };
}

test("crc32c() has the check value of the algorithm", () => {
  const bytes = new TextEncoder().encode("xx123456789x");
  assertEquals(crc32c(bytes, 2, 11), 0xe306_9283);
  assertEquals(crc32c(bytes, 5, 5), 0);
  // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, rising, falling.
  assertEquals(crc32c(new Uint8Array(32), 0, 32), 0x8a91_36aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff), 0, 32), 0x62a8_ab43);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at), 0, 32), 0x46dd_794e);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0, 32), 0x113f_db5c);
});

test("crc32c() of any part, in two parts, is what a bit at a time gives", () => {
  withSeed(1, scaled(500), (random) => {
    const bytes = random.bytes(random.below(70));
    const end = random.below(bytes.byteLength + 1), start = random.below(end + 1);
    const middle = start + random.below(end - start + 1);
    let expected = -1;
    for (let at = start; at < end; at++) {
      expected ^= bytes[at]!;
      for (let bit = 0; bit < 8; bit++) {
        expected = expected & 1 ? (expected >>> 1) ^ 0x82f6_3b78 : expected >>> 1;
      }
    }
    assertEquals(crc32c(bytes, start, end), ~expected >>> 0);
    assertEquals(crc32c(bytes, middle, end, crc32c(bytes, start, middle)), ~expected >>> 0);
  });
});

test("encodeFrame() writes each field where the layout says", () => {
  const bytes = encoded({ ...plain, flags: FLAG.WANTS_TAKEN, replyName: "/q" });
  const view = new DataView(bytes.buffer);
  assertEquals([...bytes.subarray(0, 6)], [0x50, 0x42, 1, 1, 1, 2 | 4]);
  assertEquals(view.getUint16(6, true), 2);
  assertEquals(view.getUint32(8, true), 3);
  assertEquals(view.getUint32(12, true), 0x0102_0304);
  assertEquals([16, 20, 24, 28, 32, 36].map((at) => view.getUint32(at, true)), [5, 6, 7, 8, 9, 10]);
  assertEquals(view.getBigUint64(40, true), 0x1_0203_0405n);
  assertEquals([48, 52, 56].map((at) => view.getUint32(at, true)), [11, 12, 0]);
  assertEquals([...bytes.subarray(64)], [0x2f, 0x71, 1, 2, 3]);
});

test("decodeFrame() gives what encodeFrame() was given, for random frames", () => {
  withSeed(2, scaled(2000), (random) => {
    const header = randomHeader(random);
    const block = random.oneIn(4) ? randomBlock(random) : undefined;
    const body = random.bytes(random.pick([0, 1, 7, 64, random.below(1000)]));
    const bytes = encoded(header, block ?? body);
    const { payload, block: found, flags, ...rest } = decoded(bytes);
    const { flags: given, ...expected } = header;
    assertEquals(rest, expected as typeof rest);
    assertEquals(found, block);
    assertEquals(payload, block === undefined ? body : new Uint8Array(0));
    const implied = (block ? FLAG.BY_REFERENCE : 0) | (header.replyName ? FLAG.REPLY_NAME : 0);
    assertEquals(flags, given | implied);
  });
});

test("decodeFrame() looks at no byte behind the length it is given, and gives a view", () => {
  const bytes = new Uint8Array(200).fill(0xee);
  const byteLength = encodeFrame(bytes, plain, payload);
  const frame = decodeFrame(bytes, byteLength);
  assert(!("problem" in frame));
  assertEquals(frame.payload, payload);
  assertEquals(frame.payload.buffer, bytes.buffer);
  assertEquals(problemOf(bytes, 200), "length");
});

test("encodeFrame() refuses what does not fit, and names both sizes", () => {
  const into = new Uint8Array(66);
  assertThrows(
    () => encodeFrame(into, plain, payload),
    RangeError,
    "Cannot encode a frame of 67 bytes: there is room for 66",
  );
  assertEquals(encodeFrame(into, plain, payload.subarray(1)), 66);
});

test("decodeFrame() refuses every frame of which one bit is wrong", () => {
  const block = { segment: 1, block: 2, generation: 3, byteLength: 4, crc: 5 };
  const frames = [
    encoded(plain),
    encoded({ ...plain, codec: CODEC.NONE }, new Uint8Array(0)),
    encoded({ ...plain, replyName: "/q" }),
    encoded(plain, block),
  ];
  for (const frame of frames) {
    decoded(frame);
    for (let bit = 0; bit < frame.byteLength * 8; bit++) {
      frame[bit >> 3]! ^= 1 << (bit & 7);
      assert("problem" in decodeFrame(frame, frame.byteLength), `bit ${bit}`);
      frame[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
});

test("decodeFrame() names what is wrong around the fields", () => {
  const good = encoded(plain);
  assertEquals(problemOf(new Uint8Array(0)), "short");
  assertEquals(problemOf(good.subarray(0, 63)), "short");
  assertEquals(problemOf(good.subarray(0, 63), 1000), "short");
  assertEquals(problemOf(good.subarray(0, good.byteLength - 1)), "length");
  assertEquals(problemOf(Uint8Array.of(...good, 0)), "length");
  assertEquals(problemOf(forged({ 0: 0x51 })), "magic");
  assertEquals(problemOf(forged({ 2: 2 })), "version");
  assertEquals(problemOf(forged({ 8: 4 })), "length");
  assertEquals(problemOf(forged({ 11: 0xff })), "length"); // 4 GB
  good[40]! ^= 1;
  assertEquals(problemOf(good), "checksum");
});

test("decodeFrame() names what is wrong with a field, in a frame whose checksum is right", () => {
  assertEquals(problemOf(forged({ 3: 0 })), "kind");
  assertEquals(problemOf(forged({ 3: 12 })), "kind");
  assertEquals(problemOf(forged({ 4: 6 })), "codec");
  assertEquals(problemOf(forged({ 4: 0 })), "codec"); // there is a payload
  assertEquals(problemOf(forged({ 5: 16 })), "flags");
  assertEquals(problemOf(forged({ 5: 128 })), "flags");
  assertEquals(problemOf(forged({ 59: 1 })), "zero");
  assertEquals(problemOf(forged({ 46: 0x20 })), "expires"); // 2^53
  assertEquals(decoded(forged({ 45: 0xff, 46: 0x1f })).expires > 2 ** 52, true);
});

test("decodeFrame() refuses a reply name that is none", () => {
  const named = { ...plain, replyName: "/queue" };
  assertEquals(problemOf(forged({ 5: 0 }, named)), "reply-name"); // bytes without the flag
  assertEquals(problemOf(forged({ 5: FLAG.REPLY_NAME })), "reply-name"); // the flag without bytes
  assertEquals(problemOf(forged({ 65: 0xff }, named)), "reply-name"); // no UTF-8
  assertEquals(problemOf(encoded({ ...plain, replyName: "x".repeat(256) })), "reply-name");
  assertEquals(decoded(encoded({ ...plain, replyName: "x".repeat(255) })).replyName?.length, 255);
});

test("decodeFrame() refuses a descriptor of a block that is none", () => {
  const flagged = { ...plain, flags: FLAG.BY_REFERENCE };
  const zeros = new Uint8Array(32);
  assertEquals(decoded(encoded(flagged, zeros)).block?.segment, 0);
  assertEquals(problemOf(encoded(flagged, zeros.subarray(1))), "block");
  assertEquals(problemOf(encoded(flagged, new Uint8Array(33))), "block");
  for (let at = 20; at < 32; at++) {
    const damaged = zeros.slice();
    damaged[at] = 1;
    assertEquals(problemOf(encoded(flagged, damaged)), "block", `byte ${at}`);
  }
});

test("decodeFrame() never throws and stays within the bytes, whatever they are", () => {
  const problems = new Set<FrameProblemName>();
  let frames = 0;
  withSeed(3, scaled(20_000), (random) => {
    const bytes = hostileBytes(random);
    const said = random.oneIn(20) ? random.below(300) : bytes.byteLength;
    const result: Frame | FrameProblem = decodeFrame(bytes, said);
    if ("problem" in result) {
      problems.add(result.problem);
      assert(result.detail.length > 0 && result.detail.length < 100, result.detail);
      return;
    }
    frames++;
    const { payload, replyName = "" } = result;
    assertEquals(payload.buffer, bytes.buffer);
    assert(payload.byteOffset >= bytes.byteOffset + FRAME_HEADER_BYTES);
    assert(payload.byteOffset + payload.byteLength <= bytes.byteOffset + bytes.byteLength);
    assert(replyName.length <= 255);
  });
  assert(frames > 0);
  const all = "block checksum codec expires flags kind length magic reply-name short version zero";
  assertEquals([...problems].sort().join(" "), all);
});

/** A frame that was damaged, in half of the cases with the checksum of the damage, or just bytes. */
function hostileBytes(random: Random): Uint8Array {
  if (random.oneIn(10)) return random.bytes(random.below(200));
  const body = random.oneIn(4) ? randomBlock(random) : random.bytes(random.below(40));
  const bytes = encoded(randomHeader(random), body);
  for (let left = random.below(4); left > 0; left--) {
    bytes[random.below(Math.min(96, bytes.byteLength))] = random.below(256);
  }
  const end = random.oneIn(4) ? random.below(bytes.byteLength + 1) : bytes.byteLength;
  const cut = bytes.slice(0, end);
  return random.oneIn(2) && end >= FRAME_HEADER_BYTES ? sealed(cut) : cut;
}
