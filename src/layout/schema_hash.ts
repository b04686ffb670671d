/**
 * A schema in 64 bits: what an opener compares first.
 *
 * It tells accidents apart, a schema that was changed and a program that was not built again. It is no
 * protection against those who choose: whoever can write the hash can write the rest.
 *
 * FNV-1a, because a C program has it in three lines and needs no library, and because 64 bits of
 * it are plenty for the few schemas that ever meet under one name.
 */

import { schemaText } from "./schema_text.ts";
import type { Struct } from "./struct.ts";

/** The prime is 2^40 and this. */
const PRIME_LOW = 0x1b3;

/** What the hash of nothing is, in halves. */
const BASIS_HIGH = 0xcbf29ce4, BASIS_LOW = 0x84222325;

const encoder = new TextEncoder();

/**
 * The hash of a schema on a machine: of its text, a line feed, and what the text leaves open.
 *
 * @param abi What of the machine decides about the bytes: the sizes and the kind of C's locks.
 */
export function schemaHash(struct: Struct, abi: string): bigint {
  return fnv1a64(encoder.encode(`${schemaText(struct)}\n${abi}`));
}

/** FNV-1a with 64 bits, in halves of 32: BigInts would take fifty times as long. */
export function fnv1a64(bytes: Uint8Array): bigint {
  let high = BASIS_HIGH, low = BASIS_LOW;
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    const product = low * PRIME_LOW; // at most 2^41, so exact
    // Times 2^40: the low half moves eight bits into the high half, the high half moves out.
    high = (Math.imul(high, PRIME_LOW) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return BigInt(high) << 32n | BigInt(low);
}
