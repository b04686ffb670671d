/**
 * The table in shared memory: its layout, and nothing that decides anything.
 *
 * Rule: no offset, no number of a field and no state is written anywhere else.
 *
 * ```text
 * section    one element                                         written by
 * +--------+---------------------------------------------------+---------------------------------
 * | header | magic, version, seven sizes; name of the queue    | parent, before a child starts
 * | files  | first byte's global offset, length, path          | parent, before a child starts
 * | paths  | the paths, UTF-8                                  | parent, before a child starts
 * | pieces | file, offset in it, length                        | parent, before a child starts
 * | states | i32   FREE, CLAIMED by a column, DONE by a column | whoever claims; settle()
 * | control| i32 s stage, fault, journal's commit and length   | the column's owner; settle()
 * | keys   | u64   0, or a reference to a word                 | who compares and exchanges first
 * | counts | u64   per column and slot: how often, so far      | the column's owner; settle()
 * | journal| per column: slots (u32) and new counts (u64)      | the column's owner
 * +--------+---------------------------------------------------+---------------------------------
 *                 column 0 is the parent's, column n that of worker n
 *
 * a key (a reference to where the word was first seen, never 0, for no word has length 0)
 *
 * bit 63                                                   16 15                  0
 *     +------------------------------------------------------+--------------------+
 *     | offset of its first byte, all files joined together  | its length, bytes  |
 *     +------------------------------------------------------+--------------------+
 * ```
 *
 * The word itself is not in the table: whoever follows the reference reads the mapped file. So a
 * slot is taken by one compareExchange, and a killed process leaves no half-written slot.
 */

/** Sizes of everything in the table, which give its whole layout. */
export interface TableSize {
  files: number;
  /** All paths together, in UTF-8. */
  pathBytes: number;
  pieces: number;
  /** Room for different words; a power of two. */
  slots: number;
  /** Who counts: the parent and its workers. */
  columns: number;
  /** Most different words of one piece. */
  journalEntries: number;
  /** The process that made the table. */
  parentPid: number;
}

/** One file of the table. */
export interface FileEntry {
  path: string;
  byteLength: number;
}

/** A piece nobody has taken, or whose taker died before it had counted. */
export const FREE = 0;

/** The state of a piece that a column's owner is counting. */
export const claimedBy = (column: number): number => 2 * column + 1;

/** The state of a piece whose words are all in a column, or in a committed journal of it. */
export const doneBy = (column: number): number => 2 * column + 2;

/** Whether a state is one of {@linkcode doneBy}. */
export const isDone = (state: number): boolean => state !== FREE && state % 2 === 0;

/** Fields of a column's control block, as indices into {@linkcode Table.control}. */
export const STAGE = 0;
/** Why the owner gave up. */
export const FAULT = 1;
/** 0, or 1 + the piece whose journal is complete. */
export const COMMIT = 2;
/** How many entries the journal has. */
export const JOURNAL_LENGTH = 3;

/** Stages of a worker. */
export const STARTING = 0;
/** It has the table. */
export const UP = 1;
/** It has the queue, and needs the queue's name no more. */
export const LISTENING = 2;

/** The fault of a worker that found no free slot. */
export const TABLE_FULL = 1;

const MAGIC = 0x57435431; // "WCT1"
const VERSION = 1;
const HEADER_BYTES = 256;
const MAGIC_INDEX = 0;
const VERSION_INDEX = 1;
const SIZES_OFFSET = 8;
const SIZES: readonly (keyof TableSize)[] = [
  "files",
  "pathBytes",
  "pieces",
  "slots",
  "columns",
  "journalEntries",
  "parentPid",
];
const QUEUE_NAME_OFFSET = 128;
const QUEUE_NAME_BYTES = HEADER_BYTES - QUEUE_NAME_OFFSET;

const FILE_FIELDS = 4; // global offset, length, where its path is, length of the path
const PIECE_FIELDS = 3; // file, offset, length
/** A block per column, and no two columns in one cache line. */
const CONTROL_FIELDS = 16;
const SECTION_ALIGNMENT = 64;

