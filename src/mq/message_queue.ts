/**
 * MessageQueue: a handle on a POSIX message queue of the kernel.
 *
 * Rule: every descriptor is nonblocking and close-on-exec; whoever blocks does so in slices.
 */

import { ClosedError } from "../errors.ts";
import {
  C,
  checkMaking,
  checkOptions,
  checkOwner,
  checkOwnerOption,
  close,
  kindError,
  mqClose,
  mqGetattr,
  mqLength,
  mqNotify,
  mqOpen,
  mqReceive,
  mqSend,
  type MqSize,
  mqUnlink,
  nameHint,
  open,
  type Owner,
  permissionBits,
  pread,
  receivedPriority,
  type ReceiveTarget,
  shown,
  type SignalName,
  signalNumber,
  statx,
  wholeNumber,
} from "../sys/mod.ts";
import { blockUntil, Waiters, type WaitOptions } from "../wait/mod.ts";
import { defaultSize, openHint, type QueueLimits, queueLimits, transferHint } from "./limits.ts";
import { listQueues, type QueueList } from "./list.ts";
import { Message } from "./message.ts";
import { fillBatch, MessageBatch } from "./message_batch.ts";
import { type Notification, notifyByCallback } from "./notification.ts";
import { parseStatus, type QueueStatus } from "./status.ts";

/** What a handle may do: receive, send, or both. */
export type QueueAccess = "r" | "w" | "rw";

/** How {@linkcode MessageQueue.open} opens a queue. */
export interface OpenQueueOptions {
  /**
   * What the handle may do. The kernel refuses the rest with `EBADF`.
   * @default {"rw"}
   */
  access?: QueueAccess;
  /**
   * Who may own the queue: `self` refuses the queue of another user with `EACCES`, which
   * protects against a name that somebody else planted.
   * @default {"self"}
   */
  owner?: Owner;
  /**
   * Whether an asynchronous wait tries for up to 0.1 ms before it parks, where that pays: it costs
   * less than parking and being woken. It gives the processor away between the tries.
   * @default {true}
   */
  spin?: boolean;
}

/** How {@linkcode MessageQueue.create} makes a queue. */
export interface CreateQueueOptions extends Omit<OpenQueueOptions, "owner"> {
  /**
   * How many messages it can hold. From 1 to msg_max, which the kernel checks.
   * @default {the kernel's msg_default, 10}
   */
  maxMessages?: number;
  /**
   * How many bytes a message can have. From 1 to msgsize_max, which the kernel checks.
   * @default {the kernel's msgsize_default, 8192}
   */
  maxMessageBytes?: number;
  /**
   * Permission bits, from which the kernel takes those of the process's umask away.
   * @default {0o600}
   */
  mode?: number;
}

/** How a message is sent. */
export interface SendOptions {
  /**
   * From 0 to 32767; the highest is received first, and of equals the oldest.
   * @default {0}
   */
  priority?: number;
}

/** How long a blocking call may block. */
export interface BlockOptions {
  /**
   * Milliseconds, at least 0; measured on the monotonic clock.
   * @default {for ever}
   */
  timeoutMs?: number;
}

/** How long a call may wait. */
export interface AwaitOptions extends BlockOptions {
  /** Ends the wait: the promise rejects with the signal's reason, and nothing was sent or taken. */
  signal?: AbortSignal;
}

/** How {@linkcode MessageQueue.messages} is called off. */
export interface MessagesOptions {
  /** Ends the loop: it throws the signal's reason, and no message was taken. */
  signal?: AbortSignal;
}

/** What {@linkcode MessageQueue.tryReceiveInto} wrote. */
export interface ReceivedInto {
  /** The length of the message, from the start of the buffer. */
  byteLength: number;
  /** From 0 to 32767. */
  priority: number;
}

const ACCESS_FLAGS: Record<QueueAccess, number> = {
  r: C.O_RDONLY,
  w: C.O_WRONLY,
  rw: C.O_RDWR,
};

const encoder = new TextEncoder();

/** Only the static functions have it. */
const MAKING: unique symbol = Symbol("making");

