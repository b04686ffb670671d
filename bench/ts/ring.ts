/**
 * ring ROLE MEMORY BYTES: one end of two rings in one memory; bench/c/ring.c is the same in C, and
 * both can be each other's peer.
 *
 * ```text
 *             ── requests, first ring ──►
 *   measured                              peer
 *             ◄── records, second ring ──
 * ```
 *
 * ROLE is `peer`, or what is measured: `round-trip`, `batches`, `one-by-one`. A request's first byte
 * says what is asked for: `e` to be sent back; `b` or `o` for so many records of BYTES, in batches or
 * one by one, the number at byte 8; `q` for the end.
 */

import { SharedMemory, SpscRing } from "../../mod.ts";
import { args, must, numbers, say } from "./loop.ts";
import { nowNs } from "./clock.ts";

const [role, name, bytes] = args("ROLE", "MEMORY", "BYTES") as [string, string, string];
const recordBytes = Number(bytes), isPeer = role === "peer";
const NUMBER_OFFSET = 8, REQUEST_BYTES = 64, BATCH_RECORDS = 32;

using memory = SharedMemory.open(name);
const half = memory.byteLength / 2;
const requests = SpscRing.attach(memory.bytes.subarray(0, half));
const records = SpscRing.attach(memory.bytes.subarray(half));
using producer = (isPeer ? records : requests).producer();
using consumer = (isPeer ? requests : records).consumer();

const request = new Uint8Array(REQUEST_BYTES), view = new DataView(request.buffer);

function ask(kind: string, number = 0): void {
  request[0] = kind.charCodeAt(0);
  view.setFloat64(NUMBER_OFFSET, number, true);
  producer.pushSync(request);
}

/** Takes so many records; reads a byte of each. */
function takeBatches(count: number): number {
  let sum = 0;
  const read = (view: Uint8Array, byteOffset: number) => void (sum += view[byteOffset]!);
  for (let left = count; left > 0;) left -= consumer.drainSync(read);
  return sum;
}

function takeOneByOne(count: number): number {
  const record = new Uint8Array(recordBytes);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    consumer.popIntoSync(record);
    sum += record[0]!;
  }
  return sum;
}

/** Nanoseconds a record, from the request on. */
function stream(kind: "b" | "o", take: (count: number) => number): (count: number) => number {
  return (count) => {
    const startNs = nowNs();
    ask(kind, count);
    must(take(count) === count, "take");
    return (nowNs() - startNs) / count;
  };
}

/** Nanoseconds there and back: the median. */
function roundTrip(count: number): number {
  const ns = new Float64Array(count), answer = new Uint8Array(REQUEST_BYTES);
  request[0] = "e".charCodeAt(0);
  for (let i = 0; i < count; i++) {
    const startNs = nowNs();
    producer.pushSync(request);
    consumer.popIntoSync(answer);
    ns[i] = nowNs() - startNs;
  }
  return ns.sort()[count >> 1]!;
}

const MEASURED: Record<string, (count: number) => number> = {
  "round-trip": roundTrip,
  batches: stream("b", takeBatches),
  "one-by-one": stream("o", takeOneByOne),
};

function pushBatches(count: number): void {
  const record = new Uint8Array(recordBytes).fill(1);
  for (let left = count; left > 0;) {
    producer.batch(() => {
      for (const end = Math.max(0, left - BATCH_RECORDS); left > end; left--) {
        producer.pushSync(record);
      }
    });
  }
}

function pushOneByOne(count: number): void {
  const record = new Uint8Array(recordBytes).fill(1);
  for (let i = 0; i < count; i++) producer.pushSync(record);
}

/** Does what is asked for, until the end. */
function answer(): void {
  for (;;) {
    consumer.popIntoSync(request);
    const kind = String.fromCharCode(request[0]!), number = view.getFloat64(NUMBER_OFFSET, true);
    if (kind === "e") producer.pushSync(request);
    else if (kind === "b") pushBatches(number);
    else if (kind === "o") pushOneByOne(number);
    else return;
  }
}

say("ready");
if (isPeer) answer();
else {
  for (const count of numbers()) say(JSON.stringify({ ns: MEASURED[role]!(count) }));
  ask("q");
}
