/**
 * Judges MessagePack that somebody sent, before the decoder makes anything of it.
 *
 * Rule: every length is bounded by the bytes that are there, and depth and number of containers by
 * ours; the decoder would make an array of 2^32 elements because five bytes say so.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */

import { MAX_CONTAINERS, MAX_DEPTH } from "./refusal.ts";

/** What else the decoder must know of a payload. */
export interface Judged {
  /** Byte strings, which the decoder gives as views of the payload. */
  hasBytes: boolean;
  /** 64-bit integers that no Number holds exactly. */
  hasLongIntegers: boolean;
}

/** Bytes that are no MessagePack, or more than we take. */
export class MessagePackProblem extends Error {
  /** `MessagePackProblem` */
  override readonly name: string = "MessagePackProblem";
}

/**
 * Goes through all of a payload once, without making anything.
 *
 * What is in an extension is judged when that is read.
 *
 * @throws {MessagePackProblem} If it is no single value, or is too deep or too large.
 */
export function judgeMessagePack(bytes: Uint8Array): Judged {
  return new Judge(bytes).judge();
}

class Judge implements Judged {
  hasBytes = false;
  hasLongIntegers = false;
  readonly #bytes: Uint8Array;
  /** How many values are still due, per container that we are in. */
  readonly #due: number[] = [];
  #containers = 0;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  judge(): this {
    const due = this.#due;
    let left = 1;
    for (;;) {
      while (left === 0) {
        const outer = due.pop();
        if (outer === undefined) return this.#end();
        left = outer;
      }
      left--;
      const inside = this.#value();
      if (inside > 0) {
        due.push(left);
        if (due.length > MAX_DEPTH) throw this.#problem(`deeper than ${MAX_DEPTH} levels`);
        left = inside;
      }
    }
  }

  #end(): this {
    if (this.#at === this.#bytes.byteLength) return this;
    throw this.#problem(`${this.#bytes.byteLength - this.#at} bytes behind the value`);
  }

  /** Passes over one value, and says how many are in it. */
  #value(): number {
    const head = this.#unsigned(1);
    if (head <= 0x7f || head >= 0xe0) return 0; // an integer
    if (head <= 0x8f) return this.#container(2 * (head & 0x0f));
    if (head <= 0x9f) return this.#container(head & 0x0f);
    if (head <= 0xbf) return this.#skip(head & 0x1f); // a text
    switch (head) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        return 0;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        this.hasBytes = true;
        return this.#skip(this.#unsigned(1 << (head - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9: {
        this.#count();
        return this.#skip(this.#unsigned(1 << (head - 0xc7)) + 1); // and the type
      }
      case 0xcc:
      case 0xd0:
        return this.#skip(1);
      case 0xcd:
      case 0xd1:
        return this.#skip(2);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#skip(4);
      case 0xcb:
        return this.#skip(8);
      case 0xcf:
      case 0xd3:
        return this.#longInteger(head === 0xd3);
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        this.#count();
        return this.#skip((1 << (head - 0xd4)) + 1); // and the type
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#skip(this.#unsigned(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#container(this.#unsigned(2 << (head - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.#container(2 * this.#unsigned(2 << (head - 0xde)));
    }
    throw this.#problem(`0x${head.toString(16)} at byte ${this.#at - 1} begins no value`);
  }

  #container(values: number): number {
    this.#count();
    return values;
  }

  #count(): void {
    if (++this.#containers <= MAX_CONTAINERS) return;
    throw this.#problem(`more than ${MAX_CONTAINERS} arrays, maps and extensions`);
  }

  #longInteger(signed: boolean): number {
    const high = signed ? this.#unsigned(4) | 0 : this.#unsigned(4), low = this.#unsigned(4);
    if (!Number.isSafeInteger(high * 2 ** 32 + low)) this.hasLongIntegers = true;
    return 0;
  }

  #skip(byteLength: number): number {
    if (byteLength > this.#bytes.byteLength - this.#at) {
      throw this.#problem("its bytes end too soon");
    }
    this.#at += byteLength;
    return 0;
  }

  /** The next number of so many bytes, which MessagePack has in network order. */
  #unsigned(byteLength: number): number {
    const at = this.#at;
    this.#skip(byteLength);
    let value = 0;
    for (let index = 0; index < byteLength; index++) value = value * 256 + this.#bytes[at + index]!;
    return value;
  }

  #problem(what: string): MessagePackProblem {
    return new MessagePackProblem(what);
  }
}
