/** native_checksum BYTES NATIVE: the checksum of so many bytes, with the native driver or without. */

import { MessageQueue } from "../../mod.ts";
import { crc32c } from "../../src/actor/wire/crc32c.ts";
import { args, must, serve } from "./loop.ts";
import { chooseDriver } from "./native_choice.ts";

const [byteLength, native] = args("BYTES", "NATIVE") as [string, string];
chooseDriver(native);
MessageQueue.limits(); // the driver is loaded at the first use

const bytes = new Uint8Array(Number(byteLength)).map((_, index) => index * 7);
const expected = crc32c(bytes, 0, bytes.length);

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    must(crc32c(bytes, 0, bytes.length) === expected, "crc32c");
  }
});
