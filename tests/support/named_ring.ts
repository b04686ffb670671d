/** A ring in shared memory that other processes can open. */

import "./loaded.ts";
import { MpscRing, SharedMemory } from "../../mod.ts";
import { memoryName } from "./names.ts";

/** A ring whose memory has a name; closed and unlinked at the end of the scope. */
export class NamedRing implements Disposable {
  readonly #name = memoryName();
  readonly name: string = this.#name.name;
  readonly memory: SharedMemory;
  readonly ring: MpscRing;

  constructor(shape: { lanes: number; capacityBytes: number }) {
    this.memory = SharedMemory.create(this.name, { byteLength: MpscRing.bytesFor(shape) });
    this.ring = MpscRing.format(this.memory.bytes, shape);
  }

  [Symbol.dispose](): void {
    this.memory.close();
    this.#name[Symbol.dispose]();
  }
}
