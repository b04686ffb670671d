/**
 * The engine of the suite: what a row is, what it needs, and what comes out when it is run.
 *
 * Rule: a row is either asserted by real calls or says in writing why it cannot be; nothing
 * passes by itself, and what cannot run here is told apart from what ran.
 */

import { tmpdir } from "node:os";
import { PosixError } from "../../mod.ts";
import { geteuid, readText, statfs } from "../../src/sys/mod.ts";
import { assertEquals, fail } from "../assert.ts";
import { R } from "./raw.ts";

/**
 * What it takes to exercise a row.
 *
 * ```text
 * Y        plain calls in one process         LIM      a limit that is lowered first
 * 2P       a second process                   UID      a second, unprivileged user
 * W        a call that blocks                 partial  cannot be seen whole from JavaScript
 * SIG      a signal for the blocked thread    N        POSIX leaves the answer open, or it needs
 * raw      what the safe API cannot express            what no program can bring about
 * ```
 */
export type Kind =
  | "Y"
  | "Y+2P"
  | "2P"
  | "W"
  | "W+SIG"
  | "W+2P"
  | "raw"
  | "SIG"
  | "LIM"
  | "UID"
  | "partial"
  | "N";

interface Common {
  /** As in the reference list. */
  readonly number: string;
  /** What is asserted, in our words. */
  readonly says: string;
  readonly kind: Kind;
}

/** A row that is exercised. */
export interface AssertedRow extends Common {
  /** What Linux answers, and with which of the library's calls it was asked. */
  readonly linux: string;
  /** What must be there for it. */
  readonly needs?: Need;
  /** The calls and what is expected of them. */
  readonly check: () => void | Promise<void>;
}

/** A row that is not exercised. */
export interface OpenRow extends Common {
  /** Why not. */
  readonly why: string;
}

export type Row = AssertedRow | OpenRow;

/** The rows of one C function, in the order of the reference list. */
export interface Group {
  /** The C function, or whatever heads the rows. */
  readonly name: string;
  readonly rows: readonly Row[];
}

/** Something that not every machine or user has. */
export interface Need {
  /** As in "not exercisable here: needs …". */
  readonly what: string;
  readonly met: () => boolean;
}

export const ROOT_USER: Need = {
  what: "root, to become another user in a child",
  met: () => geteuid() === 0,
};

/** CAP_SYS_ADMIN; the number of the bit is the kernel's. */
export const ADMIN: Need = {
  what: "root with CAP_SYS_ADMIN, for namespaces of its own in a child",
  met: () => geteuid() === 0 && (effectiveCapabilities() >> 21n & 1n) === 1n,
};

export const DISK: Need = {
  what: "a temporary directory on a disk: tmpfs keeps no dirty pages and no times of mappings",
  met: () => statfs(tmpdir()).type !== R.TMPFS_MAGIC,
};

function effectiveCapabilities(): bigint {
  const bits = readText("/proc/self/status").match(/^CapEff:\s*([0-9a-f]+)/m)?.[1];
  return BigInt(`0x${bits ?? 0}`);
}

/** Whether a row is exercised on some machine. */
export function isAsserted(row: Row): row is AssertedRow {
  return "check" in row;
}

/** What came out of a row. */
export type Outcome =
  | { result: "passed" }
  | { result: "failed"; reason: string }
  /** Asserted, but this machine or user lacks something. */
  | { result: "not here"; reason: string }
  /** Not asserted anywhere. */
  | { result: "not exercisable"; reason: string };

/** Why a row cannot run here, though it can elsewhere. */
export function missingHere(row: AssertedRow): string | undefined {
  if (row.needs === undefined || row.needs.met()) return undefined;
  return `needs ${row.needs.what}`;
}

/** Runs a row. */
export async function outcomeOf(row: Row): Promise<Outcome> {
  if (!isAsserted(row)) return { result: "not exercisable", reason: row.why };
  const missing = missingHere(row);
  if (missing !== undefined) return { result: "not here", reason: missing };
  try {
    await row.check();
    return { result: "passed" };
  } catch (error) {
    const reason = error instanceof Error ? error.stack ?? error.message : String(error);
    return { result: "failed", reason };
  }
}

/** What a call of the library was refused with: code, C function and object. */
export function assertRefused(
  run: () => unknown,
  expected: { code: string; syscall: string; target: string },
): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    const { code, syscall, target } = error;
    assertEquals({ code, syscall, target }, expected);
    return;
  }
  fail(`the call was not refused, expected ${expected.code}`);
}

/** Runs a call of the library and gives the code that it was refused with, or "ok". */
export function codeOf(run: () => unknown): string {
  try {
    const handle = run();
    (handle as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
    return "ok";
  } catch (error) {
    if (error instanceof PosixError) return error.code;
    throw error;
  }
}
