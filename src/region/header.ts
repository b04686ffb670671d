/**
 * The header of a region: written once, read once, judged before anything behind it is used.
 *
 * Rule: a peer may write there at any time. What is judged is a copy, and nothing is read twice.
 */

import { LayoutError } from "../errors.ts";
import { EventCount } from "../wait/mod.ts";
import { loadFor } from "./loading.ts";
import {
  BYTE_ORDER,
  BYTE_ORDER_OFFSET,
  BYTES_OFFSET,
  CHANGES_OFFSET,
  FIELDS_BYTES_OFFSET,
  FIELDS_OFFSET,
  FORMAT_VERSION,
  HASH_OFFSET,
  HEADER_BYTES,
  MAGIC,
  MAGIC_OFFSET,
  MAX_TEXT_BYTES,
  READY_MARK,
  READY_OFFSET,
  type RegionPlan,
  TEXT_BYTES_OFFSET,
  TEXT_OFFSET_OFFSET,
  VERSION_OFFSET,
} from "./region_layout.ts";

/**
 * What memory is by its header: a region, one that was begun, or nothing yet.
 *
 * Who has begun one may be at it, or dead: `opening.ts` tells the two apart.
 */
export type RegionState = "ready" | "begun" | "blank";

/**
 * Tells what memory is.
 *
 * @throws {LayoutError} If it is something else.
 */
export function stateOf(
  bytes: Uint8Array<SharedArrayBuffer>,
  access: "r" | "rw",
  target: string,
): RegionState {
  if (bytes.byteLength < HEADER_BYTES) return "blank"; // it was not given its length yet
  const load = loadFor(access);
  // SYNC: pairs with the store in formatRegion(). Who sees the mark sees all that was formatted.
  const ready = load(new Uint32Array(bytes.buffer, READY_OFFSET, 1), 0);
  const magic = load(new BigUint64Array(bytes.buffer, MAGIC_OFFSET, 1), 0);
  const state = judgeState(magic, ready);
  if (state === undefined) throw notRegion(target);
  return state;
}

/** The same of a copy of the header, which is at rest; undefined when it is something else. */
export function stateOfCopy(copy: Uint8Array<ArrayBuffer>): RegionState | undefined {
  if (copy.byteLength < HEADER_BYTES) return "blank";
  const view = new DataView(copy.buffer, copy.byteOffset, HEADER_BYTES);
  const magic = view.getBigUint64(MAGIC_OFFSET, true);
  return judgeState(magic, view.getUint32(READY_OFFSET, true));
}

function judgeState(magic: bigint, ready: number): RegionState | undefined {
  if (magic === MAGIC && ready === READY_MARK) return "ready";
  if (ready !== 0) return undefined;
  return magic === MAGIC ? "begun" : magic === 0n ? "blank" : undefined;
}

/**
 * Refuses memory that has no header and is in use all the same: it is not ours to format.
 *
 * @throws {LayoutError} If there is anything in it.
 */
export function checkBlank(
  bytes: Uint8Array<SharedArrayBuffer>,
  access: "r" | "rw",
  target: string,
): void {
  // Somebody may have begun while we looked: then there is a magic, before all else.
  if (!isZero(bytes) && stateOf(bytes, access, target) === "blank") throw notRegion(target);
}

function isZero(bytes: Uint8Array<SharedArrayBuffer>): boolean {
  const words = new Uint32Array(bytes.buffer, 0, bytes.byteLength >> 2);
  for (let index = 0; index < words.length; index++) if (words[index] !== 0) return false;
  return bytes.subarray(words.byteLength).every((byte) => byte === 0);
}

function notRegion(target: string): LayoutError {
  const found = "something else";
  return new LayoutError({ action: "open region", target, found, expected: "a region" });
}

/** What a region is formatted with. */
export interface RegionFormat {
  plan: RegionPlan;
  hash: bigint;
  /** The schema; empty where it is left out. */
  text: Uint8Array;
}

