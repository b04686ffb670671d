/** Who handles the messages of the torture, in a process of its own: the same with slots and without. */

import {
  actor,
  type Delivery,
  handledIds,
  type ModuleMeta,
  msg,
  once,
  protocol,
} from "../../../src/actor/mod.ts";
import { record, Region, struct, u32 } from "../../../src/region/mod.ts";
import { CLASSES, EMPTY, Ledger, messageId } from "./ledger.ts";
import { readPayload } from "./payload.ts";

/** What once() changes: how many messages had their effect. */
export const Effects = struct("effects", {
  done: record({ count: u32, handled: handledIds(64) }),
});

/** Where what has happened is written. */
export interface Places {
  readonly ledger: string;
  readonly lives: number;
  readonly effects: string;
}

/** What it understands. */
export type Works = ReturnType<typeof worksOf>;

/** Makes what it understands. */
export function worksOf(name: string, delivery: Delivery) {
  return protocol(name, {
    take: msg(undefined, { codec: "raw", delivery }),
    /** Answered when all that came before is handled. */
    flush: msg().reply(),
  });
}

/** Makes what it does. */
export function receiverOf(meta: ModuleMeta, works: Works) {
  return actor(meta, works, (_context, places: Places) => {
    const ledger = Ledger.open(places.ledger, places.lives);
    const { done } = Region.open(places.effects, Effects).fields;
    let isFirst = true;
    ledger.begin("receiver");
    return {
      async take(bytes, turn) {
        // What a predecessor had in hand comes first, and is the one message that may come again.
        const mayRepeat = isFirst && turn.attempt > 1;
        isFirst = false;
        const id = messageId(turn.id), life = ledger.lifeOf(id), { sequence } = id;
        const said = bytes.length === 0 ? { life, sequence, of: EMPTY } : readPayload(bytes);
        if (said?.life !== life || said.sequence !== sequence || life < 0) return ledger.torn();
        if (turn.priority !== CLASSES[said.of]!.priority) return ledger.torn();
        // There is more time between two steps for some: a kill may fall anywhere.
        if (sequence % 4 === 1) await nextTurn();
        once(done, turn.id, (draft) => void draft.count++);
        ledger.handled(life, sequence, said.of, mayRepeat);
        if (sequence % 4 === 2) await nextTurn();
      },
      flush() {},
    };
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
