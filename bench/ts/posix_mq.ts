/**
 * posix_mq FOLDER NAME BYTES: push and shift of the npm package posix-mq, on one handle;
 * bench/c/send_receive.c is the same in C.
 */

import { Buffer } from "node:buffer";
import { args, must, required, serve } from "./loop.ts";

/** What is used of it. */
interface PosixMq {
  open(config: Record<string, unknown>): void;
  unlink(): void;
  close(): void;
  push(data: Buffer): boolean;
  shift(into: Buffer): number | false;
}

const [folder, name, bytes] = args("FOLDER", "NAME", "BYTES") as [string, string, string];
const byteLength = Number(bytes);
const queue = new (required(folder, "posix-mq") as new () => PosixMq)();
queue.open({ name, create: true, exclusive: true, mode: 0o600, maxmsgs: 1, msgsize: byteLength });
queue.unlink();
const sent = Buffer.alloc(byteLength, "x");
const received = Buffer.alloc(byteLength);

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    must(queue.push(sent), "push");
    must(queue.shift(received) === byteLength, "shift");
  }
});
queue.close();
