/** The limit behind EMFILE, which every call that opens something can give. */

import { C, STRUCTS } from "./abi.ts";
import { Struct } from "./bytes.ts";
import { sys } from "./load.ts";

/** The way out when the process has no descriptor left: RLIMIT_NOFILE, as it is now. */
export function descriptorHint(code: string): string | undefined {
  if (code !== "EMFILE") return undefined;
  const limit = new Struct(STRUCTS.rlimit.bytes);
  // LINUX: fails only for a limit that does not exist; not checked, for it words a refusal.
  sys().c.getrlimit(C.RLIMIT_NOFILE, limit.bytes);
  return `RLIMIT_NOFILE allows this process ${
    limit.u64(STRUCTS.rlimit.rlim_cur)
  } descriptors and ` +
    "all are open; close some or raise it: ulimit -n";
}
