/** Where actors are tried: one system for all tests of a place, with a subject, probes and letters. */

import "./loaded.ts";
import {
  actor,
  type DeadLetter,
  type DeadReason,
  type Ref,
  type SpawnOptions,
  type System,
  system,
} from "../../src/actor/mod.ts";
import type { Outbox } from "../../src/actor/carriers/carrier.ts";
import { openQueueOutbox } from "../../src/actor/carriers/queue.ts";
import { openRingOutbox } from "../../src/actor/carriers/ring.ts";
import { addressOf } from "../../src/actor/protocol/ref.ts";
import subjectActor, { Probe, type Subject, type SubjectInit } from "../actor/actors/subject.ts";
import { within } from "./until.ts";

/** Where an actor lives, and what carries its messages. */
export interface Place {
  readonly name: string;
  readonly in: "here" | "worker" | "process";
  readonly carrier?: "queue" | "ring";
  /** Whether it has a mailbox of its own. */
  readonly hasMailbox?: boolean;
}

export type SubjectRef = Ref<typeof Subject>;

/** What the second subject's setup is given. */
export const OTHER_INIT = {
  text: "a",
  big: 2n ** 65n,
  list: [1, { deep: null }],
  bytes: new Uint8Array(2),
};

let systems = 0;

/** A name for a system that nobody else has. */
export function systemName(): string {
  return `t${globalThis.process.pid}-${++systems}`;
}

/** What is told to a probe: told, in its order. */
export class Told {
  readonly all: string[] = [];
  readonly #waiting = new Set<() => void>();

  add(text: string): void {
    this.all.push(text);
    for (const look of [...this.#waiting]) look();
  }

  /** Comes back when a text was told. */
  async until(text: string): Promise<void> {
    await this.#is(`"${text}" in ${this.all}`, () => this.all.includes(text));
  }

  /** Comes back when so many texts were told. */
  async count(count: number): Promise<void> {
    await this.#is(`${count} texts`, () => this.all.length >= count);
  }

  async #is(what: string, isSo: () => boolean): Promise<void> {
    if (isSo()) return;
    await within(
      what,
      new Promise<void>((resolve) => {
        const look = () => {
          if (!isSo()) return;
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      }),
    );
  }
}

const probeActor = actor(import.meta, Probe, (_context, told: Told) => ({
  told: (text) => told.add(text),
}));

/** An ask that the subject has in hand, until it is released. */
export interface Held {
  /** Gives it up. */
  release(): Promise<void>;
}

/** A system with a subject. */
export class Stage {
  readonly place: Place;
  readonly shop: System;
  /** What actors here have logged. */
  readonly lines: string[];
  #subject: Promise<SubjectRef> | undefined;
  #other: Promise<SubjectRef> | undefined;
  readonly #held = new Set<AbortController>();
  #mailboxes = 0;

  private constructor(place: Place, shop: System, lines: string[]) {
    this.place = place;
    this.shop = shop;
    this.lines = lines;
  }

  static async open(place: Place): Promise<Stage> {
    const lines: string[] = [];
    const sink = (line: string) => void lines.push(line);
    return new Stage(place, await system(systemName(), { log: { sink } }), lines);
  }

  /** The subject that all tests share that leave it as it was. */
  get subject(): Promise<SubjectRef> {
    return this.#subject ??= this.spawn();
  }

  /** A second one, which is started anew when it ends, and was given {@linkcode OTHER_INIT}. */
  get other(): Promise<SubjectRef> {
    return this.#other ??= this.spawn({ init: OTHER_INIT, restart: { backoffMs: [0, 0] } });
  }

  /** A subject of one's own. */
  spawn(options: Omit<SpawnOptions, "in"> & { init?: SubjectInit } = {}): Promise<SubjectRef> {
    const { in: where, carrier, hasMailbox } = this.place;
    return this.shop.spawn(
      subjectActor,
      {
        in: where,
        ...(carrier !== undefined && { carrier }),
        ...(hasMailbox && { mailbox: `m${++this.#mailboxes}` }),
        ...options,
      } as SpawnOptions<SubjectInit>,
    );
  }

  async probe(): Promise<{ probe: Ref<typeof Probe>; told: Told }> {
    const told = new Told();
    return { probe: await this.shop.spawn(probeActor, { init: told }), told };
  }

  /** Gives a subject something in hand. */
  async hold(subject: SubjectRef): Promise<Held> {
    const { probe, told } = await this.probe();
    const controller = new AbortController();
    this.#held.add(controller);
    const held = subject.hold({ probe, name: "held" }, { signal: controller.signal })
      .then(() => new Error("it was not held"), (error) => error);
    await told.until("held began");
    const reason = new Error("released");
    return {
      async release() {
        controller.abort(reason);
        if (await held !== reason) throw await held;
        await told.until("held aborted by AbortError");
      },
    };
  }

  /** After a test that failed: lets go what it held, and reads what it noted. */
  async tidy(): Promise<void> {
    for (const controller of this.#held) controller.abort(new Error("the test failed"));
    this.#held.clear();
    const subject = await this.#subject;
    await subject?.open();
    await subject?.notes({ timeoutMs: 1000 });
  }

  /** The dead letters of a reason that come while something is done, as soon as there are so many. */
  async letters(
    reason: DeadReason,
    count: number,
    act: () => unknown,
  ): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    const { promise, resolve } = deferred();
    const stop = this.shop.deadLetters.onLetter((letter) => {
      if (letter.reason === reason && letters.push(letter) === count) resolve();
    });
    try {
      await act();
      await within(`${count} letters "${reason}", there are ${letters.length}`, promise);
    } finally {
      stop();
    }
    return letters;
  }

  /** What became dead letters last, in words. */
  lastLetters(): string {
    return this.shop.deadLetters.list({ limit: 5 })
      .map(({ reason, kind, label, detail }) => `${reason} ${kind} for ${label}: ${detail}`)
      .join("\n");
  }

  /** Sends bytes to where the messages to an actor go in. */
  outboxTo(ref: SubjectRef): Outbox {
    const { mailbox, endpoint, carrier } = addressOf(ref);
    if (carrier === "ring") return openRingOutbox(`/${this.shop.name}.ring-${endpoint}`);
    return openQueueOutbox(mailbox ?? `/${this.shop.name}.${endpoint}`);
  }

  async close(): Promise<void> {
    await this.shop.close();
  }
}

/** A promise that somebody else settles; Node 20 has no Promise.withResolvers. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => resolve = settle);
  return { promise, resolve };
}
