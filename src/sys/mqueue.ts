/**
 * mqueue.h: one thin function per C function. Convert, call, check.
 *
 * "Not now" (EAGAIN) is a result here, everything else that goes wrong is a PosixError.
 */

import { C, machine, STRUCTS } from "./abi.ts";
import { byteLengthOf, settle, size, Struct } from "./bytes.ts";
import { check, type Hint, refused } from "./check.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";
import { objectName } from "./name.ts";
import type { Word } from "./port.ts";

/** What a queue is created with; `undefined` leaves both to the kernel's defaults. */
export interface MqSize {
  maxMessages: number;
  maxMessageBytes: number;
}

/** mq_open(3). The mode and the attributes count only with O_CREAT. */
export function mqOpen(
  name: string,
  flags: number,
  mode: number,
  attributes: MqSize | undefined,
  hint: Hint,
): number {
  const action = flags & C.O_CREAT ? "create queue" : "open queue";
  const bytes = objectName(name, "mq_open", action);
  let attr: Uint8Array | null = null;
  if (attributes !== undefined) {
    const struct = new Struct(STRUCTS.mq_attr.bytes);
    struct.setI64(STRUCTS.mq_attr.mq_maxmsg, attributes.maxMessages);
    struct.setI64(STRUCTS.mq_attr.mq_msgsize, attributes.maxMessageBytes);
    attr = struct.bytes;
  }
  const { c } = sys();
  return check(c.mq_open(bytes, flags, mode, attr), "mq_open", action, name, hint);
}

/** mq_close(3) */
export function mqClose(mqd: number, name: string): void {
  check(sys().c.mq_close(mqd), "mq_close", "close queue", name);
}

/** mq_unlink(3) */
export function mqUnlink(name: string, hint: Hint): void {
  const bytes = objectName(name, "mq_unlink", "unlink queue");
  check(sys().c.mq_unlink(bytes), "mq_unlink", "unlink queue", name, hint);
}

/** mq_getattr(3) */
export function mqGetattr(mqd: number, name: string): MqSize & { length: number } {
  const struct = new Struct(STRUCTS.mq_attr.bytes);
  check(sys().c.mq_getattr(mqd, struct.bytes), "mq_getattr", "look at queue", name);
  return {
    maxMessages: struct.u64(STRUCTS.mq_attr.mq_maxmsg),
    maxMessageBytes: struct.u64(STRUCTS.mq_attr.mq_msgsize),
    length: struct.u64(STRUCTS.mq_attr.mq_curmsgs),
  };
}

let attributes: Struct | undefined;

/** How many messages a queue has now, by mq_getattr(3): without making anything. */
export function mqLength(mqd: number, name: string): number {
  attributes ??= new Struct(STRUCTS.mq_attr.bytes);
  check(sys().c.mq_getattr(mqd, attributes.bytes), "mq_getattr", "look at queue", name);
  return attributes.u32(STRUCTS.mq_attr.mq_curmsgs); // at most msg_max, 65 536
}

/**
 * A view that C gets again and again: it is passed by its address, which costs less than the
 * runtime's look at a view.
 *
 * SAFETY: settled bytes stay where they are as long as there are any, and byteLengthOf() looks
 * before each call. A buffer that is detached, or too short for its view, has none; one that is resized stays
 * in its place; and the view that is kept here keeps its buffer.
 */
class RepeatedView {
  /** What came twice in a row, and nothing else since. */
  view: Uint8Array | undefined;
  address: Word = 0;
  #last: Uint8Array | undefined;

  /** Takes note of one that is not {@linkcode RepeatedView.view}. */
  note(view: Uint8Array): void {
    const again = view === this.#last;
    this.#last = view;
    this.view = again ? view : undefined;
    if (again) this.address = addressOf(view);
  }
}

function addressOf(view: Uint8Array): Word {
  const { addressOf, word } = sys();
  settle(view);
  return word(addressOf(view));
}

const sent = new RepeatedView();
const filled = new RepeatedView();

/** mq_send(3) on a nonblocking descriptor: false when the queue is full. */
export function mqSend(
  mqd: number,
  data: Uint8Array,
  priority: number,
  name: string,
  hint: Hint,
): boolean {
  const { c, errno } = sys();
  const length = size(byteLengthOf(data));
  const result = data === sent.view
    ? c.mq_send_at(mqd, sent.address, length, priority)
    : sendOther(mqd, data, length, priority);
  if (result === 0) return true;
  const number = errno();
  if (number === ERRNO.EAGAIN) return false;
  throw refused(number, "mq_send", "send to queue", name, hint);
}

const priorityWord = new Uint32Array(1);
/** Where it is; an address costs less than a buffer. */
let priorityAddress: Word = 0;

function sendOther(mqd: number, data: Uint8Array, length: Word, priority: number): number {
  sent.note(data);
  return sys().c.mq_send(mqd, data, length, priority);
}

/** mq_receive(3) on a nonblocking descriptor: the message's length, or -1 when there is none. */
export function mqReceive(mqd: number, into: Uint8Array, name: string, hint: Hint): number {
  const { c, errno } = sys();
  const room = size(byteLengthOf(into));
  const length = into === filled.view
    ? c.mq_receive_at(mqd, filled.address, room, priorityAddress)
    : receiveOther(mqd, into, room);
  if (length !== -1) return length;
  const number = errno();
  if (number === ERRNO.EAGAIN) return -1;
  throw refused(number, "mq_receive", "receive from queue", name, hint);
}

