/**
 * Slab: payloads that are too large for a frame, in shared memory, and who owns each.
 *
 * Rule: a block has one owner at every instant, by one word; slab_layout.ts draws the states and
 * proves what may be freed after a death. A descriptor that came in a frame is only a claim: it is
 * bounded, and gets a payload if the block is in that generation and has that checksum.
 */

import { PosixError } from "../../errors.ts";
import { refuse } from "../../life/inside.ts";
import { crc32c } from "../wire/crc32c.ts";
import type { SlabDescriptor } from "../wire/frame.ts";
import { type Directory, memoryOf } from "./directory.ts";
import type { DirectoryMemory } from "./directory_memory.ts";
import { HandOvers } from "./hand_overs.ts";
import { type Owner, ownerOf, wordOf } from "./owner.ts";
import {
  blockBytesOf,
  FREE,
  IN_FLIGHT,
  MAX_PAYLOAD_BYTES,
  maxBlocksOf,
  QUEUED,
  segmentFor,
  WRITING,
} from "./slab_layout.ts";
import { reclaimIn, recoverIn } from "./slab_recovery.ts";
import type { MailboxKey, SlabSegment } from "./slab_segment.ts";
import { SlabSegments } from "./slab_segments.ts";

/** A block that there is, by a descriptor. */
interface Place {
  readonly segment: SlabSegment;
  readonly block: number;
}

/** The slab of a system, held by one of its endpoints. */
export class Slab implements Disposable {
  readonly #directory: DirectoryMemory;
  readonly #self: Owner;
  readonly #segments: SlabSegments;
  readonly #handOvers: HandOvers;
  readonly #keys = new Map<string, MailboxKey>();

  private constructor(directory: Directory, endpoint: number, incarnation: number) {
    this.#directory = memoryOf(directory);
    this.#self = ownerOf(endpoint, incarnation);
    this.#segments = new SlabSegments(directory);
    this.#handOvers = new HandOvers(this.#directory, endpoint);
  }

  /**
   * Opens the slab for an endpoint that has begun. It makes nothing: memory comes with the first
   * payload of its size.
   *
   * @param directory The endpoint's own; stays open as long as the slab.
   */
  static open(directory: Directory, endpoint: number, incarnation: number): Slab {
    return new Slab(directory, endpoint, incarnation);
  }

