/** segment NAME: SharedMemory.open, one byte touched, close; bench/c/segment.c is the same in C. */

import { SharedMemory } from "../../mod.ts";
import { args, must, serve } from "./loop.ts";

const [name] = args("NAME") as [string];

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    const memory = SharedMemory.open(name);
    must(memory.bytes[0] === 0, "SharedMemory.open");
    memory.close();
  }
});
