/**
 * system(): the actors of one program, under one name.
 *
 * Rule: a name is one system's while it lives; when it ends, nothing of it is left.
 */

import { host } from "../../life/inside.ts";
import { openQueueInbox } from "../carriers/queue.ts";
import { type Guarantees, guaranteesOf } from "../delivery/guarantees.ts";
import { ActorError, describeExit } from "../errors.ts";
import { type Clock, realClock } from "../flow/clock.ts";
import { DeadLetters, type DeadLettersOptions, type LetterParts } from "../flow/dead_letters.ts";
import { LineLog, type LogOptions } from "../flow/log.ts";
import { Directory } from "../memory/directory.ts";
import type { ChildSpec, RefsOf } from "../protocol/child.ts";
import type { Spawner } from "../protocol/context.ts";
import type { ActorDefinition } from "../protocol/definition.ts";
import { checkOptions } from "../protocol/options.ts";
import { type AnyProtocol, isProtocol } from "../protocol/protocol.ts";
import { addressOf, type AnyRef, type Ref } from "../protocol/ref.ts";
import type { Down, RestartOptions, SpawnArguments } from "../protocol/spawn_options.ts";
import { Links } from "../supervision/links.ts";
import type { Strategy } from "../supervision/strategy.ts";
import { loadCodecs } from "../wire/codec.ts";
import { decodeFrame } from "../wire/frame.ts";
import { type BareContent, type BareInput, type BareOutput, bareSpec } from "./bare_content.ts";
import { BareMailbox, type MailboxOptions } from "./bare_mailbox.ts";
import { BarePeer } from "./bare_peer.ts";
import { Endpoint } from "./endpoint.ts";
import { Family } from "./family.ts";
import { type ActorKey, keyOf } from "./incarnations.ts";
import { inboxName } from "./names.ts";
import { makeQueue } from "./places.ts";

/** How a system is made. */
export interface SystemOptions {
  /** Which lines of its actors are written, and where. */
  readonly log?: Omit<LogOptions, "clock"> | undefined;
  /** How many dead letters are kept. */
  readonly deadLetters?: Omit<DeadLettersOptions, "clock"> | undefined;
}

/** What a system is made of. */
interface Parts {
  readonly name: string;
  readonly directory: Directory;
  readonly endpoint: Endpoint;
  readonly deadLetters: DeadLetters;
}

/** Makes a system with a clock of its own. For the tests of users, not for users. */
export let createSystem: (name: string, options: SystemOptions, clock: Clock) => Promise<System>;

/** The endpoint that a system was made in. For the same. */
export let endpointOf: (system: System) => Endpoint;

/** The number of the endpoint that a system is made in. */
const MAIN = 0;

/**
 * The actors of one program, and what they have in the kernel.
 *
 * @example An actor in this isolate
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { actor, msg, protocol, system } from "@postbox/postbox/actor";
 * import { f64, struct } from "@postbox/postbox/region";
 *
 * const Counter = protocol("counter", {
 *   add: msg(struct("add", { by: f64 })),
 *   total: msg().reply(struct("total", { n: f64 })),
 * });
 * const counterActor = actor(import.meta, Counter, () => {
 *   let n = 0;
 *   return {
 *     add({ by }) {
 *       n += by;
 *     },
 *     total: () => ({ n }),
 *   };
 * });
 *
 * await using shop = await system(`doc-${crypto.randomUUID().slice(0, 8)}`);
 * const counter = await shop.spawn(counterActor);
 * await counter.add({ by: 2 });
 * assertEquals(await counter.total(), { n: 2 });
 * ```
 */
export class System implements Spawner, AsyncDisposable {
  /** Its name: of what it has in the kernel, the first part. */
  readonly name: string;
  /** What could not be delivered: to be listed, read, and {@linkcode System.replay}ed. */
  readonly deadLetters: DeadLetters;
  readonly #directory: Directory;
  readonly #endpoint: Endpoint;
  readonly #family: Family;
  readonly #links = new Links<ActorKey>();
  readonly #linked = new Map<ActorKey, AnyRef>();
  /** Queues that programs outside the system send to. */
  readonly #mailboxes = new Set<Disposable>();
  #closed: Promise<void> | undefined;

  static {
    createSystem = (name, options, clock) => System.#create(name, options, clock);
    endpointOf = (system) => system.#endpoint;
  }

