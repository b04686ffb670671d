/**
 * What an endpoint knows of deaths: which incarnation of an actor died last, and who wants to hear.
 *
 * Rule: an incarnation that died never comes back, so the one that is meant is the one after it.
 */

import { describeExit, type Exit } from "../errors.ts";
import { call } from "../flow/listeners.ts";
import type { Address } from "../protocol/ref.ts";

/**
 * What an actor or a pool is known by: endpoint and actor, which no other one ever has; a mailbox
 * may be another's later.
 */
export type ActorKey = string;

/** The key of who takes the messages to an address. */
export function keyOf({ mailbox, endpoint, actor }: Address): ActorKey {
  // Of who is outside of the system nothing is known but the queue.
  return actor === 0 && mailbox !== undefined ? mailbox : actorKey(endpoint, actor);
}

/** The key of an actor that takes from its endpoint's inbox. */
export function actorKey(endpoint: number, actor: number): ActorKey {
  return `${endpoint}:${actor}`;
}

/** The endpoint and the actor of a key; undefined where it is the name of a queue. */
export function placeOf(key: ActorKey): { endpoint: number; actor: number } | undefined {
  const [endpoint, actor] = key.split(":").map(Number);
  return actor === undefined ? undefined : { endpoint: endpoint!, actor };
}

/** That an incarnation died. */
export interface Death {
  readonly key: ActorKey;
  readonly label: string;
  readonly incarnation: number;
  readonly exit: Exit;
  /** Whether another will follow; undefined as long as its supervisor has not judged. */
  readonly restarting: boolean | undefined;
  /** The endpoint that died with it, when it did, and in which incarnation of its own. */
  readonly endpoint: { readonly id: number; readonly incarnation: number } | undefined;
}

/** A death that a supervisor has judged. */
export type JudgedDeath = Death & { readonly restarting: boolean };

type Watcher = (death: JudgedDeath) => void;

/** Those who watch one actor. */
interface Watched {
  /** Where it lives. */
  readonly endpoint: number;
  readonly watchers: Set<Watcher>;
}

/** How many that ended for good are remembered, for those who watch them too late. */
const MAX_GONE = 4096;

/** Who died, and who is told. */
export class Incarnations {
  readonly #current = new Map<ActorKey, number>();
  /** The last incarnation of whose death those who watch were told. */
  readonly #judged = new Map<ActorKey, number>();
  readonly #gone = new Map<ActorKey, JudgedDeath>();
  readonly #watched = new Map<ActorKey, Watched>();

  /** The incarnation that a message means now; 0 when this endpoint does not know. */
  current(key: ActorKey): number {
    return this.#current.get(key) ?? 0;
  }

  /** How an actor ended for good, when it did. */
  gone(key: ActorKey): JudgedDeath | undefined {
    return this.#gone.get(key);
  }

  /** Learns that an incarnation was seen; an older one changes nothing. */
  learn(key: ActorKey, incarnation: number): void {
    if (incarnation > this.current(key)) this.#current.set(key, incarnation);
  }

  /** An incarnation died: from now on the next one is meant. */
  died({ key, incarnation }: Death): void {
    this.learn(key, incarnation + 1);
  }

  /** A supervisor has judged a death: who watches is told, once for each incarnation. */
  judged(death: JudgedDeath): void {
    const { key, incarnation, restarting } = death;
    if (this.#gone.has(key)) return;
    if (restarting && incarnation <= (this.#judged.get(key) ?? 0)) return;
    if (restarting) {
      this.#judged.set(key, incarnation);
    } else {
      this.#forget(key);
      this.#gone.set(key, death);
      if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.keys().next().value!);
    }
    for (const watcher of [...this.#watched.get(key)?.watchers ?? []]) call(watcher, death);
    if (!restarting) this.#watched.delete(key);
  }

  /** An endpoint died: all that lived in it ended for good, but the actor it was launched for. */
  endpointDied({ key: survivor, endpoint, exit }: Death): void {
    const reason = `what it lived in ${describeExit(exit)}`;
    for (const [key, { endpoint: home }] of [...this.#watched]) {
      if (home !== endpoint?.id || key === survivor) continue;
      this.judged({
        key,
        label: key,
        incarnation: Math.max(1, this.current(key)),
        exit: { kind: "lost", reason },
        restarting: false,
        endpoint: undefined,
      });
    }
  }

  /**
   * Calls a function at each death of an actor; at once, in a turn of its own, when it has ended.
   *
   * @returns Takes it back.
   */
  watch(address: Address, watcher: Watcher): () => void {
    const key = keyOf(address), { endpoint } = address;
    const gone = this.#gone.get(key);
    if (gone !== undefined) {
      let wanted = true;
      queueMicrotask(() => wanted && watcher(gone));
      return () => wanted = false;
    }
    const watched = this.#watched.get(key) ?? { endpoint, watchers: new Set() };
    watched.watchers.add(watcher);
    this.#watched.set(key, watched);
    return () => {
      watched.watchers.delete(watcher);
      if (watched.watchers.size === 0 && this.#watched.get(key) === watched) {
        this.#watched.delete(key);
      }
    };
  }

  #forget(key: ActorKey): void {
    this.#current.delete(key);
    this.#judged.delete(key);
  }
}
