/** memory_read NAME: memory.read of 64 bytes at 0; bench/c/memory_read.c is the same in C. */

import { SharedMemory } from "../../mod.ts";
import { args, must, serve } from "./loop.ts";

const [name] = args("NAME") as [string];
using memory = SharedMemory.open(name);
const range = { offset: 0, byteLength: 64 };

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    must(memory.read(range).byteLength === 64, "memory.read");
  }
});
