/**
 * One thread of JavaScript in a system: the actors that live in it, and what they have in common.
 *
 * ```text
 * inboxes ► intake ► arrivals ─► mailboxes ► cells ► answers ─► post ► outlets
 *                        │  └──► orders, deaths                  ▲
 *                        └─────► calls           requests ───────┘
 * ```
 *
 * Rule: it holds its parts together, and each part says what it does.
 */

import { ClosedError } from "../../errors.ts";
import type { Inbox } from "../carriers/carrier.ts";
import { openRingInbox } from "../carriers/ring.ts";
import { ActorError, MailboxFull } from "../errors.ts";
import type { Clock } from "../flow/clock.ts";
import type { DeadReason, LetterParts } from "../flow/dead_letters.ts";
import type { Log } from "../flow/log.ts";
import type { Directory } from "../memory/directory.ts";
import { checkPayloadBytes, Slab } from "../memory/slab.ts";
import { protocolNamed } from "../protocol/protocol.ts";
import type { Address } from "../protocol/ref.ts";
import { bellOfThisThread, nextTurn } from "../../wait/mod.ts";
import { decodePayload, encodePayload } from "../wire/codec.ts";
import type { CodecChoice } from "../protocol/codec_choice.ts";
import { CODEC, FLAG, type FrameKind, KIND } from "../wire/frame_layout.ts";
import {
  blankHeader,
  decodeFrame,
  encodeFrame,
  type Frame,
  type FrameHeader,
  headBytesOf,
} from "../wire/frame.ts";
import { Answers } from "./answers.ts";
import { Arrivals } from "./arrivals.ts";
import { Calls } from "./calls.ts";
import type { Cell } from "./cell.ts";
import { EndpointCrossing } from "./crossing.ts";
import { Deaths } from "./deaths.ts";
import { Incarnations } from "./incarnations.ts";
import { Intake } from "./intake.ts";
import type { LaunchedMember } from "./launched_member.ts";
import { LocalMailbox } from "./local_mailbox.ts";
import type { Member } from "./member.ts";
import { inboxName, ringName } from "./names.ts";
import { OrderHandler } from "./order_handler.ts";
import { Outlets } from "./outlets.ts";
import type { Gone } from "./orders.ts";
import { makeRing } from "./places.ts";
import { type Flow, Post, type Recipient } from "./post.ts";
import { Refs } from "./refs.ts";
import { Requests } from "./requests.ts";
import { Servings } from "./servings.ts";

/** What makes an endpoint. */
export interface EndpointParts {
  readonly system: string;
  readonly id: number;
  readonly incarnation: number;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes a dead letter where they are kept; elsewhere it is sent there. */
  readonly keepLetter: ((letter: LetterParts) => void) | undefined;
}

/** What is known of a message that goes to the dead letters. */
export interface DeadDetail {
  readonly frame?: Frame;
  readonly kind?: string;
  readonly detail?: string;
  readonly error?: unknown;
}

/**
 * How often an inbox that is empty is looked through after a death, and at the beginning: one who
 * was about to send at the first time is not any more at the second.
 */
const RECOVERIES = 2;
/** So many dead letters wait at most to be taken by the main endpoint. */
const MAX_REPORTING = 2048;
/** The first actor of an endpoint; 0 is its runtime. */
const FIRST_ACTOR = 1;
const NOTHING = new Uint8Array();

/** One endpoint. */
export class Endpoint {
  readonly system: string;
  readonly id: number;
  readonly incarnation: number;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
  readonly incarnations: Incarnations = new Incarnations();
  readonly calls: Calls = new Calls();
  readonly servings: Servings = new Servings();
  readonly crossing: EndpointCrossing = new EndpointCrossing(this);
  readonly answers: Answers = new Answers(this);
  readonly requests: Requests = new Requests(this);
  readonly refs: Refs = new Refs(this);
  readonly arrivals: Arrivals = new Arrivals(this);
  readonly deaths: Deaths = new Deaths(this);
  readonly orders: OrderHandler = new OrderHandler(this);
  readonly post: Post;
  /** The mailboxes of the actors that take from this endpoint's inbox. */
  readonly mailboxes: Map<number, LocalMailbox> = new Map();
  /** The actors that run here now. */
  readonly cells: Map<number, Cell> = new Map();
  /** Those of the pools that were made here, wherever they live. */
  readonly pools: Map<number, readonly Member[]> = new Map();
  /** The actors that run in endpoints which this one launched. */
  readonly launched: Map<number, LaunchedMember> = new Map();
  readonly #keepLetter: ((letter: LetterParts) => void) | undefined;
  readonly #intake: Intake;
  #slab: Slab | undefined;
  /** So many times blocks are still to be looked for whose messages are gone. */
  #recoveries = RECOVERIES;
  /** So many dead letters are on their way to the main endpoint. */
  #reporting = 0;
  #nextActor = FIRST_ACTOR;
  #closed = false;

