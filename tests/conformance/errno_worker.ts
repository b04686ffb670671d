/** A thread that fails with ENAMETOOLONG only, while another one fails with other codes. */

import { parentPort } from "node:worker_threads";
import { MessageQueue, PosixError } from "../../mod.ts";

const CALLS = 4000;

parentPort!.once("message", (name: string) => {
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
  parentPort!.postMessage({ calls: CALLS, codes: [...codes] });
});