  /**
   * Claims a block for a payload of so many bytes, which is this endpoint's then and is not written.
   *
   * @param leavesOne As for {@linkcode Slab.tryWrite}, and the rest as well.
   */
  tryClaim(byteLength: number, leavesOne = false): SlabDescriptor | undefined {
    checkPayloadBytes(byteLength);
    const segment = this.#segments.writable(segmentFor(byteLength));
    const block = this.#claim(segment);
    if (block === undefined) return undefined;
    const generation = segment.generationOf(block);
    if (leavesOne && !segment.hasRoom) {
      segment.exchange(block, wordOf(WRITING, this.#self), wordOf(FREE, generation));
      return undefined;
    }
    return { segment: segment.index, block, generation, byteLength, crc: 0 };
  }

  /**
   * Copies a payload into a block, which is this endpoint's then: send it after {@linkcode
   * Slab.queue}, or {@linkcode Slab.free} it.
   *
   * @param leavesOne Whether the last block is left to others: to answers, which nobody's wait for a
   * message may hold up.
   * @returns `undefined` when no block of the size is free now.
   * @throws {RangeError} If the payload has more than 64 MiB.
   * @throws {PosixError} `ENOSPC` or `ENOMEM` if there is no room in /dev/shm for one such block.
   */
  tryWrite(payload: Uint8Array, leavesOne = false): SlabDescriptor | undefined {
    const { byteLength } = payload, claimed = this.tryClaim(byteLength, leavesOne);
    if (claimed === undefined) return undefined;
    const { segment, block } = this.#own(claimed, "write");
    segment.claimedBytes(block, byteLength).set(payload);
    return { ...claimed, crc: crc32c(payload, 0, byteLength) };
  }

  /**
   * The same for who cannot wait.
   *
   * @throws {PosixError} Also `ENOSPC` if no block of the size is free now.
   */
  write(payload: Uint8Array): SlabDescriptor {
    return this.tryWrite(payload) ?? this.#full(payload.byteLength);
  }

  /**
   * Gives a block to its message: from here on it outlives this endpoint. Call it immediately before
   * each attempt to send, in the same turn of the event loop; and {@linkcode Slab.unqueue} after one
   * that failed.
   *
   * @param mailbox The endpoint whose inbox it goes to, or the name of a mailbox.
   * @throws {TypeError} If the block is not being written by this endpoint.
   */
  queue(descriptor: SlabDescriptor, mailbox: number | string): void {
    const { segment, block } = this.#own(descriptor, "queue");
    segment.address(block, this.#self, this.#keyOf(mailbox));
    this.#handOvers.begin();
    const writing = wordOf(WRITING, this.#self);
    if (!segment.exchange(block, writing, wordOf(QUEUED, descriptor.generation))) {
      throw notOwn("queue", descriptor);
    }
  }

  /**
   * Takes a block back: the attempt to send it has failed.
   *
   * @throws {TypeError} If the block is not queued any more.
   */
  unqueue(descriptor: SlabDescriptor): void {
    const place = this.#placeOf(descriptor), queued = wordOf(QUEUED, descriptor.generation);
    if (place?.segment.exchange(place.block, queued, wordOf(WRITING, this.#self))) return;
    throw notOwn("take back", descriptor);
  }

  /**
   * Says that a message is about to be taken from a mailbox that others take from too, in this turn
   * of the event loop. Without it their {@linkcode Slab.recover} could free the block in between.
   */
  taking(): void {
    this.#handOvers.begin();
  }

  /**
   * Takes the payload of a message that was received. The block is free again.
   *
   * @returns A copy; `undefined` when there is no such payload: the descriptor is old, or was never
   * anything, or the bytes are others than were written.
   */
  take(descriptor: SlabDescriptor): Uint8Array<ArrayBuffer> | undefined {
    const place = this.#placeOf(descriptor);
    if (place === undefined) return undefined;
    const { segment, block } = place, { generation } = descriptor;
    const taken = wordOf(IN_FLIGHT, this.#self);
    if (!segment.exchange(block, wordOf(QUEUED, generation), taken)) return undefined;
    try {
      return copyOf(place, descriptor);
    } finally {
      segment.exchange(block, taken, wordOf(FREE, generation));
    }
  }

  /**
   * Copies the payload of a message that was received and is kept: the block stays as it is, until
   * {@linkcode Slab.free}.
   *
   * @returns As {@linkcode Slab.take} does.
   */
  read(descriptor: SlabDescriptor): Uint8Array<ArrayBuffer> | undefined {
    const place = this.#placeOf(descriptor), queued = wordOf(QUEUED, descriptor.generation);
    if (place?.segment.wordOf(place.block) !== queued) return undefined;
    return copyOf(place, descriptor);
  }

  /**
   * Frees a block without reading it: one that this endpoint wrote and does not send, or that of a
   * message that it received. Does nothing for one that is free already.
   */
  free(descriptor: SlabDescriptor): void {
    const place = this.#placeOf(descriptor);
    if (place === undefined) return;
    const { segment, block } = place, { generation } = descriptor;
    const word = segment.wordOf(block);
    const isOurs = word === wordOf(QUEUED, generation) ||
      (word === wordOf(WRITING, this.#self) && segment.generationOf(block) === generation);
    if (isOurs) segment.exchange(block, word, wordOf(FREE, generation));
  }

  /**
   * Frees what a dead endpoint was writing or reading. May be done again, and by several.
   *
   * @returns How many blocks that were.
   * @throws {TypeError} If that incarnation lives.
   */
  reclaim(endpoint: number, incarnation: number): number {
    const dead = ownerOf(endpoint, incarnation);
    if (this.#directory.isRunning(dead)) {
      throw new TypeError(
        `Cannot reclaim the blocks of endpoint ${endpoint}: its incarnation ${incarnation} lives, ` +
          "expected a dead one",
      );
    }
    return this.#segments.sumOf((segment) => reclaimIn(segment, (owner) => owner === dead));
  }

  /**
   * Frees the blocks whose messages are gone: their sender, or whoever had taken them, was killed
   * over them. For who takes from a mailbox, between two takes: after a death was told, and when it
   * begins in the place of a dead one.
   *
   * @param mailbox As it was given to {@linkcode Slab.queue}.
   * @param isEmpty Whether the mailbox has no message now; of one that was unlinked, true.
   * @param isShared Whether others take from it, too: they call {@linkcode Slab.taking}.
   * @returns How many blocks that were. One that cannot be told yet is found another time.
   */
  recover(
    mailbox: number | string,
    isEmpty: () => boolean,
    isShared: boolean = typeof mailbox === "string",
  ): number {
    const emptied = { key: this.#keyOf(mailbox), isEmpty, isShared };
    return this.#segments.sumOf((segment) => recoverIn(segment, emptied, this.#handOvers));
  }

  /** Whether {@linkcode Slab.close} was called. */
  get closed(): boolean {
    return this.#segments.closed;
  }

  /** Gives it up; the memory and what is in it stay. Closing twice is allowed and does nothing. */
  close(): void {
    this.#handOvers.end();
    this.#segments.close();
  }

  /** The same as {@linkcode Slab.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #claim(segment: SlabSegment): number | undefined {
    const block = claimIn(segment, this.#self);
    if (block !== undefined) return block;
    // Before it is called full: nobody may have told of a death yet.
    const running = new Map<Owner, boolean>();
    const isDead = (owner: Owner) => {
      if (!running.has(owner)) running.set(owner, this.#directory.isRunning(owner));
      return !running.get(owner)!;
    };
    return reclaimIn(segment, isDead) > 0 ? claimIn(segment, this.#self) : undefined;
  }

  #own(descriptor: SlabDescriptor, action: string): Place {
    const place = this.#placeOf(descriptor);
    if (place?.segment.generationOf(place.block) !== descriptor.generation) {
      throw notOwn(action, descriptor);
    }
    return place;
  }

  /** The block of a descriptor, which may be anything. */
  #placeOf({ segment: index, block }: SlabDescriptor): Place | undefined {
    const segment = this.#segments.readable(index);
    return segment !== undefined && block < segment.count ? { segment, block } : undefined;
  }

  #keyOf(mailbox: number | string): MailboxKey {
    if (typeof mailbox === "number") return { low: mailbox, high: 0 };
    let key = this.#keys.get(mailbox);
    if (key === undefined) this.#keys.set(mailbox, key = keyOfName(mailbox));
    return key;
  }

  #full(byteLength: number): never {
    const index = segmentFor(byteLength);
    const hint =
      `${maxBlocksOf(index)} payloads of up to ${blockBytesOf(index)} bytes are on their ` +
      "way at most; wait until some were received";
    throw refuse(
      "ENOSPC",
      "posix_fallocate",
      "write a payload to slab",
      this.#directory.system,
      hint,
    );
  }
}

/** The payload in a block; undefined when its bytes are others than were written. */
function copyOf(
  { segment, block }: Place,
  { byteLength, crc }: SlabDescriptor,
): Uint8Array<ArrayBuffer> | undefined {
  if (byteLength > blockBytesOf(segment.index)) return undefined;
  // Copied before it is judged: whoever may write there could change it in between.
  const payload = segment.bytesOf(block, byteLength)?.slice() as Uint8Array<ArrayBuffer>;
  return payload !== undefined && crc32c(payload, 0, byteLength) === crc ? payload : undefined;
}

/** @throws {RangeError} If a payload has more than 64 MiB. */
export function checkPayloadBytes(byteLength: number): void {
  if (byteLength <= MAX_PAYLOAD_BYTES) return;
  throw new RangeError(
    `Cannot send a payload of ${byteLength} bytes: expected at most ${MAX_PAYLOAD_BYTES}; ` +
      "put it into a region or a file, and send its name",
  );
}

/** A free block; a segment that cannot grow any more is full when it has blocks. */
function claimIn(segment: SlabSegment, owner: Owner): number | undefined {
  try {
    return segment.claim(owner);
  } catch (error) {
    if (!(error instanceof PosixError) || segment.count === 0) throw error;
    if (error.code === "ENOSPC" || error.code === "ENOMEM") return undefined;
    throw error;
  }
}

function notOwn(action: string, { segment, block, generation }: SlabDescriptor): TypeError {
  return new TypeError(
    `Cannot ${action} block ${block} of segment ${segment}, generation ${generation}: it is not ` +
      "this endpoint's in that generation, expected one that write() gave",
  );
}

const encoder = new TextEncoder();

/** FNV-1a, 64 bits, with the highest one set, which no number has. */
function keyOfName(mailbox: string): MailboxKey {
  let hash = 0xcbf29ce484222325n;
  for (const byte of encoder.encode(mailbox)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  const low = Number(BigInt.asIntN(32, hash)), high = Number(BigInt.asIntN(32, hash >> 32n));
  return { low, high: high | 0x80000000 };
}