  private constructor({ name, directory, endpoint, deadLetters }: Parts) {
    this.name = name;
    this.deadLetters = deadLetters;
    this.#directory = directory;
    this.#endpoint = endpoint;
    this.#family = new Family(
      endpoint,
      (exit, labels) =>
        endpoint.log.error(`The group of ${labels.join(", ")} ${describeExit(exit)}`),
    );
  }

  static async #create(name: string, options: SystemOptions, clock: Clock): Promise<System> {
    checkOptions(options, "make a system", `{ log: { level: "debug" } }`);
    const directory = Directory.create(name);
    try {
      const incarnation = directory.begin(MAIN, host().pid());
      await loadCodecs();
      const deadLetters = new DeadLetters({ ...options.deadLetters, clock });
      const log = new LineLog(name, { ...options.log, clock });
      const keepLetter = (letter: LetterParts) => {
        const { reason, label, kind, detail } = letter;
        if (deadLetters.count(reason) === 0) {
          log.warn("A message went to the dead letters, the first for its reason", {
            reason,
            for: label,
            kind,
            detail,
          });
        }
        deadLetters.add(letter);
      };
      const endpoint = new Endpoint({
        system: name,
        id: MAIN,
        incarnation,
        directory,
        clock,
        log,
        keepLetter,
      });
      endpoint.orders.add({ dead: keepLetter });
      makeQueue(directory, inboxName(name, MAIN));
      endpoint.serve(openQueueInbox(inboxName(name, MAIN)));
      return new System({ name, directory, endpoint, deadLetters });
    } catch (error) {
      directory.remove();
      throw error;
    }
  }

  /**
   * Starts an actor; the promise is fulfilled when its setup is done.
   *
   * @param definition What {@linkcode actor} makes.
   * @throws {ActorError} `ESTART` if it cannot be started, with the cause.
   * @throws {TypeError} If an option is wrong.
   * @throws {PosixError} `EEXIST` if its mailbox has an actor, and what a limit of the kernel refuses.
   */
  spawn<P extends AnyProtocol, Init>(
    definition: ActorDefinition<P, Init>,
    ...[options]: SpawnArguments<NoInfer<Init>>
  ): Promise<Ref<P>> {
    return this.#family.spawn(definition, options) as Promise<Ref<P>>;
  }

  /**
   * Starts actors in their order and supervises them together.
   *
   * - `one-for-one`: who ends is restarted, the others go on.
   * - `one-for-all`: when one ends, all are restarted.
   * - `rest-for-one`: when one ends, it and those after it are.
   *
   * Which ends are followed by a restart says each child's own `restart.keep`, `transient` where it
   * says nothing; how often, `restart` here. When it was too often, all of them are stopped.
   *
   * @throws {ActorError} `ESTART` if one cannot be started; those before it were stopped then.
   * @see https://www.erlang.org/doc/system/sup_princ.html
   */
  supervise<const C extends readonly ChildSpec[]>(
    strategy: Strategy,
    children: C,
    restart?: Omit<RestartOptions, "keep">,
  ): Promise<RefsOf<C>> {
    return this.#family.supervise(strategy, children, restart) as unknown as Promise<RefsOf<C>>;
  }

  /**
   * Stops an actor that was spawned here, for good; it handles what is in its mailbox first, as long
   * as its `stopMs` allows.
   *
   * @throws {ActorError} `ENOACTOR` if there is none.
   */
  async stop(ref: AnyRef): Promise<void> {
    await this.#family.stopChild(ref);
  }

  /**
   * Calls a function each time an incarnation of an actor ends; at once, in a turn of its own, when
   * the actor has ended for good.
   *
   * @returns Takes it back.
   */
  watch(ref: AnyRef, onDown: (down: Down) => void): () => void {
    return this.#endpoint.deaths.watch(ref, onDown);
  }

  /**
   * Links two actors: when one ends for good, or fails, the other is made to end as `lost`, which is
   * a failure: whoever supervises it may start it anew.
   */
  link(one: AnyRef, other: AnyRef): void {
    const keys = [one, other].map((ref) => {
      const key = keyOf(addressOf(ref));
      if (!this.#linked.has(key)) {
        this.#linked.set(key, ref);
        this.#endpoint.deaths.watch(ref, (down) => this.#linkedEnded(key, down));
      }
      return key;
    });
    this.#links.link(keys[0]!, keys[1]!);
  }

  /**
   * Sends a dead letter again, to whom it was for. It is taken out of the dead letters.
   *
   * @returns False when it is not kept any more, or nobody knows whom it was for.
   */
  async replay(id: number): Promise<boolean> {
    const letter = this.deadLetters.read(id);
    if (letter?.bytes === undefined || letter.address === undefined) return false;
    const frame = decodeFrame(letter.bytes, letter.bytes.byteLength);
    if ("problem" in frame) return false;
    await this.#endpoint.requests.again(letter.address, frame);
    this.deadLetters.take(id);
    return true;
  }

  /**
   * A program that is not of the system, and takes messages from a queue of its own.
   *
   * With a protocol it is spoken to in frames, as docs/wire.md has them, and can answer: asks name
   * the queue for the answer. Nobody sees such a program die, so give asks a `timeoutMs`. With a
   * struct, a schema or `"raw"` each message is the bytes of a payload and nothing else.
   *
   * @param name The kernel's name of its queue, with the slash.
   * @throws {PosixError} `ENOENT` if there is no such queue, for what is not a protocol.
   */
  peer<P extends AnyProtocol>(protocol: P, name: string): Ref<P>;
  /** The same for what is not a protocol: a message is the bytes of a payload. */
  peer<C extends BareContent>(content: C, name: string): BarePeer<BareInput<C>>;
  peer(content: AnyProtocol | BareContent, name: string): unknown {
    const { refs, crossing } = this.#endpoint;
    if (!isProtocol(content)) return new BarePeer(name, bareSpec(content), crossing);
    const address = { protocol: content.name, mailbox: name, pool: true, label: name };
    return refs.make(content, this.#endpoint.addressOf(0, address));
  }

  /**
   * A queue that programs which are not of the system send to: each message is the bytes of a
   * payload and nothing else. It is made if it does not exist, and unlinked when it is closed then: the
   * system closes it at its end.
   *
   * @example Readings of a sensor, as C sends them
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
   * import { system } from "@postbox/postbox/actor";
   * import { f64, struct, u32 } from "@postbox/postbox/region";
   *
   * const Reading = struct("reading", { celsius: f64, sensor: u32 });
   * const name = uniqueName("doc");
   * await using shop = await system(`doc-${crypto.randomUUID().slice(0, 8)}`);
   * using readings = shop.mailbox(Reading, name);
   *
   * using queue = MessageQueue.open(name); // in C: mq_send(queue, &reading, sizeof reading, 0)
   * queue.trySend(new Uint8Array(new Float64Array([21.5, 0]).buffer));
   * assertEquals(await readings.receive({ timeoutMs: 1000 }), { celsius: 21.5, sensor: 0 });
   * ```
   *
   * @param content A struct, a schema of JSON, or `"raw"`.
   * @param name The kernel's name of the queue, with the slash.
   */
  mailbox<C extends BareContent>(
    content: C,
    name: string,
    options: MailboxOptions = {},
  ): BareMailbox<BareOutput<C>> {
    this.#endpoint.checkOpen();
    const mailbox: BareMailbox<BareOutput<C>> = new BareMailbox(
      name,
      bareSpec(content),
      this.#endpoint,
      options,
      () => void this.#mailboxes.delete(mailbox),
    );
    this.#mailboxes.add(mailbox);
    return mailbox;
  }

  /** What this system can promise on this machine, as far as is known now. */
  get guarantees(): Guarantees {
    return guaranteesOf(this.#directory);
  }

  /**
   * Stops all actors, those spawned last first, and takes away what the system has in the kernel.
   * Each handles what is in its mailbox first, as long as its `stopMs` allows.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** As {@linkcode System.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#family.stop();
    await this.#endpoint.post.farewell();
    for (const mailbox of [...this.#mailboxes]) mailbox[Symbol.dispose]();
    this.#endpoint.close(() =>
      new ActorError({
        action: "get an answer in",
        actor: this.name,
        code: "EDIED",
        exit: { kind: "lost", reason: "the system was closed" },
      })
    );
    this.#directory.remove();
  }

  #linkedEnded(key: ActorKey, { label, exit, restarting }: Down): void {
    for (const consequence of this.#links.ended({ key, label, exit, restarting })) {
      const address = addressOf(this.#linked.get(consequence.key)!);
      this.#endpoint.deaths.crash(address, consequence.exit)
        .catch((error) => this.#endpoint.log.debug("A linked actor was gone", { error }));
    }
    if (restarting) this.#links.began(key);
    else this.#linked.delete(key);
  }
}

/**
 * Makes a system: the actors of one program, under one name.
 *
 * @param name 1 to 64 letters, digits, `_` and `-`: the queues and memory of the system begin with
 * it. It is this program's until the system is closed, or the program ends.
 * @throws {PosixError} `EEXIST` if a system of that name lives; the hint says in which process. What
 * a killed one left is cleaned up.
 * @throws {RangeError} If the name is none.
 */
export function system(name: string, options: SystemOptions = {}): Promise<System> {
  return createSystem(name, options, realClock);
}
