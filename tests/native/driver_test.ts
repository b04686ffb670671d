/** The native driver itself: the contract of the library, and what it has beside that. */

import "../support/loaded.ts";
import { assertEquals } from "../assert.ts";
import { libraryContract } from "../contract/library_contract.ts";
import { test } from "../harness.ts";
import { bind, functionsIn } from "../../src/sys/load.ts";
import { withNative } from "../../src/sys/native.ts";
import { NATIVE_SYMBOLS } from "../../src/sys/native_symbols.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { SYMBOLS } from "../../src/sys/symbols.ts";
import { NATIVE, NEEDS_NATIVE } from "../support/native.ts";
import { Random } from "../support/random.ts";

let bound: ReturnType<typeof bindBoth> | undefined;

function bindBoth() {
  const native = functionsIn(NATIVE, NATIVE_SYMBOLS);
  return { native, library: withNative(bind(SYMBOLS), native) };
}

const both = () => bound ??= bindBoth();

// Once: what it loads stays, and is no test's leak.
if (NATIVE !== "") both();

libraryContract("the native driver", () => both().library, NEEDS_NATIVE);

test("errno() is that of the refusal, whatever comes between", NEEDS_NATIVE, () => {
  const { c, errno, word } = both().library;
  const letter = new Uint8Array(1);
  let garbage: unknown[] = [];
  for (let round = 0; round < 100; round++) {
    assertEquals(c.mq_send(-1, letter, word(1), 0), -1);
    c.close(-1); // EBADF, as it happens
    c.mq_unlink(Uint8Array.from([0])); // ENOENT or EINVAL
    garbage = Array.from({ length: 1000 }, (_, index) => ({ index, bytes: new Uint8Array(64) }));
    assertEquals(errno(), ERRNO.EBADF);
  }
  assertEquals(garbage.length, 1000);
});

test(
  "crc32c is that of its definition, at every length and place around a block",
  NEEDS_NATIVE,
  () => {
    const { native } = both();
    const bytes = new Random(1).bytes(4096);
    for (let length = 0; length <= 200; length++) {
      const start = length % 9, end = start + length;
      assertEquals(
        native.crc32c(bytes, start, end, 0),
        bitByBit(bytes, start, end, 0),
        `${length}`,
      );
    }
    for (const end of [1535, 1536, 1537, 1544, 3071, 3072, 3073, 4096]) {
      assertEquals(native.crc32c(bytes, 0, end, 5), bitByBit(bytes, 0, end, 5), `to ${end}`);
      assertEquals(native.crc32c(bytes, 3, end, 5), bitByBit(bytes, 3, end, 5), `from 3 to ${end}`);
    }
  },
);

test("crc32c of no bytes is the seed", NEEDS_NATIVE, () => {
  assertEquals(both().native.crc32c(new Uint8Array(0), 0, 0, 0x1234_5678), 0x1234_5678);
});

test("a guard is refused for what is no range, and for a place that is none", NEEDS_NATIVE, () => {
  const { native } = both();
  assertEquals(native.guard_add(0n, 4096n), -ERRNO.EINVAL);
  assertEquals(native.guard_add(4096n, 0n), -ERRNO.EINVAL);
  assertEquals(native.guard_remove(-1), -ERRNO.EINVAL);
  assertEquals(native.guard_extend(1 << 20, 1n), -ERRNO.EINVAL);
});

/** CRC-32C as it is defined: the polynomial 0x1edc6f41, the least significant bit first. */
function bitByBit(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let sum = ~seed;
  for (const byte of bytes.subarray(start, end)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return ~sum >>> 0;
}
