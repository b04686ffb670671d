/** How an end is told to other endpoints: anything may have been thrown, and not all of it crosses. */

import type { Exit } from "../errors.ts";
import { decodeError, encodeError } from "../wire/error_codec.ts";

/** The same end; what was thrown is an error that crosses, with all that is known of it. */
export function exitToSend(exit: Exit): Exit {
  switch (exit.kind) {
    case "threw":
      return { kind: "threw", error: decodeError(encodeError(exit.error)) };
    case "gave-up":
      return { ...exit, last: exitToSend(exit.last) };
    default:
      return exit;
  }
}
