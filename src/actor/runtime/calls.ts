/**
 * The asks and streams that this endpoint waits for, by the number that their answers carry.
 *
 * Rule: a call ends once: by its answer, by the death of who serves it, by its deadline or by its
 * signal; what comes later finds nobody.
 */

import { ActorError } from "../errors.ts";
import type { Frame } from "../wire/frame.ts";
import type { ActorKey, Death } from "./incarnations.ts";

/** Somebody who waits for an answer. */
export interface Call {
  readonly key: ActorKey;
  /** What people call who was asked. */
  readonly label: string;
  /** The incarnation that was asked; 0 when it was not known. */
  readonly incarnation: number;
  /** The endpoint that serves it, as far as is known: of a pool it is told by TAKEN. */
  endpoint: number | undefined;
  /** The incarnation of that endpoint, which TAKEN tells; 0 when it is not known. */
  endpointIncarnation: number;
  /** The queue of who serves it, when that is not of the system. */
  readonly queue: string | undefined;
  /** Whether it has gone to whom it asks. */
  isSent: boolean;
  /** An answer: REPLY, FAILED, ITEM or END. The payload is valid during this call. */
  answered(frame: Frame): void;
  /** It will not be answered. */
  failed(error: unknown): void;
}

/** Numbers beyond it would not fit the frame's field. */
const SEQUENCES = 2 ** 32;

/** How many that were given up are remembered. */
const MAX_ABANDONED = 1024;

/** All that wait for an answer. */
export class Calls {
  readonly #waiting = new Map<number, Call>();
  /** Given up before it was known who of a pool would take them; the oldest is forgotten first. */
  readonly #abandoned = new Set<number>();
  #sequence = 0;

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The next number; those of calls that still wait are passed over. */
  nextSequence(): number {
    do {
      this.#sequence = (this.#sequence + 1) % SEQUENCES;
    } while (this.#waiting.has(this.#sequence));
    return this.#sequence;
  }

  /** Waits for answers with that number. */
  add(sequence: number, call: Call): void {
    this.#waiting.set(sequence, call);
  }

  /** Waits no longer. */
  remove(sequence: number): void {
    this.#waiting.delete(sequence);
  }

  /** Who waits for that number. */
  get(sequence: number): Call | undefined {
    return this.#waiting.get(sequence);
  }

  /** Whoever takes that one is to hear that nobody waits for it. */
  cancelWhenTaken(sequence: number): void {
    this.#abandoned.add(sequence);
    if (this.#abandoned.size > MAX_ABANDONED) {
      this.#abandoned.delete(this.#abandoned.values().next().value!);
    }
  }

  /** A TAKEN arrived. @returns Whether nobody waits any more, and who serves it should know. */
  taken({ sequence, from, argument }: Frame): boolean {
    const call = this.#waiting.get(sequence);
    if (from === 0) return false; // it is not of the system, and its queue is known
    if (call !== undefined) {
      call.endpoint = from - 1;
      call.endpointIncarnation = argument;
    }
    return this.#abandoned.delete(sequence);
  }

  /** Ends the calls that a death leaves without an answer. @returns Those, by their numbers. */
  down({ key, label, incarnation, exit, endpoint, restarting }: Death): [number, Call][] {
    const ended: [number, Call][] = [];
    for (const [sequence, call] of this.#waiting) {
      // Where none follows, nobody will serve those that meant the next.
      const meant = call.key === key && (restarting === false || call.incarnation <= incarnation);
      // Who hears late of a death may be served by the next incarnation already.
      const served = call.endpoint === endpoint?.id &&
        endpoint !== undefined && call.endpointIncarnation <= endpoint.incarnation;
      if (!meant && !served) continue;
      this.#waiting.delete(sequence);
      call.failed(ActorError.died(call.key === key ? label : call.label, exit));
      ended.push([sequence, call]);
    }
    return ended;
  }

  /** Ends all that still wait. */
  close(error: () => unknown): void {
    for (const [sequence, call] of this.#waiting) {
      this.#waiting.delete(sequence);
      call.failed(error());
    }
  }
}
