/** Region: a struct over shared memory, by name, anonymous, or posted to a worker. */

import { LayoutError } from "../errors.ts";
import type { Fields, Struct } from "../layout/mod.ts";
import { type Owner, Segment, SharedMemory, type StdioEntry } from "../shm/mod.ts";
import {
  checkMaking,
  checkOptions,
  geteuid,
  isReadOnly,
  permissionBits,
  refuse,
  shown,
} from "../sys/mod.ts";
import { EventCount } from "../wait/mod.ts";
import { FieldMemory, LOOK_EVERY_MS } from "./field_memory.ts";
import { type FieldsOf, makeFields } from "./fields.ts";
import { formatRegion, judgeHeader, stateOf } from "./header.ts";
import { checkSettings, formatLocks, hasLocks, type LocksSettings } from "./lock_fields.ts";
import { createRegion, type Making, openOrCreateRegion, openRegion } from "./opening.ts";
import { CHANGES_OFFSET, FIELDS_OFFSET, HEADER_BYTES } from "./region_layout.ts";
import { checkSchema, checkStruct, formatOf } from "./schema.ts";
import { type InspectOptions, inspectRegion, type RegionStatus } from "./inspect.ts";
import { type Snapshot, snapshotOf } from "./snapshot.ts";

/** What a region may be used for: reading, or reading and writing. */
export type RegionAccess = "r" | "rw";

/** What a region without a name is made with. */
export interface AnonymousRegionOptions {
  /**
   * Whether the schema is kept in the region as text: errors and `postbox shm dump` show it.
   * @default {true}
   */
  schema?: boolean;
  /** How its locks begin: semaphores, events, and barriers, which need to be told. */
  locks?: LocksSettings;
}

/** Who is trusted with the locks of a region. */
export interface TrustOptions {
  /**
   * Whether a region with locks, or records, may be written by other users than this one. A lock
   * that survives its owner keeps pointers in the shared memory: whoever writes there can make a
   * process that unlocks write anywhere.
   * @default {false}
   */
  trustPeers?: boolean;
}

/** How {@linkcode Region.create} makes a region. */
export interface CreateRegionOptions extends AnonymousRegionOptions, TrustOptions {
  /**
   * Permission bits, from which the kernel takes those of the process's umask away.
   * @default {0o600}
   */
  mode?: number;
}

/** How {@linkcode Region.open} opens a region. */
export interface OpenRegionOptions extends TrustOptions {
  /**
   * `r` opens it for reading: its fields follow the writers, and refuse every change.
   * @default {"rw"}
   */
  access?: RegionAccess;
  /**
   * Who may own it: `self` refuses that of another user.
   * @default {"self"}
   */
  owner?: Owner;
  /**
   * How long to wait, blocking this thread, for somebody who is making it: milliseconds, at least 0.
   * @default {10 000}
   */
  timeoutMs?: number;
}

/** How {@linkcode Region.openOrCreate} opens or makes a region. */
export interface OpenOrCreateRegionOptions extends CreateRegionOptions {
  /** Who may own one that exists, as in {@linkcode OpenRegionOptions}. */
  owner?: Owner;
  /** How long to wait for somebody who is making it, as in {@linkcode OpenRegionOptions}. */
  timeoutMs?: number;
}

/** How {@linkcode Region.attach} uses a region. */
export interface AttachRegionOptions {
  /**
   * `r` for the buffer of a read-only region. A worker cannot see that by itself: what it wrote
   * there would reach nobody.
   * @default {"rw"}
   */
  access?: RegionAccess;
}

/** Far longer than it takes to make one. */
const MAKING_TIMEOUT_MS = 10_000;

/** Only the static functions have it. */
const MAKING: unique symbol = Symbol("making");

/** What a handle is made of. */
interface Parts<F extends Fields> {
  name: string;
  schema: Struct<F>;
  access: RegionAccess;
  bytes: Uint8Array<SharedArrayBuffer>;
  /** Closed with the handle. */
  memory: SharedMemory | undefined;
}

