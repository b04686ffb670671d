/** An actor that says whether its thread uses the native driver, for tests. */

import { actor, msg, protocol } from "../../src/actor/mod.ts";
import { bool, struct } from "../../src/region/mod.ts";
import { nativeInUse } from "../../src/sys/load.ts";

const Answer = struct("answer", { isNative: bool });

export const Witness = protocol("test.witness", { isNative: msg().reply(Answer) });

export default actor(import.meta, Witness, () => ({
  isNative: () => ({ isNative: nativeInUse() !== undefined }),
}));
