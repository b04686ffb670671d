/**
 * The carrier through rings in shared memory: the fastest between processes.
 *
 * Rule: messages and control frames have a ring each, in which every outbox has a lane, so nobody
 * waits for another's lane. A ring keeps the order of its producer and knows no priority: the frame's
 * travels with it, and who takes it orders by it.
 */

import { ClosedError, LayoutError, PosixError } from "../../errors.ts";
import { MpscRing, type RingProducer } from "../../ring/mod.ts";
import { awaitRoom, type MarkedReader, tryPushMarked, usedBytesOf } from "../../ring/inside.ts";
import { SharedMemory } from "../../shm/mod.ts";
import { EventCount } from "../../wait/mod.ts";
import type { CarrierWait, Inbox, Lane, Outbox, TakeWait } from "./carrier.ts";
import { CountedConsumer } from "./counted_consumer.ts";
import { CarrierOutbox, checkBuffer, type Way } from "./outbox.ts";
import {
  COUNT_INDEX,
  COUNTS,
  COUNTS_OFFSET,
  NOT_EMPTY_OFFSET,
  RINGS_OFFSET,
} from "./ring_layout.ts";

/** How large a ring carrier is. */
export interface RingSize {
  /** How many outboxes there can be at a time, in all processes: 1 to 1024. */
  readonly lanes: number;
  /** How many bytes the messages of one outbox can have, with 8 more for each: a power of two. */
  readonly messageBytes: number;
  /** The same for its control frames. The longest frame is half of the lower one, less 8 bytes. */
  readonly controlBytes: number;
}

/** 800 KB in all, for frames of up to 8184 bytes; a lane has room for 300 frames of 100 bytes. */
export const RING_SIZE: RingSize = { lanes: 16, messageBytes: 32 * 1024, controlBytes: 16 * 1024 };

/** The longest frame of a ring of that size. */
export const RING_FRAME_BYTES: number =
  Math.min(RING_SIZE.messageBytes, RING_SIZE.controlBytes) / 2 - 8;

/**
 * Makes the shared memory, and is its end where frames come out. The memory stays when the inbox is
 * closed: `SharedMemory.unlink` takes its name away.
 *
 * @throws {PosixError} `EEXIST` if there is memory of that name, `ENOSPC` if /dev/shm is full.
 * @throws {RangeError} If a number of the size is none.
 */
export function createRingInbox(name: string, size: RingSize = RING_SIZE): Inbox {
  const { lanes, messageBytes, controlBytes } = size;
  const messages = { lanes, capacityBytes: messageBytes };
  const control = { lanes, capacityBytes: controlBytes };
  const controlOffset = RINGS_OFFSET + MpscRing.bytesFor(messages);
  const byteLength = controlOffset + MpscRing.bytesFor(control);
  const memory = SharedMemory.create(name, { byteLength });
  return closingOnError(memory, () => {
    MpscRing.format(memory.bytes.subarray(RINGS_OFFSET), messages);
    MpscRing.format(memory.bytes.subarray(controlOffset), control);
    // The last: who opens a memory that is not ready is refused by it.
    EventCount.format(memory.buffer, NOT_EMPTY_OFFSET, { target: name });
    return new RingInbox(memory);
  });
}

/**
 * Goes on with shared memory that is there, and with the frames in it.
 *
 * @throws {PosixError} `ENOENT` if there is none, `EBUSY` if it has an inbox in a thread that lives.
 * @throws {LayoutError} If it is no ring carrier, or was not finished.
 */
export function openRingInbox(name: string): RingInbox {
  const memory = SharedMemory.open(name);
  return closingOnError(memory, () => new RingInbox(memory));
}

/**
 * Opens an end where frames go in: takes a lane, which an outbox whose thread died has left, too.
 *
 * @throws {PosixError} `ENOENT` if there is none, `EBUSY` if all its lanes are taken: the hint says
 * how many it has.
 * @throws {LayoutError} If it is no ring carrier, or was not finished.
 */
export function openRingOutbox(name: string): Outbox {
  const memory = SharedMemory.open(name);
  return closingOnError(memory, () => new CarrierOutbox(new RingWay(memory)));
}

/** What is in the memory of a ring carrier. */
class RingParts {
  readonly notEmpty: EventCount;
  readonly rings: Record<Lane, MpscRing>;
  readonly counts: Int32Array<SharedArrayBuffer>;
  readonly maxFrameBytes: number;

  /** @throws {LayoutError} If it is not there, or does not fit. */
  constructor(memory: SharedMemory) {
    const message = ringAt(memory, RINGS_OFFSET);
    const control = ringAt(memory, RINGS_OFFSET + MpscRing.bytesFor(message));
    this.notEmpty = EventCount.attach(memory.buffer, NOT_EMPTY_OFFSET, { target: memory.name });
    this.rings = { message, control };
    this.counts = new Int32Array(memory.buffer, COUNTS_OFFSET, COUNTS);
    this.maxFrameBytes = Math.min(message.maxRecordBytes, control.maxRecordBytes);
  }
}

/** The smallest ring there is. */
const LEAST_RING_BYTES = MpscRing.bytesFor({ lanes: 1, capacityBytes: 64 });

/** Uses the ring that begins somewhere in some memory. */
function ringAt({ name, bytes }: SharedMemory, byteOffset: number): MpscRing {
  const leastBytes = byteOffset + LEAST_RING_BYTES;
  if (bytes.byteLength >= leastBytes) return MpscRing.attach(bytes.subarray(byteOffset));
  throw new LayoutError({
    action: "open the ring carrier",
    target: name,
    found: `${bytes.byteLength} bytes`,
    expected: `at least ${leastBytes}`,
  });
}