/**
 * A struct in shared memory: typed fields that processes, threads and C share.
 *
 * Numbers and truth values are shared one by one, each call one atomic operation; a `record` is
 * shared as a whole; locks survive their owner. A region is told apart by its schema: who opens it
 * with another one gets a `LayoutError` that shows the differences.
 *
 * Whoever may write a region can write anything there: fields hold then what they hold, and nobody
 * crashes. Two exceptions are told plainly: who may write can also truncate the object, as with
 * {@linkcode SharedMemory}; and locks trust whoever may write them
 * ({@linkcode TrustOptions.trustPeers}).
 *
 * @example Two handles on one region
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { f64, record, Region, struct, text, u64 } from "@postbox/postbox/region";
 * import { uniqueName } from "@postbox/postbox/shm";
 *
 * const Stats = struct("stats", { hits: u64, last: record({ ratio: f64, tag: text(16) }) });
 * const name = uniqueName("doc");
 * using region = Region.create(name, Stats);
 * try {
 *   using peer = Region.open(name, Stats); // in any process
 *   peer.fields.hits.add(2n);
 *   peer.fields.last.update((draft) => {
 *     draft.ratio = 0.5;
 *     draft.tag = "half";
 *   });
 *   assertEquals(region.fields.hits.load(), 2n);
 *   assertEquals(region.fields.last.read(), { ratio: 0.5, tag: "half" });
 * } finally {
 *   Region.unlink(name);
 * }
 * ```
 *
 * @typeParam F The fields of its struct.
 */
export class Region<F extends Fields> implements Disposable {
  /** The name it was opened by; of one without, what stands for it in errors. */
  readonly name: string;
  /** Its struct. */
  readonly schema: Struct<F>;
  /** What this handle may do. */
  readonly access: RegionAccess;
  /** Its fields by name. */
  readonly fields: FieldsOf<F>;
  readonly #memory: SharedMemory | undefined;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #shared: FieldMemory;

