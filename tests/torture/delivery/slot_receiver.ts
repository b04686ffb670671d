/** The receiver with slots: what it had in hand is the next one's. */

import { receiverOf, worksOf } from "./receiver.ts";

export default receiverOf(import.meta, worksOf("torture.slots", "at-least-once"));