/** Whether a queue still has a name: one that was unlinked is never found by anybody else again. */
export let hasName: (queue: MessageQueue) => boolean;

/**
 * {@linkcode MessageQueue.tryReceiveInto} without making anything: the message's length, or -1 when
 * the queue is empty. For rooms above: inside.ts.
 */
export let receiveLength: (queue: MessageQueue, buffer: Uint8Array) => number;

/**
 * Takes a message straight to where it is kept, and its priority with it: its length, or -1 when the
 * queue is empty. For rooms above: inside.ts.
 */
export let receiveAt: (queue: MessageQueue, target: ReceiveTarget) => number;

/**
 * Tries, then tries again until it works, whenever there is a message. For rooms above: inside.ts.
 *
 * @param attempt Gives `undefined` when it has to wait on. What it throws rejects.
 * @returns What `attempt` gave. Rejects with the signal's reason, a TimeoutError, or a ClosedError.
 */
export let awaitMessage: <T>(
  queue: MessageQueue,
  attempt: () => T | undefined,
  options: WaitOptions,
) => Promise<T>;

/**
 * Tries, then tries again until it works: whenever the queue is `writable`, or whenever it `changed`,
 * somebody having sent or received, for who needs more room than one place. For rooms above:
 * inside.ts.
 *
 * @param attempt Gives `undefined` when it has to wait on. What it throws rejects.
 * @returns What `attempt` gave. Rejects with the signal's reason, or with a ClosedError.
 */
export let awaitRoom: <T>(
  queue: MessageQueue,
  awaited: "writable" | "changed",
  attempt: () => T | undefined,
  signal: AbortSignal,
) => Promise<T>;

/**
 * A POSIX message queue: messages of bounded size, the highest priority first and the oldest
 * first within one priority, kept by the kernel until they are received or the queue is unlinked.
 *
 * The queue outlives its processes; a handle is only a way to it. Whatever runs on the same
 * machine and IPC namespace can use the other end with `mq_send` and `mq_receive`. `create` makes
 * a queue and fails when there is one, `open` fails when there is none, `unlink` takes the name
 * away: open handles go on until they are closed.
 *
 * `try…` never waits, `…Sync` blocks this thread, `send` and `receive` are awaited: first come, first
 * served on each handle, with a deadline and a signal. An awaited call keeps the program running; a
 * queue that is only open does not.
 *
 * The `…Sync` calls block this thread. A signal without a listener does what it always does, so
 * Ctrl-C ends the program; with a listener a call that is waiting throws `EINTR`, and the listener
 * runs as soon as the event loop does. A call that need not wait is not interrupted, nor is one in
 * a worker, for signals go to the main thread; and a profiler's own signals interrupt too.
 *
 * @example Sending and receiving
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
 *
 * const name = uniqueName("doc");
 * using queue = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 64 });
 * try {
 *   queue.trySend("later");
 *   queue.trySend("first", { priority: 9 });
 *   assertEquals(queue.length, 2);
 *   assertEquals(queue.receiveSync()?.text(), "first");
 *   assertEquals(queue.receiveSync({ timeoutMs: 100 })?.text(), "later");
 *   assertEquals(queue.tryReceive(), undefined);
 * } finally {
 *   MessageQueue.unlink(name);
 * }
 * ```
 *
 * @example Awaiting
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
 *
 * const name = uniqueName("doc");
 * const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 });
 * MessageQueue.unlink(name);
 *
 * const received: string[] = [];
 * const done = (async () => {
 *   for await (const message of queue) received.push(message.text());
 * })();
 * await queue.send("one");
 * await queue.send("two", { timeoutMs: 1000 }); // waits until there is room for it
 * while (received.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
 * queue.close(); // ends the loop
 * await done;
 * assertEquals(received, ["one", "two"]);
 * ```
 *
 * @see mq_overview(7)
 */
export class MessageQueue implements Disposable {
  /** The name it was opened by, with its slash. */
  readonly name: string;
  /** What this handle may do. */
  readonly access: QueueAccess;
  /** How many messages the queue can hold. */
  readonly maxMessages: number;
  /** How many bytes a message can have. */
  readonly maxMessageBytes: number;