  private constructor(making: typeof MAKING, parts: Parts<F>) {
    checkMaking(making, MAKING, "a Region", "Region.create, open or attach");
    const { name, schema, access, bytes, memory } = parts;
    const { buffer } = bytes;
    this.name = name;
    this.schema = schema;
    this.access = access;
    this.#memory = memory;
    this.#bytes = bytes;
    const changes = access === "r" ? undefined : EventCount.attach(buffer, CHANGES_OFFSET, {
      lookEveryMs: LOOK_EVERY_MS,
      target: name,
    });
    this.#shared = new FieldMemory({ buffer, access, target: name, changes });
    const place = { memory: this.#shared, byteOffset: FIELDS_OFFSET, path: "" };
    this.fields = makeFields(schema, place);
  }

  /**
   * Makes a region that does not exist yet; all its fields are 0, false or empty.
   *
   * @throws {PosixError} `EEXIST` if there is an object of that name; `EACCES` if it has locks and
   * `mode` lets others write them; otherwise as {@linkcode SharedMemory.create} does.
   * @throws {TypeError} If `schema` is no struct, or a barrier is not told its parties.
   */
  static create<F extends Fields>(
    name: string,
    schema: Struct<F>,
    options: CreateRegionOptions = {},
  ): Region<F> {
    checkOptions(options, `create region ${shown(name)}`, "{ mode: 0o640 }");
    const making = makingOf(name, schema, options);
    return Region.#over(createRegion(name, making), schema);
  }

  /**
   * Opens a region that exists. One that somebody is making just now is waited for, which blocks
   * this thread for {@linkcode OpenRegionOptions.timeoutMs} at most.
   *
   * @throws {PosixError} `ENOENT` if there is none; `EACCES` if it may not be opened like this,
   * belongs to another user and `owner` is not `any`, or has locks that others may write and
   * `trustPeers` is not set; `ETIMEDOUT` if its maker is alive and was not done in time.
   * @throws {LayoutError} If it has another schema, version or byte order, is no region, or its
   * maker died before it was ready.
   */
  static open<F extends Fields>(
    name: string,
    schema: Struct<F>,
    options: OpenRegionOptions = {},
  ): Region<F> {
    checkOptions(options, `open region ${shown(name)}`, '{ access: "r" }');
    checkStruct(schema, `open region ${shown(name)}`);
    const { access = "rw", owner = "self", timeoutMs = MAKING_TIMEOUT_MS, trustPeers = false } =
      options;
    const memory = openRegion(name, { access, owner, timeoutMs });
    return Region.#over(memory, schema, { trustPeers });
  }

  /**
   * Opens a region or makes it, also one whose maker died before it was ready. Of any number of
   * callers at once exactly one makes it, and the others wait for that.
   *
   * @throws As {@linkcode Region.open} and {@linkcode Region.create} do, but for `ENOENT` and
   * `EEXIST`.
   */
  static openOrCreate<F extends Fields>(
    name: string,
    schema: Struct<F>,
    options: OpenOrCreateRegionOptions = {},
  ): Region<F> {
    checkOptions(options, `open region ${shown(name)}`, "{ mode: 0o640 }");
    const { owner = "self", timeoutMs = MAKING_TIMEOUT_MS, trustPeers = false } = options;
    const making = makingOf(name, schema, options);
    const memory = openOrCreateRegion(name, making, { access: "rw", owner, timeoutMs });
    return Region.#over(memory, schema, { trustPeers });
  }

  /**
   * Makes a region without a name: for this process, its workers, and children that inherit it.
   * Nobody can truncate it.
   *
   * @throws {PosixError} As {@linkcode SharedMemory.anonymous} does.
   */
  static anonymous<F extends Fields>(
    schema: Struct<F>,
    options: AnonymousRegionOptions = {},
  ): Region<F> {
    checkOptions(options, "create a region", "{ schema: false }");
    const { byteLength, format } = makingOf("memfd:region", schema, options);
    const memory = SharedMemory.anonymous({ byteLength, seal: SEALS, label: "region" });
    return Region.#over(memory, schema, { format });
  }

  /**
   * Takes over the region that a parent handed to this process by {@linkcode Region.inheritAs}.
   *
   * @param descriptor The number that the parent chose.
   * @throws {LayoutError} As {@linkcode SharedMemory.fromInherited} does, or if it has another
   * schema.
   * @throws {PosixError} `EBADF` if there is no such descriptor.
   */
  static fromInherited<F extends Fields>(descriptor: number, schema: Struct<F>): Region<F> {
    checkStruct(schema, "adopt a region");
    return Region.#over(SharedMemory.fromInherited(descriptor, { seal: SEALS }), schema);
  }

  /**
   * Uses a region in a worker, from the posted {@linkcode Region.buffer}. Closing it closes nothing
   * but this handle; the region's own handle must stay open as long as a worker uses it.
   *
   * @throws {TypeError} If it is no buffer of a region's, or a read-only one's and `access` is not
   * `r`.
   * @throws {LayoutError} If it has another schema.
   */
  static attach<F extends Fields>(
    buffer: SharedArrayBuffer,
    schema: Struct<F>,
    options: AttachRegionOptions = {},
  ): Region<F> {
    checkOptions(options, "attach to a region", '{ access: "r" }');
    checkStruct(schema, "attach to a region");
    const { access = "rw" } = options;
    checkAccess(access, "the attached region");
    const { bytes } = Segment.attach(buffer);
    if (access === "rw" && isReadOnly(buffer)) {
      const found = "the buffer is a read-only region's";
      throw new TypeError(`Cannot attach to a region: ${found}, expected access: "r"`);
    }
    return Region.#judged({ name: "attached", schema, access, bytes, memory: undefined });
  }

  /**
   * Takes a region's name away. The memory itself goes when its last handle is closed.
   *
   * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it belongs to somebody else.
   */
  static unlink(name: string): void {
    SharedMemory.unlink(name);
  }

  /**
   * What can be told of a region without knowing its schema; `undefined` if the object of that name
   * is none. It only reads copies, so nothing that is there can do any harm.
   *
   * @throws {PosixError} `ENOENT` if there is no object of that name, `EACCES` if it may not be read.
   * @throws {LayoutError} If it is a region of another version or byte order, or a damaged one.
   */
  static inspect(name: string, options: InspectOptions = {}): RegionStatus | undefined {
    return inspectRegion(name, options);
  }

  /** Uses memory that holds a region, or after `format` does; closes it if that fails. */
  static #over<F extends Fields>(
    memory: SharedMemory,
    schema: Struct<F>,
    { format, trustPeers = true }: { format?: Making["format"]; trustPeers?: boolean } = {},
  ): Region<F> {
    const { name, access } = memory;
    try {
      if (!trustPeers) checkTrust(memory, schema);
      format?.(memory.buffer);
      return Region.#judged({ name, schema, access, bytes: memory.bytes, memory });
    } catch (error) {
      memory.close();
      throw error;
    }
  }