  constructor(parts: EndpointParts) {
    this.system = parts.system;
    this.id = parts.id;
    this.incarnation = parts.incarnation;
    this.directory = parts.directory;
    this.clock = parts.clock;
    this.log = parts.log;
    this.#keepLetter = parts.keepLetter;
    const outlets = new Outlets(this.system, this.directory);
    this.post = new Post({ outlets, slab: () => this.slab, clock: this.clock });
    this.#intake = new Intake({
      takeIn: (frame, priority) => this.arrivals.takeIn(frame, priority),
      emptied: () => this.#recoverInboxes(),
      framesSent: () => this.post.framesSent,
      failed: (error) => this.log.error("The inbox failed", { error }),
    });
  }

  /** The slab of the system, opened when it is first needed. */
  get slab(): Slab {
    return this.#slab ??= Slab.open(this.directory, this.id, this.incarnation);
  }

  /** The kernel's name of its inbox. */
  get inboxName(): string {
    return inboxName(this.system, this.id);
  }

  /** Whether answers can come to this endpoint by a ring. */
  get hasRing(): boolean {
    return this.#intake.has("ring");
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @throws {ClosedError} If it was closed. */
  checkOpen(): void {
    if (this.#closed) throw new ClosedError("system", this.system);
  }

  /** Begins to take from an inbox; the endpoint closes it. */
  serve(inbox: Inbox): void {
    if (inbox.carrier === "ring") this.directory.setBell(bellOfThisThread()?.id ?? 0n);
    this.#intake.add(inbox);
  }

  /**
   * A number for an actor that lives here, which none of this endpoint had before.
   *
   * ```text
   * bit   31  30          22 21                  0
   *       +---+-------------+---------------------+
   *       | 0 | incarnation | counter             |   lives here
   *       +---+--------+----+--------+------------+
   *       | 1 | launcher | its incar. | counter   |   was launched
   *       +---+----------+------------+-----------+
   * bit       30      24 23        16 15         0
   * ```
   */
  nextActor(): number {
    return ((this.incarnation & 0x1ff) << 22 | this.#count() & 0x3f_ffff) >>> 0;
  }

  /** A number for an actor that another endpoint is launched for, also when that had one before. */
  nextLaunched(): number {
    const launcher = 0x80 | this.id;
    return (launcher << 24 | (this.incarnation & 0xff) << 16 | this.#count() & 0xffff) >>> 0;
  }

  #count(): number {
    return this.#nextActor++;
  }

  /** The address of an actor in this endpoint, or of what is given. */
  addressOf(actor: number, parts: Partial<Address>): Address {
    return {
      system: this.system,
      protocol: "",
      endpoint: this.id,
      actor,
      mailbox: undefined,
      pool: false,
      carrier: "queue",
      onFull: "wait",
      label: "",
      ...parts,
    };
  }

  /** A header of a frame of this endpoint, with nothing else in it. */
  blank(kind: FrameKind): FrameHeader {
    const header = blankHeader(kind);
    header.from = this.id + 1;
    header.epoch = this.incarnation;
    return header;
  }

  /** Gives others a turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => nextTurn(resolve));
  }

  /** Hands a message of this thread to an actor of this thread. */
  deliver(
    address: Address,
    bytes: Uint8Array,
    priority: number,
    flow: Flow,
  ): boolean | Promise<boolean> {
    const mailbox = this.mailboxes.get(address.actor);
    if (mailbox === undefined) {
      throw new ActorError({
        action: "reach",
        actor: address.label,
        code: "ENOACTOR",
        description: "no such actor lives here",
      });
    }
    return mailbox.put(bytes, {
      priority,
      flow,
      label: address.label,
      clock: this.clock,
      dropped: (old) => this.dropped(address, old),
    });
  }

  /** A message that its mailbox had no room for, where that is allowed; who asked is told. */
  dropped(address: Address, bytes: Uint8Array): void {
    const frame = decodeFrame(bytes, bytes.byteLength) as Frame;
    this.dead("dropped", address, bytes, { frame });
    if (frame.kind === KIND.TELL) return;
    const { depth, capacity } = this.depthOf(address);
    this.answers.failed(frame, new MailboxFull(address.label, depth, capacity), address.actor);
  }

  /** How many messages wait in a mailbox, as far as can be seen from here. */
  depthOf(address: Address): { depth: number; capacity: number } {
    const mailbox = this.mailboxes.get(address.actor);
    if (address.mailbox === undefined && address.endpoint === this.id && mailbox !== undefined) {
      return mailbox;
    }
    return this.post.depthOf(address);
  }

  /** The mailbox of an actor that takes from this endpoint's inbox; it outlives the actor's ends. */
  openMailbox(actor: number, capacity: number): LocalMailbox {
    const mailbox = new LocalMailbox(`${this.inboxName}#${actor}`, capacity);
    this.mailboxes.set(actor, mailbox);
    return mailbox;
  }

  /** Nobody will take from it any more: what waits goes to the dead letters. */
  closeMailbox(actor: number, address: Address): void {
    const mailbox = this.mailboxes.get(actor);
    this.mailboxes.delete(actor);
    for (const { bytes } of mailbox?.drain() ?? []) this.refused(bytes, address);
    this.arrivals.stopped(actor, address);
  }

  /**
   * A message that an actor which was stopped will not take: who asked is told.
   *
   * @param detail What is known beside it.
   * @returns As {@linkcode Endpoint.dead} does.
   */
  refused(bytes: Uint8Array, address: Address, detail?: string): Promise<void> | undefined {
    const frame = decodeFrame(bytes, bytes.byteLength);
    if ("problem" in frame) {
      return this.dead("invalid-frame", address, bytes, {
        detail: `${frame.problem}: ${frame.detail}`,
      });
    }
    const isMessage = frame.kind === KIND.TELL || frame.kind === KIND.ASK ||
      frame.kind === KIND.OPEN;
    // What was for the runtime of an endpoint is of no use without it.
    if (!isMessage || (frame.to === 0 && address.mailbox === undefined)) {
      this.free(frame);
      return;
    }
    const whose = address.mailbox === undefined ? { ...address, actor: frame.to } : address;
    const told = this.dead("stopped", whose, bytes, { frame, ...(detail && { detail }) });
    if (frame.kind !== KIND.TELL) {
      const error = ActorError.died(address.label, { kind: "stopped" });
      this.answers.failed(frame, error, address.actor);
    }
    return told;
  }

  /** Takes in what is in the inboxes now. */
  takeWhatIsThere(): void {
    this.#intake.takeWhatIsThere();
  }

  /** A sender may have died over a message: its block is looked for when the inboxes are empty. */
  lookForLostBlocks(): void {
    this.#recoveries = RECOVERIES;
  }

  /** Gives up what leads to something that was taken away. */
  forget(place: Gone): void {
    if ("queue" in place) this.post.forgetQueue(place.queue);
    else {
      this.post.forgetEndpoint(place.endpoint);
      this.arrivals.forgetSender(place.endpoint);
    }
  }

  /** Frees the blocks of the slab that a dead endpoint was writing or reading. */
  reclaim(id: number, incarnation: number): void {
    try {
      this.slab.reclaim(id, incarnation);
    } catch (error) {
      this.log.warn("Blocks of the slab could not be reclaimed", { error });
    }
  }

  /** Frees the blocks of the slab whose messages for a mailbox were lost with a dead one. */
  recover(name: string, isEmpty: () => boolean): void {
    try {
      this.slab.recover(name, isEmpty, false);
    } catch (error) {
      this.log.warn("Blocks of the slab could not be looked through", { error });
    }
  }

  /** Makes this endpoint's ring, if it has none: answers come faster by it. */
  needRing(): void {
    if (this.hasRing) return;
    const name = ringName(this.system, this.id);
    makeRing(this.directory, name);
    this.serve(openRingInbox(name));
  }

  /**
   * A message leaves the way to its handler: it goes to the dead letters.
   *
   * @returns The promise that it is on its way to them; undefined where they are kept here.
   */
  dead(
    reason: DeadReason,
    address: Address | undefined,
    bytes: Uint8Array,
    { frame, kind, detail, error }: DeadDetail = {},
  ): Promise<void> | undefined {
    const letter: LetterParts = {
      reason,
      label: address?.label ?? `endpoint ${this.id}`,
      address,
      kind: kind ??
        (frame && address && protocolNamed(address.protocol)?.byTag.get(frame.tag)?.kind),
      detail: detail ?? (error instanceof Error ? error.message : ""),
      bytes: frame === undefined ? bytes.slice() : this.whole(frame, bytes),
      error,
    };
    if (this.#keepLetter === undefined) return this.#report(letter);
    this.#keepLetter(letter);
  }

  /** Sends a dead letter to the main endpoint, as far as that keeps up with them. */
  async #report(letter: LetterParts): Promise<void> {
    const { reason, label } = letter;
    if (this.#reporting === MAX_REPORTING) {
      this.log.warn("A dead letter was lost: too many are on their way", { reason, label });
      return;
    }
    this.#reporting++;
    try {
      await this.requests.report(0, "dead", letter);
    } catch (error) {
      if (letter.bytes !== undefined || letter.error !== undefined) {
        // Too large, or an error that does not cross: what is known about it does.
        return await this.#report({ ...letter, bytes: undefined, error: undefined });
      }
      this.log.warn("A dead letter was lost", { reason, label, error });
    } finally {
      this.#reporting--;
    }
  }

  /** Sends a word that nobody waits for; if its receiver is gone, it needs none. */
  controlQuietly(to: Recipient, header: FrameHeader): void {
    try {
      this.post.control(to, header, NOTHING)
        ?.catch((error) => this.log.debug("A control frame found nobody", { error }));
    } catch (error) {
      this.log.debug("A control frame found nobody", { error });
    }
  }

  /** The payload of a frame, wherever it is; undefined when it is lost. */
  payloadOf({ payload, block }: Frame): Uint8Array | undefined {
    return block === undefined ? payload : this.slab.take(block);
  }

  /**
   * A value as a payload.
   *
   * @throws {TypeError} If a part of it may not cross.
   * @throws {RangeError} If it is too large for a message, wherever that goes.
   */
  encode(choice: CodecChoice, value: unknown): Uint8Array {
    if (value === undefined) return NOTHING;
    const payload = encodePayload(choice, value, this.crossing);
    checkPayloadBytes(payload.byteLength);
    return payload;
  }

  /** The value of a payload. @throws If it is not what its codec writes. */
  decode(choice: CodecChoice, { codec }: Frame, payload: Uint8Array): unknown {
    return codec === CODEC.NONE ? undefined : decodePayload(codec, choice, payload, this.crossing);
  }

  /** Stops taking frames; who waits for an answer gets the error. */
  close(error: () => unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.calls.close(error);
    this.post.close(error());
    this.#intake.close();
    this.#slab?.close();
  }

  /** After a death: blocks of messages that were for this endpoint and are not in its inboxes. */
  #recoverInboxes(): void {
    const { inboxes } = this.#intake;
    if (this.#recoveries === 0 || inboxes.some(({ depth }) => depth > 0)) return;
    this.#recoveries--;
    for (const inbox of inboxes) this.recover(inbox.name, () => inbox.depth === 0);
  }

  /**
   * A frame with its payload in it, as it is kept: then the slab's block is free again.
   *
   * @param keeps Whether the block stays, with what keeps the frame.
   */
  whole(frame: Frame, bytes: Uint8Array, keeps = false): Uint8Array {
    const payload = frame.block &&
      (keeps ? this.slab.read(frame.block) : this.slab.take(frame.block));
    if (payload === undefined) return bytes.slice(); // a block that is lost is found to be so again
    const whole = new Uint8Array(
      headBytesOf(frame) + payload.byteLength,
    );
    encodeFrame(whole, { ...frame, flags: frame.flags & ~FLAG.BY_REFERENCE }, payload);
    return whole;
  }

  /** Frees the block of a frame that nobody takes. */
  free({ block }: Frame): void {
    if (block !== undefined) this.slab.free(block);
  }
}
