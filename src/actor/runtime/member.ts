/** What a supervisor starts and ends: an actor, wherever it lives. */

import type { Exit } from "../errors.ts";
import type { Address } from "../protocol/ref.ts";
import type { Supervised } from "../supervision/supervised.ts";

/** An actor under supervision; its incarnations come one after the other. */
export interface Member extends Supervised {
  /** Where it is reached, in all its incarnations. */
  readonly address: Address;
  /** Its own endpoint and number, also where others know it by its mailbox. */
  readonly place: { readonly endpoint: number; readonly actor: number };
  /** It is not started any more: ends what was kept for the next incarnation. */
  leave(): Promise<void>;
  /** Ends it as an error of its own would, or by a signal where it is a process. */
  crash(exit: Exit): Promise<void>;
  /** Another one's slots are its own from now on. */
  adopt(): void;
}