/** How frames come out of shared memory. */
export class RingInbox implements Inbox {
  readonly carrier = "ring";
  readonly name: string;
  readonly maxFrameBytes: number;
  readonly #memory: SharedMemory;
  readonly #parts: RingParts;
  readonly #consumers: Record<Lane, CountedConsumer>;
  #priority = 0;
  #isClosed = false;

  /** Made by the functions above. */
  constructor(memory: SharedMemory) {
    this.name = memory.name;
    this.#memory = memory;
    const parts = this.#parts = new RingParts(memory);
    this.maxFrameBytes = parts.maxFrameBytes;
    const { rings, counts } = parts;
    const message = new CountedConsumer(rings.message.consumer(), counts, COUNT_INDEX.message);
    try {
      const control = new CountedConsumer(rings.control.consumer(), counts, COUNT_INDEX.control);
      this.#consumers = { message, control };
    } catch (error) {
      message.close();
      throw error;
    }
  }

  get depth(): number {
    this.#checkOpen();
    const { message, control } = this.#parts.rings;
    return message.usedBytes + control.usedBytes;
  }

  get priority(): number {
    return this.#priority;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  tryTake(into: Uint8Array): number | undefined {
    this.#check(into);
    return this.#takeInto(into, false);
  }

  /**
   * Reads the next message in place, and takes it when the function returns.
   *
   * @param isThorough Whether to look into the lanes, also where nothing was counted.
   * @returns False when there is none.
   */
  tryRead(read: MarkedReader, isThorough: boolean): boolean {
    this.#checkOpen();
    return this.#consumers.message.tryRead(read, isThorough);
  }

  /** Tries, then tries again whenever something was published, until it works. */
  until<T>(attempt: () => T | undefined, options: CarrierWait): Promise<T> {
    this.#checkOpen();
    return this.#parts.notEmpty.wait(attempt, options);
  }

  take(into: Uint8Array, options: TakeWait = {}): Promise<number> {
    try {
      this.#check(into);
      // As long as the wait spins, a look costs two loads. Once it is parked each is a thorough one:
      // somebody may have been killed between publishing and counting.
      let isThorough = false;
      const attempt = () => {
        const byteLength = this.#takeInto(into, isThorough);
        if (byteLength !== undefined) options.taken?.(byteLength);
        return byteLength;
      };
      const waiting = this.#parts.notEmpty.wait(attempt, options);
      isThorough = true;
      return waiting;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.notEmpty.end(this.#closedError());
    for (const consumer of Object.values(this.#consumers)) consumer.close();
    this.#memory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #takeInto(into: Uint8Array, isThorough: boolean): number | undefined {
    const { control, message } = this.#consumers;
    return this.#from(control, into, isThorough) ?? this.#from(message, into, isThorough);
  }

  #from(consumer: CountedConsumer, into: Uint8Array, isThorough: boolean): number | undefined {
    const byteLength = consumer.tryPopInto(into, isThorough);
    if (byteLength !== undefined) this.#priority = consumer.priority;
    return byteLength;
  }

  #check(into: Uint8Array): void {
    this.#checkOpen();
    checkBuffer(this.name, into, this.maxFrameBytes);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): ClosedError {
    return new ClosedError("the inbox of", this.name);
  }
}

/** How frames go into shared memory. */
class RingWay implements Way {
  readonly carrier = "ring";
  readonly target: string;
  readonly maxFrameBytes: number;
  readonly capacity: number;
  readonly #memory: SharedMemory;
  readonly #notEmpty: EventCount;
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #producers: Record<Lane, RingProducer>;

  constructor(memory: SharedMemory) {
    const { rings, notEmpty, counts, maxFrameBytes } = new RingParts(memory);
    this.target = memory.name;
    this.maxFrameBytes = maxFrameBytes;
    this.capacity = rings.message.capacityBytes;
    this.#memory = memory;
    this.#notEmpty = notEmpty;
    this.#counts = counts;
    const message = producerOf(rings.message, memory.name);
    try {
      this.#producers = { message, control: producerOf(rings.control, memory.name) };
    } catch (error) {
      message.close();
      throw error;
    }
    // What a dead predecessor has published and not counted any more.
    for (const lane of ["message", "control"] as const) this.#count(lane);
  }

  depth(): number {
    return usedBytesOf(this.#producers.message);
  }

  sendNow(frame: Uint8Array, lane: Lane, priority: number): boolean {
    if (!tryPushMarked(this.#producers[lane], frame, priority)) return false;
    this.#count(lane);
    return true;
  }

  awaitRoom(lane: Lane, attempt: () => true | undefined, signal: AbortSignal): Promise<unknown> {
    return awaitRoom(this.#producers[lane], attempt, signal);
  }

  close(): void {
    for (const producer of Object.values(this.#producers)) producer.close();
    this.#memory.close();
  }

  #count(lane: Lane): void {
    // SYNC: pairs with the load in CountedConsumer: who sees the count sees the record.
    Atomics.add(this.#counts, COUNT_INDEX[lane], 1);
    this.#notEmpty.notify();
  }
}

/** Takes a lane; says how many there are when all are taken. */
function producerOf(ring: MpscRing, target: string): RingProducer {
  try {
    return ring.producer();
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== "EBUSY") throw error;
    throw new PosixError({
      action: "open an outbox to",
      target,
      syscall: error.syscall,
      code: error.code,
      errno: error.errno,
      description: `all of its ${ring.lanes} lanes are taken`,
      hint: "each outbox has a lane until it is closed or its thread ends; make the ring with more",
    });
  }
}

/** Makes what uses some memory; closes that when it cannot be made. */
function closingOnError<T>(memory: SharedMemory, make: () => T): T {
  try {
    return make();
  } catch (error) {
    memory.close();
    throw error;
  }
}