/** Bits of a key that hold the word's length. */
const LENGTH_BITS = 16;
/** The first byte past all files that a key can reach. */
export const MAX_INPUT_BYTES = 2 ** (64 - LENGTH_BITS);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where each section begins, in bytes, and where the table ends. */
function sections(size: TableSize) {
  let end = HEADER_BYTES;
  const section = (byteLength: number) => {
    const offset = end;
    end = Math.ceil((end + byteLength) / SECTION_ALIGNMENT) * SECTION_ALIGNMENT;
    return offset;
  };
  const { files, pathBytes, pieces, slots, columns, journalEntries } = size;
  const offsets = {
    files: section(files * FILE_FIELDS * 8),
    paths: section(pathBytes),
    pieces: section(pieces * PIECE_FIELDS * 8),
    states: section(pieces * 4),
    control: section(columns * CONTROL_FIELDS * 4),
    keys: section(slots * 8),
    counts: section(columns * slots * 8),
    journalCounts: section(columns * journalEntries * 8),
    journalSlots: section(columns * journalEntries * 4),
  };
  return { ...offsets, byteLength: end };
}

/** The table, seen through views on memory that it is given. */
export class Table {
  readonly size: Readonly<TableSize>;
  /** One state a piece: {@linkcode FREE}, {@linkcode claimedBy}, {@linkcode doneBy}. */
  readonly states: Int32Array<SharedArrayBuffer>;
  /** One key a slot. */
  readonly keys: BigUint64Array<SharedArrayBuffer>;
  readonly #buffer: SharedArrayBuffer;
  readonly #files: Float64Array<SharedArrayBuffer>;
  readonly #pieces: Float64Array<SharedArrayBuffer>;
  readonly #offsets: ReturnType<typeof sections>;

  private constructor(buffer: SharedArrayBuffer, size: TableSize) {
    const offsets = sections(size);
    if (buffer.byteLength < offsets.byteLength) {
      throw new RangeError(
        `Cannot use the table: ${buffer.byteLength} bytes, expected ${offsets.byteLength}`,
      );
    }
    this.size = size;
    this.#buffer = buffer;
    this.#offsets = offsets;
    this.#files = new Float64Array(buffer, offsets.files, size.files * FILE_FIELDS);
    this.#pieces = new Float64Array(buffer, offsets.pieces, size.pieces * PIECE_FIELDS);
    this.states = new Int32Array(buffer, offsets.states, size.pieces);
    this.keys = new BigUint64Array(buffer, offsets.keys, size.slots);
  }

  /** How much memory a table takes. */
  static bytesFor(size: TableSize): number {
    return sections(size).byteLength;
  }

  /** Turns zeroed memory into a table, once; files and pieces are filled in after it. */
  static format(buffer: SharedArrayBuffer, size: TableSize, queueName: string): Table {
    const table = new Table(buffer, size);
    const header = new Int32Array(buffer, 0, 2);
    const sizes = new Float64Array(buffer, SIZES_OFFSET, SIZES.length);
    SIZES.forEach((key, index) => sizes[index] = size[key]);
    const name = encoder.encode(queueName);
    if (name.byteLength >= QUEUE_NAME_BYTES) {
      throw new RangeError(
        `Cannot keep a queue's name of ${name.byteLength} bytes, expected less than ` +
          QUEUE_NAME_BYTES,
      );
    }
    new Uint8Array(buffer, QUEUE_NAME_OFFSET, QUEUE_NAME_BYTES).set(name);
    header[VERSION_INDEX] = VERSION;
    header[MAGIC_INDEX] = MAGIC;
    return table;
  }

  /** Uses a table that another process has made. */
  static attach(buffer: SharedArrayBuffer): Table {
    if (buffer.byteLength < HEADER_BYTES) {
      throw new RangeError(
        `Cannot use the table: ${buffer.byteLength} bytes are not even a header`,
      );
    }
    const header = new Int32Array(buffer, 0, 2);
    if (header[MAGIC_INDEX] !== MAGIC || header[VERSION_INDEX] !== VERSION) {
      throw new RangeError("Cannot use the table: the memory is no word table of this version");
    }
    const sizes = new Float64Array(buffer, SIZES_OFFSET, SIZES.length);
    const size = Object.fromEntries(SIZES.map((key, index) => [key, sizes[index]!]));
    return new Table(buffer, size as unknown as TableSize);
  }

