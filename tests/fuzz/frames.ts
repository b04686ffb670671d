/** Frames for fuzzing: valid ones, what is near to one, and noise. They depend on the seed alone. */

import { crc32c } from "../../src/actor/wire/crc32c.ts";
import { encodeFrame, type FrameHeader } from "../../src/actor/wire/frame.ts";
import {
  BLOCK_DESCRIPTOR_BYTES,
  CHECKSUM_OFFSET,
  FLAG,
  FRAME_HEADER_BYTES,
  KIND,
  LAST_CODEC,
  LAST_KIND,
  PAYLOAD_BYTES_OFFSET,
  REPLY_NAME_BYTES_OFFSET,
} from "../../src/actor/wire/frame_layout.ts";
import type { Random } from "../support/random.ts";

/** Numbers at which a check goes wrong that goes wrong anywhere. */
const EDGES = [
  0,
  1,
  2,
  31,
  64,
  127,
  128,
  255,
  256,
  1023,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

/** Whom half of the frames are for, that nothing is wrong with. */
export interface FrameTargets {
  readonly to: number;
  readonly tags: readonly number[];
}

/** Makes frames, one after the other. */
export class FrameSource {
  readonly #random: Random;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #targets: FrameTargets | undefined;

  /** @param maxFrameBytes The longest, at least 128. */
  constructor(random: Random, maxFrameBytes: number, targets?: FrameTargets) {
    this.#random = random;
    this.#targets = targets;
    this.#bytes = new Uint8Array(maxFrameBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The next; its bytes are written over by the one after it. */
  next(): Uint8Array {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        return this.#noise(this.#length(0));
      case 1:
        return this.#cut(random.below(this.#valid() + 1));
      case 2:
        return this.#longer(this.#valid());
      case 3:
        return this.#overwritten(this.#valid());
      case 4:
        return this.#sealed(this.#header(this.#valid()));
      case 5:
        return this.#sealed(this.#lengths(this.#valid()));
      case 6:
        return this.#sealed(this.#content(this.#valid()));
      default:
        return this.#cut(this.#valid());
    }
  }

  #cut(byteLength: number): Uint8Array {
    return this.#bytes.subarray(0, byteLength);
  }

  /** Short ones mostly, and one in a while as long as can be. */
  #length(leastBytes: number): number {
    const most = this.#bytes.length - leastBytes;
    if (this.#random.oneIn(50)) return leastBytes + most - this.#random.below(Math.min(most, 4));
    return leastBytes + this.#random.below(Math.min(most, 200) + 1);
  }

  #noise(byteLength: number): Uint8Array {
    for (let at = 0; at < byteLength; at++) this.#bytes[at] = this.#random.below(256);
    return this.#cut(byteLength);
  }

  #number(): number {
    const random = this.#random;
    return random.oneIn(2) ? random.pick(EDGES) : random.below(2 ** 32);
  }

  /** Writes a frame that nothing is wrong with, and gives its length. */
  #valid(): number {
    const random = this.#random;
    const replyName = random.oneIn(4) ? `/reply-${random.below(1000)}` : undefined;
    const header: FrameHeader = {
      kind: 1 + random.below(LAST_KIND) as FrameHeader["kind"],
      codec: 1 + random.below(LAST_CODEC) as FrameHeader["codec"],
      flags: random.oneIn(2) ? FLAG.WANTS_TAKEN : 0,
      tag: this.#number(),
      to: random.below(40),
      toIncarnation: random.below(3),
      from: random.below(130),
      fromActor: random.below(40),
      epoch: random.below(4),
      sequence: this.#number(),
      expires: random.oneIn(4) ? Date.now() + random.below(10_000) - 5000 : 0,
      attempt: this.#number(),
      argument: this.#number(),
      replyName,
    };
    if (this.#targets !== undefined && random.oneIn(2)) {
      header.kind = random.pick([KIND.TELL, KIND.ASK, KIND.OPEN]);
      header.to = this.#targets.to;
      header.tag = random.pick(this.#targets.tags);
      header.toIncarnation = 0;
    }
    if (random.oneIn(8)) {
      return encodeFrame(this.#bytes, header, {
        segment: this.#number(),
        block: this.#number(),
        generation: this.#number(),
        byteLength: this.#number(),
        crc: this.#number(),
      });
    }
    const before = FRAME_HEADER_BYTES + (replyName?.length ?? 0);
    return encodeFrame(this.#bytes, header, random.bytes(this.#length(before) - before));
  }

  #longer(byteLength: number): Uint8Array {
    const more = Math.min(this.#bytes.length, byteLength + 1 + this.#random.below(40));
    return this.#cut(more);
  }

  /** A few bytes anywhere, as a bad cable would. */
  #overwritten(byteLength: number): Uint8Array {
    for (let left = 1 + this.#random.below(4); left > 0; left--) {
      this.#bytes[this.#random.below(byteLength)]! ^= 1 << this.#random.below(8);
    }
    return this.#cut(byteLength);
  }

  /** One byte or word of the header, as somebody would who can count checksums. */
  #header(byteLength: number): number {
    if (this.#random.oneIn(2)) {
      this.#bytes[this.#random.below(FRAME_HEADER_BYTES)] = this.#random.below(256);
    } else {this.#view.setUint32(
        4 * this.#random.below(FRAME_HEADER_BYTES / 4),
        this.#number(),
        true,
      );}
    return byteLength;
  }

  /** Lengths that add up, and are not those of the parts. */
  #lengths(byteLength: number): number {
    const nameBytes = this.#random.below(byteLength - FRAME_HEADER_BYTES + 1);
    this.#view.setUint16(REPLY_NAME_BYTES_OFFSET, nameBytes, true);
    const payloadBytes = byteLength - FRAME_HEADER_BYTES - nameBytes;
    this.#view.setUint32(PAYLOAD_BYTES_OFFSET, payloadBytes, true);
    if (nameBytes > 0) this.#bytes[5]! |= FLAG.REPLY_NAME;
    return byteLength;
  }

  /** What is behind the header: the reply name, the descriptor, the payload. */
  #content(byteLength: number): number {
    const most = Math.min(byteLength - FRAME_HEADER_BYTES, BLOCK_DESCRIPTOR_BYTES);
    for (let at = 0; at < most; at++) {
      this.#bytes[FRAME_HEADER_BYTES + at] = this.#random.below(256);
    }
    return byteLength;
  }

  /** With the checksum that fits what is there now. */
  #sealed(byteLength: number): Uint8Array {
    const ofHeader = crc32c(this.#bytes, 0, CHECKSUM_OFFSET);
    const checksum = crc32c(this.#bytes, FRAME_HEADER_BYTES, byteLength, ofHeader);
    this.#view.setUint32(CHECKSUM_OFFSET, checksum, true);
    return this.#cut(byteLength);
  }
}