/**
 * Makes zeroed memory a region.
 *
 * @param formatLocks Formats the locks among the fields, before anybody may use them.
 */
export function formatRegion(
  buffer: SharedArrayBuffer,
  { plan, hash, text }: RegionFormat,
  target: string,
  formatLocks: () => void,
): void {
  // SYNC: before all else, so that what is neither zeros nor has it is somebody else's.
  Atomics.store(new BigUint64Array(buffer, MAGIC_OFFSET, 1), 0, MAGIC);
  const view = new DataView(buffer, 0, HEADER_BYTES);
  view.setUint32(VERSION_OFFSET, FORMAT_VERSION, true);
  new Uint32Array(buffer, BYTE_ORDER_OFFSET, 1)[0] = BYTE_ORDER;
  view.setBigUint64(HASH_OFFSET, hash, true);
  view.setBigUint64(BYTES_OFFSET, BigInt(plan.byteLength), true);
  view.setUint32(FIELDS_BYTES_OFFSET, plan.fieldsBytes, true);
  view.setUint32(TEXT_OFFSET_OFFSET, plan.textOffset, true);
  view.setUint32(TEXT_BYTES_OFFSET, plan.textBytes, true);
  EventCount.format(buffer, CHANGES_OFFSET, { target });
  new Uint8Array(buffer, plan.textOffset, plan.textBytes).set(text);
  formatLocks();
  // SYNC: publishes all of it to the load in stateOf().
  Atomics.store(new Uint32Array(buffer, READY_OFFSET, 1), 0, READY_MARK);
}

/** What the header of a region says, as far as it can be. */
export interface RegionHeader {
  /** Of the schema and of what locks are on the machine. */
  hash: bigint;
  plan: RegionPlan;
}

/**
 * Judges the header of a region that is ready.
 *
 * @param copy Its bytes, at rest.
 * @param memoryBytes How much memory there is.
 * @throws {LayoutError} If it is of another version or byte order, or says what cannot be.
 */
export function judgeHeader(
  copy: Uint8Array<ArrayBuffer>,
  memoryBytes: number,
  target: string,
): RegionHeader {
  const view = new DataView(copy.buffer, copy.byteOffset, HEADER_BYTES);
  const action = "open region";
  const order = new Uint32Array(copy.slice(BYTE_ORDER_OFFSET, BYTE_ORDER_OFFSET + 4).buffer)[0]!;
  if (order !== BYTE_ORDER) {
    const expected = "that of this machine";
    throw new LayoutError({ action, target, found: "another byte order", expected });
  }
  const version = view.getUint32(VERSION_OFFSET, true);
  if (version !== FORMAT_VERSION) {
    const found = `format version ${version}`;
    throw new LayoutError({ action, target, found, expected: `version ${FORMAT_VERSION}` });
  }
  const byteLength = view.getBigUint64(BYTES_OFFSET, true);
  const fieldsBytes = view.getUint32(FIELDS_BYTES_OFFSET, true);
  const textOffset = view.getUint32(TEXT_OFFSET_OFFSET, true);
  const textBytes = view.getUint32(TEXT_BYTES_OFFSET, true);
  const fits = byteLength <= memoryBytes && FIELDS_OFFSET + fieldsBytes <= byteLength &&
    textOffset + textBytes <= byteLength && textBytes <= MAX_TEXT_BYTES;
  if (!fits) {
    throw new LayoutError({
      action,
      target,
      found: `${byteLength} bytes with ${fieldsBytes} of fields from byte ${FIELDS_OFFSET} and ` +
        `${textBytes} of schema from byte ${textOffset}, in ${memoryBytes} bytes of memory`,
      expected: "its parts in the region, and the region in the memory",
    });
  }
  return {
    hash: view.getBigUint64(HASH_OFFSET, true),
    plan: { byteLength: Number(byteLength), fieldsBytes, textOffset, textBytes },
  };
}