  /** The name that the parent makes its queue under. */
  get queueName(): string {
    const bytes = new Uint8Array(this.#buffer, QUEUE_NAME_OFFSET, QUEUE_NAME_BYTES).slice();
    return decoder.decode(bytes.subarray(0, bytes.indexOf(0)));
  }

  /** Writes down all files; their global offsets follow from their order. */
  setFiles(files: readonly FileEntry[]): void {
    const paths = new Uint8Array(this.#buffer, this.#offsets.paths, this.size.pathBytes);
    let globalOffset = 0, pathOffset = 0;
    files.forEach(({ path, byteLength }, file) => {
      const bytes = encoder.encode(path);
      paths.set(bytes, pathOffset);
      this.#files.set([globalOffset, byteLength, pathOffset, bytes.byteLength], file * FILE_FIELDS);
      globalOffset += byteLength;
      pathOffset += bytes.byteLength;
    });
  }

  file(file: number): FileEntry {
    const at = file * FILE_FIELDS;
    const paths = this.#offsets.paths + this.#files[at + 2]!;
    const path = new Uint8Array(this.#buffer, paths, this.#files[at + 3]!).slice();
    return { path: decoder.decode(path), byteLength: this.#files[at + 1]! };
  }

  setPiece(piece: number, fields: { file: number; offset: number; byteLength: number }): void {
    this.#pieces.set([fields.file, fields.offset, fields.byteLength], piece * PIECE_FIELDS);
  }

  piece(piece: number): { file: number; offset: number; byteLength: number } {
    const at = piece * PIECE_FIELDS;
    return {
      file: this.#pieces[at]!,
      offset: this.#pieces[at + 1]!,
      byteLength: this.#pieces[at + 2]!,
    };
  }

  /** The control block of a column. */
  control(column: number): Int32Array<SharedArrayBuffer> {
    const offset = this.#offsets.control + column * CONTROL_FIELDS * 4;
    return new Int32Array(this.#buffer, offset, CONTROL_FIELDS);
  }

  /** One count a slot; only the column's owner writes, or {@linkcode settle} for a dead one. */
  counts(column: number): BigUint64Array<SharedArrayBuffer> {
    const { slots } = this.size;
    return new BigUint64Array(this.#buffer, this.#offsets.counts + column * slots * 8, slots);
  }

  /** The slots of a column's journal. */
  journalSlots(column: number): Uint32Array<SharedArrayBuffer> {
    const { journalEntries } = this.size;
    const offset = this.#offsets.journalSlots + column * journalEntries * 4;
    return new Uint32Array(this.#buffer, offset, journalEntries);
  }

  /** The new counts of a column's journal, entry by entry. */
  journalCounts(column: number): BigUint64Array<SharedArrayBuffer> {
    const { journalEntries } = this.size;
    const offset = this.#offsets.journalCounts + column * journalEntries * 8;
    return new BigUint64Array(this.#buffer, offset, journalEntries);
  }

  /** The key of a word by where it was seen. */
  keyOf(file: number, offset: number, length: number): bigint {
    const globalOffset = this.#files[file * FILE_FIELDS]! + offset;
    return (BigInt(globalOffset) << BigInt(LENGTH_BITS)) | BigInt(length);
  }

  /** Where the word of a key was seen. */
  locate(key: bigint): { file: number; offset: number; length: number } {
    const globalOffset = Number(key >> BigInt(LENGTH_BITS));
    // The last file that begins there or before; empty files before it begin there too.
    let low = 0, high = this.size.files - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#files[middle * FILE_FIELDS]! <= globalOffset) low = middle;
      else high = middle - 1;
    }
    return {
      file: low,
      offset: globalOffset - this.#files[low * FILE_FIELDS]!,
      length: Number(BigInt.asUintN(LENGTH_BITS, key)),
    };
  }
}
