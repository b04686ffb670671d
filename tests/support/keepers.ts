/** Actors that must not lose what they are told, with a witness of what their handlers are given. */

import "./loaded.ts";
import {
  actor,
  type DeadLetter,
  type Ref,
  type SpawnOptions,
  type System,
  type SystemOptions,
} from "../../src/actor/mod.ts";
import keeperActor, {
  type Fate,
  type KeeperInit,
  type KeeperRef,
  type Note,
  type Seen,
  Witness,
} from "../actor/actors/keeper.ts";
import { quietSystem } from "./actors.ts";
import { until } from "./until.ts";

/** Is started anew at once, however often. */
export const AT_ONCE = { keep: "permanent", backoffMs: [0, 0], max: Infinity } as const;

const witnessActor = actor(import.meta, Witness, (_context, seen: Seen[]) => ({
  seen: (what) => void seen.push(what),
}));

/** How a keeper is spawned, but for what it is given. */
export type KeeperOptions = SpawnOptions<undefined>;

/** A system with keepers. */
export class Keepers implements AsyncDisposable {
  readonly shop: System;
  /** What handlers were given, in the order in which it was told. */
  readonly seen: Seen[] = [];
  readonly #witness: Ref<typeof Witness>;

  private constructor(shop: System, witness: Ref<typeof Witness>, seen: Seen[]) {
    this.shop = shop;
    this.#witness = witness;
    this.seen = seen;
  }

  static async open(options?: SystemOptions): Promise<Keepers> {
    const shop = await quietSystem({ log: { level: "none", sink() {} }, ...options });
    const seen: Seen[] = [];
    return new Keepers(shop, await shop.spawn(witnessActor, { init: seen }), seen);
  }

  spawn(options: KeeperOptions, definition: typeof keeperActor = keeperActor): Promise<KeeperRef> {
    const init: KeeperInit = { witness: this.#witness };
    return this.shop.spawn(
      definition,
      { restart: AT_ONCE, ...options, init } as SpawnOptions<KeeperInit>,
    );
  }

  /** The attempts at a message, as they were told, as soon as there are so many. */
  async attempts(text: string, count: number): Promise<number[]> {
    const of = () => this.seen.filter((seen) => seen.text === text);
    await until(`"${text}" is handled ${count} times`, () => of().length >= count);
    return of().map(({ attempt }) => attempt);
  }

  /** The dead letters of what was kept, as soon as there are so many. */
  async letters(count: number): Promise<readonly DeadLetter[]> {
    const { deadLetters } = this.shop;
    await until(`there are ${count} dead letters`, () => deadLetters.length >= count);
    return deadLetters.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shop.close();
  }
}

/** A message, and what becomes of who handles it. */
export function note(text: string, ...fates: Fate[]): Note {
  return { text, fates: fates.length === 0 ? ["fine"] : fates };
}

/** The same, so large that it goes through the slab. */
export function largeNote(text: string, ...fates: Fate[]): Note {
  return { ...note(text, ...fates), ballast: new Uint8Array(50_000) };
}
