/**
 * Names of systems and mailboxes, and those that the kernel knows their memory by.
 *
 * Rule: a name says whose an object is: everything of a system begins with `/<system>.`, and what
 * follows has no dot, so no system's objects look like another's.
 */

import { shown } from "../../life/inside.ts";

/** The longest name of a system and of a mailbox: together they fit the kernel's 255 bytes. */
const MAX_NAME_LENGTH = 64;

const NAME = /^[A-Za-z0-9_-]+$/;

/** What else a system has a name for: its memory, and the inboxes, which are numbers. */
const RESERVED = /^(directory|(slab|ring)-\d+|(slots|lanes)-.*|\d+)$/;

const DIRECTORY = /^\/([A-Za-z0-9_-]{1,64})\.directory$/;

/**
 * Judges the name of a system.
 *
 * @throws {TypeError} If it is no text.
 * @throws {RangeError} If it is not 1 to 64 letters, digits, `_` and `-`.
 */
export function checkSystemName(system: unknown): asserts system is string {
  checkName(system, "system");
}

/**
 * Judges the name of a mailbox.
 *
 * @throws {TypeError} If it is no text.
 * @throws {RangeError} If it is not 1 to 64 letters, digits, `_` and `-`, or would be the name of an
 * inbox or of memory.
 */
export function checkMailboxName(mailbox: unknown): asserts mailbox is string {
  checkName(mailbox, "mailbox");
  if (!RESERVED.test(mailbox)) return;
  throw new RangeError(
    `Cannot use mailbox name ${shown(mailbox)}: the system itself has objects of such names, ` +
      'expected more than digits, and not "directory", "slab-N", "ring-N", "slots-…" or "lanes-…"',
  );
}

function checkName(name: unknown, what: string): asserts name is string {
  const cannot = `Cannot use ${what} name ${shown(name)}`;
  if (typeof name !== "string") throw new TypeError(`${cannot}: expected a string`);
  if (name.length <= MAX_NAME_LENGTH && NAME.test(name)) return;
  throw new RangeError(
    `${cannot}: expected 1 to ${MAX_NAME_LENGTH} characters of A-Z, a-z, 0-9, "_" and "-"`,
  );
}

/** What the names of all objects of a system begin with. */
export function prefixOf(system: string): string {
  return `/${system}.`;
}

/** The memory that says who is in a system. */
export function directoryName(system: string): string {
  return `/${system}.directory`;
}

/** The memory of one size of large payloads. */
export function slabName(system: string, segment: number): string {
  return `/${system}.slab-${segment}`;
}

/** The system whose directory has a name; undefined for the name of something else. */
export function systemOfDirectory(name: string): string | undefined {
  return DIRECTORY.exec(name)?.[1];
}
