/** A thread that fails with ENAMETOOLONG only, while another one fails with other codes. */

/// <reference lib="deno.worker" />

import { MessageQueue, PosixError } from "../../mod.ts";

const CALLS = 4000;

self.onmessage = ({ data: name }: MessageEvent<string>) => {
  const codes = new Set<string>();
  const tooLong = name.padEnd(300, "x");
  for (let call = 0; call < CALLS; call++) {
    try {
      MessageQueue.open(tooLong).close();
      codes.add("ok");
    } catch (error) {
      codes.add(error instanceof PosixError ? error.code : String(error));
    }
  }
  self.postMessage({ calls: CALLS, codes: [...codes] });
};