  #mqd: number | undefined;
  /** Where messages arrive before their bytes are copied; made at the first receive. */
  #scratch: Uint8Array<ArrayBuffer> | undefined;
  /**
   * The queue again, for the status of a write-only handle. Kept: closing any descriptor of a
   * queue takes back what its process asked for by mq_notify.
   */
  #readable: number | undefined;
  /** Counts registrations, so that a cancel only takes back its own. */
  #registrations = 0;
  /** The callbacks that may still be called. */
  readonly #notifications = new Set<Notification>();
  /** One try of receiveSync, made once and not for each message. */
  readonly #attempt = () => this.#receive(this.#descriptor());
  readonly #hint = (code: string) => transferHint(this, code);
  /** Who waits for this handle. */
  readonly #waiters: Waiters;

  static {
    hasName = (queue) => statx(queue.#descriptor(), queue.name).linkCount > 0;
    receiveLength = (queue, buffer) => {
      return mqReceive(queue.#descriptor(), buffer, queue.name, queue.#hint);
    };
    receiveAt = (queue, target) => {
      return target.receive(queue.#descriptor(), queue.name, queue.#hint);
    };
    awaitMessage = (queue, attempt, options) => {
      return queue.#waiters.wait("readable", attempt, options);
    };
    awaitRoom = (queue, awaited, attempt, signal) => {
      return queue.#waiters.wait(awaited, attempt, { signal });
    };
  }

  private constructor(
    making: typeof MAKING,
    mqd: number,
    name: string,
    options: { access: QueueAccess; spin: boolean },
  ) {
    checkMaking(making, MAKING, "a MessageQueue", "MessageQueue.create, open or openOrCreate");
    this.#mqd = mqd;
    this.#waiters = new Waiters(mqd, name, options.spin);
    this.name = name;
    this.access = options.access;
    const { maxMessages, maxMessageBytes } = mqGetattr(mqd, name);
    this.maxMessages = maxMessages;
    this.maxMessageBytes = maxMessageBytes;
  }

  /**
   * Makes a queue that does not exist yet.
   *
   * @throws {PosixError} `EEXIST` if there is one of that name, `EINVAL` if a size is not from 1
   * to the kernel's limit or the name has no slash, `EACCES` if the name has two, `EMFILE` if the
   * user's queues would take more than RLIMIT_MSGQUEUE, `ENOSPC` if there are queues_max queues.
   * The hint names the limit, its value and how to raise it.
   * @throws {RangeError} If a size is no whole number or the mode not from 0 to 0o777.
   * @see mq_open(3)
   */
  static create(name: string, options: CreateQueueOptions = {}): MessageQueue {
    return MessageQueue.#open(name, C.O_CREAT | C.O_EXCL, options);
  }

  /**
   * Opens a queue that exists.
   *
   * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it may not be opened like this or
   * belongs to another user and `owner` is not `any`.
   * @see mq_open(3)
   */
  static open(name: string, options: OpenQueueOptions = {}): MessageQueue {
    return MessageQueue.#open(name, 0, options);
  }

  /**
   * Opens a queue, or makes it when there is none. The messages and the sizes of one that exists
   * stay as they are.
   *
   * @throws {PosixError} As {@linkcode MessageQueue.open} and {@linkcode MessageQueue.create} do,
   * but for `ENOENT` and `EEXIST`.
   * @see mq_open(3)
   */
  static openOrCreate(
    name: string,
    options: CreateQueueOptions & OpenQueueOptions = {},
  ): MessageQueue {
    return MessageQueue.#open(name, C.O_CREAT, options);
  }

  /**
   * Takes a queue's name away. The queue itself goes when its last handle is closed.
   *
   * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it belongs to somebody else.
   * @see mq_unlink(3)
   */
  static unlink(name: string): void {
    mqUnlink(name, (code) => nameHint(name, code));
  }

  /**
   * Lists the queues of this IPC namespace, as far as they can be seen.
   *
   * @returns The queues and where they were found: not every place shows all of them.
   */
  static list(): QueueList {
    return listQueues();
  }

  /** The kernel's limits on queues, as they are now. */
  static limits(): QueueLimits {
    return queueLimits();
  }

  static #open(
    name: string,
    creation: number,
    options: CreateQueueOptions & OpenQueueOptions,
  ): MessageQueue {
    checkOptions(options, `open queue ${shown(name)}`, "{ maxMessages: 4 }");
    const { access = "rw", owner = "self", mode = 0o600, spin = true } = options;
    const flags = accessFlags(access, name) | creation | C.O_NONBLOCK | C.O_CLOEXEC;
    const size = creation ? sizeOf(options) : undefined;
    const bits = permissionBits(mode);
    checkOwnerOption(owner);
    const usedBytes = () => listQueues().userBytes;
    const hint = (code: string) => openHint(name, size, code, usedBytes);
    const mqd = mqOpen(name, flags, bits, size, hint);
    try {
      if (!(creation & C.O_EXCL)) checkOwner(mqd, owner, "queue", name);
      return new MessageQueue(MAKING, mqd, name, { access, spin: spin !== false });
    } catch (error) {
      mqClose(mqd, name);
      throw error;
    }
  }

  /** How many messages are waiting now. */
  get length(): number {
    return mqLength(this.#descriptor(), this.name);
  }

  /**
   * Sends a message if there is room.
   *
   * @param data The bytes, or a text that is sent as UTF-8. May be empty.
   * @returns False when the queue is full.
   * @throws {PosixError} `EMSGSIZE` if the message is longer than `maxMessageBytes`, `EINVAL` if
   * the priority is above 32767, `EBADF` if the handle is read-only. Nothing was sent then.
   * @throws {TypeError} If `data` is neither a Uint8Array nor a string, or its buffer is detached.
   * @throws {RangeError} If the priority is no whole number from 0.
   * @see mq_send(3)
   */
  trySend(data: Uint8Array | string, options?: SendOptions): boolean {
    const bytes = bytesOf(data);
    const priority = options === undefined ? 0 : priorityOf(options);
    return mqSend(this.#descriptor(), bytes, priority, this.name, this.#hint);
  }

  /**
   * Sends a message, blocking this thread while the queue is full.
   *
   * @returns False at the deadline; without one the call comes back only with true.
   * @throws {PosixError} As {@linkcode MessageQueue.trySend} does, and `EINTR` on a signal that
   * the program listens for: nothing was sent then.
   * @throws {RangeError} If `timeoutMs` is below 0 or NaN.
   * @see mq_timedsend(3)
   */
  sendSync(data: Uint8Array | string, options: SendOptions & BlockOptions = {}): boolean {
    const bytes = bytesOf(data);
    const priority = priorityOf(options);
    const { timeoutMs } = options;
    // After everything of the caller's: a getter among the options may close the handle.
    const mqd = this.#descriptor();
    // The usual case, without a closure; a deadline is judged before anything is sent.
    if (timeoutMs === undefined && mqSend(mqd, bytes, priority, this.name, this.#hint)) return true;
    const attempt = () => mqSend(mqd, bytes, priority, this.name, this.#hint) || undefined;
    return blockUntil(mqd, "writable", attempt, timeoutMs, this.name) ?? false;
  }

  /**
   * Sends a message as soon as there is room. Calls are served in their order.
   *
   * Bytes that have to wait are copied: the caller may use the buffer again at once.
   *
   * @returns A promise that is fulfilled when the queue has the message. It rejects with a
   * `TimeoutError` at the deadline, with the signal's reason when that ends it, with
   * {@linkcode ClosedError} when the handle is closed: nothing was sent then.
   * @throws {PosixError} As {@linkcode MessageQueue.trySend} does, by rejection.
   */
  send(data: Uint8Array | string, options?: SendOptions & AwaitOptions): Promise<void> {
    try {
      let bytes = bytesOf(data);
      const priority = options === undefined ? 0 : priorityOf(options);
      const waitOptions = {
        timeoutMs: options?.timeoutMs,
        signal: options?.signal,
        beforeParking() {
          // Not slice(): that of a Buffer of Node makes another view of the same bytes.
          if (typeof data !== "string") bytes = new Uint8Array(bytes);
        },
      };
      const mqd = this.#descriptor();
      const attempt = () => mqSend(mqd, bytes, priority, this.name, this.#hint) || undefined;
      const sent = this.#waiters.take("writable", attempt, waitOptions);
      return sent === true ? Promise.resolve() : sent.then(nothing);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes the message of highest priority, if there is one.
   *
   * @returns The message, or `undefined` when the queue is empty.
   * @throws {PosixError} `EBADF` if the handle is write-only.
   * @see mq_receive(3)
   */
  tryReceive(): Message | undefined {
    return this.#receive(this.#descriptor());
  }

  /**
   * Takes the message of highest priority, blocking this thread while there is none.
   *
   * @returns The message, or `undefined` at the deadline.
   * @throws {PosixError} `EBADF` if the handle is write-only, `EINTR` on a signal that the program
   * listens for: no message was taken then.
   * @throws {RangeError} If `timeoutMs` is below 0 or NaN.
   * @see mq_timedreceive(3)
   */
  receiveSync(options: BlockOptions = {}): Message | undefined {
    checkOptions(options, "receive", "{ timeoutMs: 100 }");
    const { timeoutMs } = options;
    const mqd = this.#descriptor();
    return blockUntil(mqd, "readable", this.#attempt, timeoutMs, this.name);
  }

  /**
   * Takes the message of highest priority as soon as there is one. Calls are served in their order.
   *
   * A promise that loses a `Promise.race` has not been called off, and takes its message all the
   * same: give each its own `signal`, or read each queue in a loop of its own.
   *
   * @returns A promise of the message. It rejects with a `TimeoutError` at the deadline, with the
   * signal's reason when that ends it, with {@linkcode ClosedError} when the handle is closed: no
   * message was taken then.
   * @throws {PosixError} `EBADF` if the handle is write-only, by rejection.
   */
  receive(options?: AwaitOptions): Promise<Message> {
    try {
      const waitOptions = options === undefined ? undefined : awaitOptionsOf(options);
      this.#descriptor();
      return Promise.resolve(this.#waiters.take("readable", this.#attempt, waitOptions));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes message after message, and waits for more: what `for await (const message of queue)` does,
   * and this can be called off. It ends when the handle is closed.
   *
   * @example Until it is called off
   * ```ts
   * import { assertEquals, assertRejects } from "@std/assert";
   * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
   *
   * const name = uniqueName("doc");
   * using queue = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 64 });
   * MessageQueue.unlink(name);
   * const shutdown = new AbortController();
   * queue.trySend("last");
   * const loop = async () => {
   *   for await (const message of queue.messages({ signal: shutdown.signal })) {
   *     assertEquals(message.text(), "last");
   *     shutdown.abort("the end");
   *   }
   * };
   * assertEquals(await loop().catch((reason) => reason), "the end");
   * ```
   *
   * @returns An iterable of messages, to be read once. Its waits reject with the signal's reason.
   */
  messages(options: MessagesOptions = {}): AsyncIterableIterator<Message, void, void> {
    checkOptions(options, "receive", "{ signal }");
    const { signal } = options;
    const waiters = this.#waiters, attempt = this.#attempt;
    const left = new AbortController();
    const wait = { signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal };
    let ended = false;
    const end = (error: unknown) => {
      ended = true;
      if (error === LEFT || error instanceof ClosedError) return DONE;
      throw error;
    };
    // By hand: a generator makes three promises for each message, and is not left while it waits.
    return {
      next() {
        if (ended) return Promise.resolve(DONE);
        try {
          const message = waiters.take("readable", attempt, wait);
          if (message instanceof Message) return Promise.resolve(given(message));
          return message.then(given, end);
        } catch (error) {
          return Promise.reject(error).catch(end);
        }
      },
      return(value) {
        ended = true;
        left.abort(LEFT);
        return Promise.resolve(value).then((value) => ({ value: value as void, done: true }));
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** The same as {@linkcode MessageQueue.messages} without options. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message, void, void> {
    return this.messages();
  }

  /**
   * Takes the message of highest priority into memory of the caller's, without a copy in between.
   *
   * A view of shared memory that a peer truncates meanwhile is the one buffer that can fail after
   * the message was taken: `EFAULT`, and the message is lost.
   *
   * @param buffer At least `maxMessageBytes` long, however short the message is.
   * @returns What was written, or `undefined` when the queue is empty.
   * @throws {PosixError} `EMSGSIZE` if the buffer is too small: the message stays in the queue.
   * @throws {TypeError} If it is no Uint8Array, or its buffer is detached.
   * @see mq_receive(3)
   */
  tryReceiveInto(buffer: Uint8Array): ReceivedInto | undefined {
    checkBuffer(buffer);
    return this.#receiveInto(this.#descriptor(), buffer);
  }

  /**
   * Takes the message of highest priority into memory of the caller's, blocking this thread while
   * there is none.
   *
   * @param buffer As for {@linkcode MessageQueue.tryReceiveInto}.
   * @returns What was written, or `undefined` at the deadline.
   * @throws As {@linkcode MessageQueue.tryReceiveInto} and {@linkcode MessageQueue.receiveSync} do.
   */
  receiveIntoSync(buffer: Uint8Array, options: BlockOptions = {}): ReceivedInto | undefined {
    checkBuffer(buffer);
    checkOptions(options, "receive", "{ timeoutMs: 100 }");
    const { timeoutMs } = options;
    const mqd = this.#descriptor();
    const attempt = () => this.#receiveInto(mqd, buffer);
    return blockUntil(mqd, "readable", attempt, timeoutMs, this.name);
  }

  /**
   * Takes the message of highest priority into memory of the caller's as soon as there is one: what
   * {@linkcode MessageQueue.receive} does, without making anything for the message.
   *
   * @param buffer As for {@linkcode MessageQueue.tryReceiveInto}. Its bytes may change until the
   * promise is settled, so two calls at a time need two buffers.
   * @returns A promise of what was written. It rejects as that of
   * {@linkcode MessageQueue.receive}, and as {@linkcode MessageQueue.tryReceiveInto} throws.
   */
  receiveInto(buffer: Uint8Array, options?: AwaitOptions): Promise<ReceivedInto> {
    try {
      checkBuffer(buffer);
      const waitOptions = options === undefined ? undefined : awaitOptionsOf(options);
      const mqd = this.#descriptor();
      const attempt = () => this.#receiveInto(mqd, buffer);
      return Promise.resolve(this.#waiters.take("readable", attempt, waitOptions));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes the messages that there are, the one of highest priority first, as many as a batch has room
   * for: in one call with the native driver. What was in the batch before is gone.
   *
   * @returns How many messages are in the batch now; 0 when the queue is empty.
   * @throws {PosixError} `EMSGSIZE` if the batch has less room for each than `maxMessageBytes`,
   * `EBADF` if the handle is write-only: nothing was taken then.
   * @see mq_receive(3)
   */
  tryReceiveBatch(batch: MessageBatch): number {
    checkBatch(batch);
    return fillBatch(batch, this.#descriptor(), this.name, this.#hint);
  }

  /**
   * Takes the messages that there are as soon as there is one: what
   * {@linkcode MessageQueue.tryReceiveBatch} does, awaited.
   *
   * @param batch Two calls at a time need two of them.
   * @returns A promise of how many there are, 1 or more. It rejects as that of
   * {@linkcode MessageQueue.receive}, and as {@linkcode MessageQueue.tryReceiveBatch} throws.
   */
  receiveBatch(batch: MessageBatch, options?: AwaitOptions): Promise<number> {
    try {
      checkBatch(batch);
      const waitOptions = options === undefined ? undefined : awaitOptionsOf(options);
      const mqd = this.#descriptor();
      const attempt = () => fillBatch(batch, mqd, this.name, this.#hint) || undefined;
      return Promise.resolve(this.#waiters.take("readable", attempt, waitOptions));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #receiveInto(mqd: number, buffer: Uint8Array): ReceivedInto | undefined {
    const byteLength = mqReceive(mqd, buffer, this.name, this.#hint);
    return byteLength === -1 ? undefined : { byteLength, priority: receivedPriority() };
  }

  #receive(mqd: number): Message | undefined {
    const scratch = this.#scratch ??= new Uint8Array(this.maxMessageBytes);
    const byteLength = mqReceive(mqd, scratch, this.name, this.#hint);
    if (byteLength === -1) return undefined;
    return new Message(scratch.slice(0, byteLength), receivedPriority());
  }

  /**
   * Asks for one signal, or one call, when a message arrives in the empty queue and nobody is
   * blocked in `mq_receive` for it. (Who awaits `receive()` is not blocked there: both are told.)
   *
   * One process at a time can ask, and is told once; whoever wants more asks again first and
   * looks into the queue then. The signal reaches the process, so a listener of the runtime's.
   * The handle must stay open for it: `using` closes it when its block, or its module, has run.
   *
   * To the kernel all handles of a process on one queue are one: closing any of them takes back
   * what another asked for, and so does a cancel that is called after its own signal came.
   *
   * @example Told of each burst of messages
   * ```ts
   * import process from "node:process";
   * import { assertEquals } from "@std/assert";
   * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
   *
   * const name = uniqueName("doc");
   * const queue = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 64 });
   * MessageQueue.unlink(name);
   * const texts: string[] = [];
   * const { promise: told, resolve } = Promise.withResolvers<void>();
   * const listener = () => {
   *   queue.notify("SIGUSR1"); // first ask again, then empty the queue
   *   for (let next = queue.tryReceive(); next; next = queue.tryReceive()) texts.push(next.text());
   *   resolve();
   * };
   * process.on("SIGUSR1", listener);
   * const alive = setInterval(() => {}, 1000); // a listener alone keeps no program running
   *
   * queue.notify("SIGUSR1");
   * queue.trySend("hello");
   * await told;
   * assertEquals(texts, ["hello"]);
   *
   * clearInterval(alive);
   * process.off("SIGUSR1", listener);
   * queue.close();
   * ```
   *
   * @example Called once
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
   *
   * const name = uniqueName("doc");
   * using queue = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 64 });
   * MessageQueue.unlink(name);
   * const called = new Promise<void>((resolve) => queue.notify(resolve));
   * queue.trySend("hello");
   * await called;
   * assertEquals(queue.tryReceive()?.text(), "hello");
   * ```
   *
   * @param signalOrCallback The signal to get, or what to call: in a turn of its own, by the event
   * loop of this thread, which keeps running for it.
   * @returns A cancel, after which the function is not called; calling it twice does nothing. A
   * function that asks again is told by a registration of its own, with a cancel of its own.
   * @throws {PosixError} `EBUSY` if somebody, this process included, asks already.
   * @throws {TypeError} If there is no such signal.
   * @see mq_notify(3)
   */
  notify(signalOrCallback: SignalName | (() => void)): () => void {
    const callback = typeof signalOrCallback === "function" ? signalOrCallback : undefined;
    if (callback === undefined && typeof signalOrCallback !== "string") {
      throw kindError("be notified by", signalOrCallback, "the name of a signal or a function");
    }
    const number = callback ? undefined : signalNumber(signalOrCallback as SignalName);
    const mqd = this.#descriptor();
    let notification: Notification | undefined;
    if (callback === undefined) mqNotify(mqd, number, this.name, busyHint);
    else {
      notification = notifyByCallback(mqd, this.name, callback, busyHint);
      for (const other of this.#notifications) if (other.isDone) this.#notifications.delete(other);
      this.#notifications.add(notification);
    }
    const registration = ++this.#registrations;
    return () => {
      if (this.#mqd === undefined) return;
      const isOver = notification?.end() === false;
      // A later registration took ours with it, or its call did.
      if (isOver || registration !== this.#registrations) return;
      this.#registrations++;
      mqNotify(this.#mqd, undefined, this.name, () => undefined);
    };
  }

  /**
   * What /dev/mqueue would show of the queue; works where that is not mounted.
   *
   * @throws {PosixError} `EACCES` if the handle is write-only and the queue may not be read.
   * @see mq_overview(7)
   */
  status(): QueueStatus {
    const mqd = this.#descriptor();
    if (this.access !== "w") return this.#statusFrom(mqd);
    // LINUX: only a readable descriptor gives the line; /proc opens the same queue once more.
    const path = `/proc/self/fd/${mqd}`;
    this.#readable ??= open(path, C.O_RDONLY | C.O_NONBLOCK, undefined, this.name);
    return this.#statusFrom(this.#readable);
  }

  #statusFrom(fd: number): QueueStatus {
    const line = new Uint8Array(256);
    const length = pread(fd, line, 0, this.name);
    const { uid, gid, mode } = statx(fd, this.name);
    return { ...parseStatus(line.subarray(0, length)), uid, gid, mode };
  }

  /** Whether {@linkcode MessageQueue.close} was called. */
  get closed(): boolean {
    return this.#mqd === undefined;
  }

  /**
   * Closes the handle; the queue stays. Who waits for the handle gets a {@linkcode ClosedError}.
   * Closing twice is allowed and does nothing.
   */
  close(): void {
    if (this.#mqd === undefined) return;
    const mqd = this.#mqd;
    this.#mqd = undefined;
    this.#scratch = undefined;
    this.#waiters.end(new ClosedError("queue", this.name));
    for (const notification of this.#notifications) notification.end();
    if (this.#readable !== undefined) close(this.#readable, this.name);
    this.#readable = undefined;
    mqClose(mqd, this.name);
  }

  /** The same as {@linkcode MessageQueue.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #descriptor(): number {
    if (this.#mqd === undefined) throw new ClosedError("queue", this.name);
    return this.#mqd;
  }
}

/** What ends the wait of an iterator that was left. */
const LEFT = new Error("nobody iterates any more");

const DONE: IteratorReturnResult<void> = { value: undefined, done: true };

function given(value: Message): IteratorYieldResult<Message> {
  return { value, done: false };
}

function nothing(): void {}

function busyHint(code: string): string | undefined {
  if (code !== "EBUSY") return undefined;
  return "one process at a time can ask, and once; status().notifyPid tells which one does, perhaps " +
    "this one: a cancel takes that back";
}

/** Both sizes, or `undefined` for the kernel's defaults; one alone is completed by its default. */
function sizeOf({ maxMessages, maxMessageBytes }: CreateQueueOptions): MqSize | undefined {
  if (maxMessages === undefined && maxMessageBytes === undefined) return undefined;
  return {
    // Their range is the kernel's to judge.
    maxMessages: wholeNumber(maxMessages ?? defaultSize().maxMessages, { name: "maxMessages" }),
    maxMessageBytes: wholeNumber(maxMessageBytes ?? defaultSize().maxMessageBytes, {
      name: "maxMessageBytes",
    }),
  };
}

function accessFlags(access: QueueAccess, name: string): number {
  if (typeof access === "string" && Object.hasOwn(ACCESS_FLAGS, access)) {
    return ACCESS_FLAGS[access];
  }
  throw new TypeError(
    `Cannot open queue ${shown(name)}: access is ${shown(access)}, expected "r", "w" or "rw"`,
  );
}

/** What fits into 32 bits is the kernel's to judge. */
function priorityOf(options: SendOptions): number {
  checkOptions(options, "send", "{ priority: 9 }");
  const { priority = 0 } = options;
  const number = priority >>> 0;
  if (number === priority) return number;
  const what = `Cannot send with priority ${shown(priority)}`;
  if (typeof priority !== "number") throw new TypeError(`${what}: expected a number, 0 to 32767`);
  throw new RangeError(`${what}: expected a whole number, 0 to 32767`);
}

/** A copy: whoever owns the options may change them while somebody waits. */
function awaitOptionsOf(options: AwaitOptions): WaitOptions {
  checkOptions(options, "receive", "{ timeoutMs: 100 }");
  const { timeoutMs, signal } = options;
  return { timeoutMs, signal };
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  throw kindError("send", data, "a Uint8Array or a string");
}

function checkBatch(batch: unknown): void {
  if (!(batch instanceof MessageBatch)) throw kindError("receive into", batch, "a MessageBatch");
}

function checkBuffer(buffer: unknown): void {
  if (!(buffer instanceof Uint8Array)) throw kindError("receive into", buffer, "a Uint8Array");
}
