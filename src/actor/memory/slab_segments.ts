/**
 * The segments of a slab that an endpoint has open: each opened when it is first needed, and made,
 * and recorded in the directory before that, when something is first written to it.
 */

import { ClosedError } from "../../errors.ts";
import { unless } from "../../life/inside.ts";
import { SharedMemory } from "../../shm/mod.ts";
import { type Directory, memoryOf } from "./directory.ts";
import { slabName } from "./names.ts";
import { blockOffset, maxBlocksOf, SEGMENTS } from "./slab_layout.ts";
import { SlabSegment } from "./slab_segment.ts";

/** What a segment is opened or made with. */
interface Sizes {
  readonly byteLength: number;
  readonly maxByteLength: number;
}

/** The open segments. */
export class SlabSegments {
  readonly #directory: Directory;
  readonly #run: bigint;
  readonly #open: (SlabSegment | undefined)[] = [];
  #closed = false;

  constructor(directory: Directory) {
    this.#directory = directory;
    this.#run = memoryOf(directory).run;
  }

  /** A segment, made if there is none. */
  writable(index: number): SlabSegment {
    return this.#open[index] ?? this.#keep(index, (name, sizes) => {
      this.#directory.record("memory", name);
      return SharedMemory.openOrCreate(name, sizes);
    })!;
  }

  /** A segment, if somebody has made it; undefined also for what is none. */
  readable(index: number): SlabSegment | undefined {
    if (index >= SEGMENTS) return undefined;
    return this.#open[index] ?? this.#keep(index, (name, { byteLength, maxByteLength }) => {
      const memory = unless("ENOENT", () => SharedMemory.open(name, { maxByteLength }));
      if (memory === undefined || memory.byteLength >= byteLength) return memory;
      memory.close(); // somebody is about to make it
      return undefined;
    });
  }

  /** Does something with each that there is; the sum of what that gives. */
  sumOf(act: (segment: SlabSegment) => number): number {
    let sum = 0;
    for (let index = 0; index < SEGMENTS; index++) {
      const segment = this.readable(index);
      if (segment !== undefined) sum += act(segment);
    }
    return sum;
  }

  /** Whether {@linkcode SlabSegments.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Closes them. Closing twice is allowed and does nothing. */
  close(): void {
    this.#closed = true;
    for (const segment of this.#open.splice(0)) segment?.close();
  }

  #keep(
    index: number,
    open: (name: string, sizes: Sizes) => SharedMemory | undefined,
  ): SlabSegment | undefined {
    const { system } = this.#directory;
    if (this.#closed) throw new ClosedError("slab", system);
    const memory = open(slabName(system, index), {
      byteLength: blockOffset(index, 0),
      maxByteLength: blockOffset(index, maxBlocksOf(index)),
    });
    if (memory === undefined) return undefined;
    try {
      return this.#open[index] = new SlabSegment(memory, index, this.#run);
    } catch (error) {
      memory.close();
      throw error;
    }
  }
}