  /** Uses memory after judging what is in it. */
  static #judged<F extends Fields>(parts: Parts<F>): Region<F> {
    const { name, schema, access, bytes } = parts;
    const state = stateOf(bytes, access, name);
    if (state !== "ready") {
      const found = state === "blank" ? "nothing" : "one that is not ready";
      throw new LayoutError({ action: "open region", target: name, found, expected: "a region" });
    }
    const header = judgeHeader(bytes.slice(0, HEADER_BYTES), bytes.byteLength, name);
    checkSchema(header, schema, name, () => {
      const { textOffset, textBytes } = header.plan;
      return bytes.slice(textOffset, textOffset + textBytes);
    });
    return new Region(MAKING, parts);
  }

  /** The memory, to be posted to a worker: {@linkcode Region.attach}. */
  get buffer(): SharedArrayBuffer {
    this.#shared.checkOpen();
    return this.#bytes.buffer;
  }

  /** Whether {@linkcode Region.close} was called. */
  get closed(): boolean {
    return this.#shared.closed;
  }

  /**
   * The values of all fields as a plain object: each as it is now, not all of one moment. Locks
   * are texts that say what can be seen of them.
   */
  snapshot(): Snapshot<F> {
    this.#shared.checkOpen();
    return snapshotOf(this.schema, this.fields, this.#bytes.subarray(FIELDS_OFFSET));
  }

  /**
   * Hands the region to a child: the `stdio` to start it with by `node:child_process`, in which
   * the region is descriptor `descriptor`. The child takes it over by
   * {@linkcode Region.fromInherited}.
   *
   * @param descriptor From 3.
   * @param stdio What the other descriptors are.
   * @throws {TypeError} If this handle was attached, or has a name: a child opens that.
   */
  inheritAs(descriptor: number, stdio?: readonly StdioEntry[]): StdioEntry[] {
    this.#shared.checkOpen();
    if (this.#memory === undefined || !this.name.startsWith("memfd:")) {
      throw new TypeError(
        `Cannot hand on region ${shown(this.name)}: it is not anonymous, expected a child to ` +
          "open it by its name",
      );
    }
    return this.#memory.inheritAs(descriptor, stdio);
  }

  /**
   * Closes the handle; the region stays. Who waits for a field, or a lock of it, through this handle
   * gets a `ClosedError`. Closing twice is allowed and does nothing.
   */
  close(): void {
    if (this.closed) return;
    this.#shared.close();
    this.#memory?.close();
  }

  /** The same as {@linkcode Region.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** So that nobody can cut it off under those who use it. */
const SEALS = ["shrink", "grow", "seal"] as const;

/** What is made for a schema. Judges all there is to judge before anything is made. */
function makingOf(name: string, schema: Struct, options: CreateRegionOptions): Making {
  const action = `create region ${shown(name)}`;
  checkStruct(schema, action);
  const { schema: hasText = true, locks = {}, mode = 0o600, trustPeers = false } = options;
  checkSettings(schema, locks);
  if (!trustPeers && hasLocks(schema) && (permissionBits(mode) & WRITABLE_BY_OTHERS) !== 0) {
    throw refuse("EACCES", "shm_open", "create region", name, distrust("its mode lets"));
  }
  const format = formatOf(schema, hasText);
  return {
    byteLength: format.plan.byteLength,
    mode,
    format: (buffer) =>
      formatRegion(buffer, format, name, () => formatLocks(schema, buffer, FIELDS_OFFSET, locks)),
  };
}

/** Permission to write for the group and for all. */
const WRITABLE_BY_OTHERS = 0o022;

/** Refuses locks that others than this user may write. Read-only, none of them is used. */
function checkTrust(memory: SharedMemory, schema: Struct): void {
  if (memory.access === "r" || !hasLocks(schema)) return;
  const { uid, mode } = memory.status();
  const who = uid === geteuid()
    ? (mode & WRITABLE_BY_OTHERS) !== 0 ? `its mode ${mode.toString(8)} lets` : undefined
    : `it belongs to user ${uid}, which lets`;
  if (who === undefined) return;
  throw refuse("EACCES", "statx", "open region", memory.name, distrust(who));
}

function distrust(who: string): string {
  return `${who} others write its locks, and who writes a lock can make whoever unlocks it write ` +
    "anywhere; if they are trusted with that: trustPeers: true";
}

function checkAccess(access: RegionAccess, name: string): void {
  if (access === "r" || access === "rw") return;
  throw new TypeError(`Cannot open ${name}: access is ${shown(access)}, expected "r" or "rw"`);
}