function receiveOther(mqd: number, into: Uint8Array, room: Word): number {
  filled.note(into);
  priorityAddress ||= addressOf(new Uint8Array(priorityWord.buffer));
  return sys().c.mq_receive(mqd, into, room, priorityAddress);
}

/**
 * Where mq_receive(3) puts a message and its priority, in shared memory: their addresses are looked
 * up once.
 *
 * SAFETY: what is kept here keeps the buffer. Its bytes stay where they are, and mapped, as long as
 * it is there: a segment that is closed has zero pages in its place.
 */
export class ReceiveTarget {
  /** The bytes of the message. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly #priority: Uint32Array<SharedArrayBuffer>;
  readonly #address: Word;
  readonly #priorityAddress: Word;
  readonly #room: Word;

  /**
   * @param bytes At least as long as the longest message of the queue.
   * @param priority The word that the priority goes to.
   * @throws {RangeError} If it is not one word.
   */
  constructor(bytes: Uint8Array<SharedArrayBuffer>, priority: Uint32Array<SharedArrayBuffer>) {
    if (!(priority instanceof Uint32Array) || priority.length !== 1) {
      throw new RangeError("Cannot receive: the priority goes to one word of 32 bits");
    }
    this.bytes = bytes;
    this.#priority = priority;
    this.#address = addressOf(bytes);
    this.#priorityAddress = addressOf(new Uint8Array(priority.buffer, priority.byteOffset, 4));
    this.#room = size(byteLengthOf(bytes));
  }

  /** mq_receive(3) on a nonblocking descriptor: the message's length, or -1 when there is none. */
  receive(mqd: number, name: string, hint: Hint): number {
    const { c, errno } = sys();
    const length = c.mq_receive_at(mqd, this.#address, this.#room, this.#priorityAddress);
    if (length !== -1) return length;
    const number = errno();
    if (number === ERRNO.EAGAIN) return -1;
    throw refused(number, "mq_receive", "receive from queue", name, hint);
  }
}

/** The priority of the message that {@linkcode mqReceive} took last on this thread. */
export function receivedPriority(): number {
  return priorityWord[0]!;
}

/** mq_notify(3) by signal, or with `undefined` the end of this process's registration. */
export function mqNotify(mqd: number, signal: number | undefined, name: string, hint: Hint): void {
  let sevp: Uint8Array | null = null;
  if (signal !== undefined) {
    const struct = new Struct(STRUCTS.sigevent.bytes);
    struct.setI32(STRUCTS.sigevent.sigev_signo, signal);
    struct.setI32(STRUCTS.sigevent.sigev_notify, C.SIGEV_SIGNAL);
    sevp = struct.bytes;
  }
  check(sys().c.mq_notify(mqd, sevp), "mq_notify", "watch queue", name, hint);
}

/** The length of what the kernel sends through the socket; its last byte tells which it is. */
const COOKIE_BYTES = 32;

/** What the last byte of a cookie says: NOTIFY_WOKENUP of the kernel. */
const WOKEN_UP = 1;

/**
 * A socket through which the kernel tells of a message: its own form of SIGEV_THREAD, on which
 * the C library builds its callbacks by a thread.
 *
 * LINUX: ipc/mqueue.c; the socket is one of netlink, and gets {@linkcode COOKIE_BYTES} bytes once.
 */
export function mqNotifySocket(target: string): number {
  const type = C.SOCK_RAW | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC;
  return check(sys().c.socket(C.AF_NETLINK, type, 0), "socket", "watch queue", target);
}

/** mq_notify(2) through a socket. */
export function mqNotifyBySocket(mqd: number, socket: number, name: string, hint: Hint): void {
  const { c, addressOf } = sys();
  // SAFETY: the kernel reads the cookie inside the call; a growable buffer does not move.
  const cookie = new Uint8Array(
    new SharedArrayBuffer(COOKIE_BYTES, { maxByteLength: COOKIE_BYTES }),
  );
  const struct = new Struct(STRUCTS.sigevent.bytes);
  struct.setI64(STRUCTS.sigevent.sigev_value, Number(addressOf(cookie)));
  struct.setI32(STRUCTS.sigevent.sigev_signo, socket);
  struct.setI32(STRUCTS.sigevent.sigev_notify, C.SIGEV_THREAD);
  const number = machine().SYS_mq_notify;
  check(c.mq_notify_raw(number, mqd, struct.bytes), "mq_notify", "watch queue", name, hint);
}

/** What came through a socket: told of a message, not any more, or nothing yet. */
export function readNotification(
  socket: number,
  target: string,
): "message" | "removed" | undefined {
  const cookie = new Uint8Array(COOKIE_BYTES);
  const length = size(COOKIE_BYTES);
  const { c, errno } = sys();
  if (c.read(socket, cookie, length) !== -1) {
    return cookie[COOKIE_BYTES - 1] === WOKEN_UP ? "message" : "removed";
  }
  const number = errno();
  if (number === ERRNO.EAGAIN) return undefined;
  throw refused(number, "read", "watch queue", target);
}
