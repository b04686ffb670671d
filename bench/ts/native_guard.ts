/**
 * native_guard WHAT NATIVE: memory that nobody cuts off, guarded by the native driver or not.
 *
 * WHAT: `view`, 512 words of a view that was taken once; `bytes`, the view asked for each time and
 * one byte of it; `field`, a field of a region loaded.
 */

import { Region, SharedMemory, struct, u32 } from "../../mod.ts";
import { args, must, serve } from "./loop.ts";
import { chooseDriver } from "./native_choice.ts";

const [what, native] = args("WHAT", "NATIVE") as [string, string];
chooseDriver(native);
using memory = SharedMemory.anonymous({ byteLength: 4096 });
using region = Region.anonymous(struct("guarded", { hits: u32 }));
const words = new Float64Array(memory.buffer, 0, 512).fill(1);

const LOOPS: Record<string, (iterations: number) => void> = {
  view(iterations) {
    for (let i = 0; i < iterations; i++) {
      let sum = 0;
      for (let index = 0; index < 512; index++) sum += words[index]!;
      must(sum === 512, "the sum");
    }
  },
  bytes(iterations) {
    for (let i = 0; i < iterations; i++) must(memory.bytes[0] === 0, "a byte");
  },
  field(iterations) {
    for (let i = 0; i < iterations; i++) must(region.fields.hits.load() === 0, "a load");
  },
};

serve(LOOPS[what]!);
