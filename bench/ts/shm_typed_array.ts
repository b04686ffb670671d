/**
 * shm_typed_array FOLDER NAME: get of the npm package shm-typed-array, one byte touched, detach;
 * bench/c/segment.c is the same in C.
 */

import { args, must, required, serve } from "./loop.ts";

/** What is used of it. */
interface ShmTypedArray {
  get(name: string, type: "Uint8Array"): Uint8Array;
  /** 1 when it is detached. */
  detach(name: string): number;
}

const [folder, name] = args("FOLDER", "NAME") as [string, string];
const shm = required(folder, "shm-typed-array") as ShmTypedArray;

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    must(shm.get(name, "Uint8Array")[0] === 0, "get");
    must(shm.detach(name) === 1, "detach");
  }
});
