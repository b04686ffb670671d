/**
 * A ring in memory: its lanes, its event counts, and who may take its roles.
 *
 * Rule: a role is taken before anything of its lane is looked at, and released when that throws.
 */

import type { PosixError } from "../errors.ts";
import { refuse } from "../sys/mod.ts";
import { EventCount } from "../wait/mod.ts";
import { makeConsumer, type RingConsumer } from "./consumer.ts";
import { Lane, TARGET } from "./lane.ts";
import { makeProducer, type RingProducer } from "./producer.ts";
import { attachRing, formatRing, type FormattedRing, type RingShape } from "./ring_header.ts";
import {
  CONSUMER_LOCK_OFFSET,
  laneOffset,
  NOT_EMPTY_OFFSET,
  PRODUCER_LOCK_OFFSET,
} from "./ring_layout.ts";
import { type Role, tryTakeRole } from "./role.ts";

/** Memory with a ring in it. */
export class RingMemory {
  readonly lanes: number;
  readonly capacityBytes: number;
  readonly #ring: FormattedRing;

  private constructor(ring: FormattedRing) {
    this.lanes = ring.lanes;
    this.capacityBytes = ring.capacityBytes;
    this.#ring = ring;
  }

  /** Makes zeroed memory a ring. */
  static format(memory: Uint8Array<SharedArrayBuffer>, shape: RingShape): RingMemory {
    return new RingMemory(formatRing(memory, shape));
  }

  /** Uses the ring that somebody made. */
  static attach(memory: Uint8Array<SharedArrayBuffer>): RingMemory {
    return new RingMemory(attachRing(memory));
  }

  /** How many bytes of the lanes are used now. */
  usedBytes(): number {
    let usedBytes = 0;
    for (let index = 0; index < this.lanes; index++) usedBytes += this.#lane(index).usedBytes();
    return usedBytes;
  }

  /** Becomes the producer of the first lane that has none. */
  producer(): RingProducer {
    for (let index = 0; index < this.lanes; index++) {
      const role = this.#tryTake(this.#laneOffset(index) + PRODUCER_LOCK_OFFSET);
      if (role === undefined) continue;
      return releasing(role, () => {
        return makeProducer({ lane: this.#lane(index), notEmpty: this.#notEmpty(), role });
      });
    }
    throw busy("become a producer of", this.lanes === 1 ? "it has one" : "each lane has one");
  }

  /** Becomes the consumer. */
  consumer(): RingConsumer {
    const role = this.#tryTake(this.#ring.byteOffset + CONSUMER_LOCK_OFFSET);
    if (role === undefined) throw busy("become the consumer of", "it has one");
    return releasing(role, () => {
      const lanes = Array.from({ length: this.lanes }, (_, index) => this.#lane(index));
      return makeConsumer({ lanes, notEmpty: this.#notEmpty(), role });
    });
  }

  #tryTake(byteOffset: number): Role | undefined {
    return tryTakeRole(this.#ring.buffer, byteOffset, this.#ring.locks);
  }

  #notEmpty(): EventCount {
    const byteOffset = this.#ring.byteOffset + NOT_EMPTY_OFFSET;
    return EventCount.attach(this.#ring.buffer, byteOffset, { target: TARGET });
  }

  #lane(index: number): Lane {
    return new Lane(this.#ring.buffer, this.#laneOffset(index), this.capacityBytes);
  }

  #laneOffset(index: number): number {
    return this.#ring.byteOffset + laneOffset(index, this.capacityBytes);
  }
}

/** Makes what has a role; releases the role when that throws. */
function releasing<T>(role: Role, make: () => T): T {
  try {
    return make();
  } catch (error) {
    role.release();
    throw error;
  }
}

function busy(action: string, why: string): PosixError {
  return refuse("EBUSY", "pthread_mutex_trylock", action, TARGET, `${why}, in a thread that lives`);
}
