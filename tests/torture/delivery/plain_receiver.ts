/** The receiver without slots: what it had in hand dies with it. */

import { receiverOf, worksOf } from "./receiver.ts";

export default receiverOf(import.meta, worksOf("torture.plain", "at-most-once"));
