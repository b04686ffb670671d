/**
 * What may not cross, and where in a value it is: `payload.items[3].fn`.
 *
 * Rule: whatever is not named by a codec is refused; nothing becomes something else silently.
 */

import { shown } from "../../layout/mod.ts";
import { ADDRESS } from "../protocol/ref.ts";

/** How many arrays, objects, maps and sets may be inside each other. */
export const MAX_DEPTH = 64;

/**
 * How many arrays, maps, sets and the like a payload may have: a byte each can be enough for them, and
 * decoded they take some 60.
 */
export const MAX_CONTAINERS: number = 2 ** 22;

/** Why a value may not cross, as the end of "it is …"; undefined where it may. */
export type Verdict = (value: unknown) => string | undefined;

/** A value that may not cross. */
interface Refused {
  path: string;
  why: string;
}

/**
 * Looks for the first part of a value that may not cross.
 *
 * @param verdict Judges each part by itself, containers too.
 * @returns The error that names it; undefined where all of it may cross.
 */
export function refusalOf(value: unknown, verdict: Verdict): TypeError | undefined {
  const refused = search(value, verdict, "payload", 1);
  if (refused === undefined) return undefined;
  return new TypeError(`Cannot send ${refused.path}: it is ${refused.why}`);
}

function search(
  value: unknown,
  verdict: Verdict,
  path: string,
  depth: number,
): Refused | undefined {
  const why = verdict(value);
  if (why !== undefined) return { path, why };
  if (typeof value !== "object" || value === null) return undefined;
  const parts = partsOf(value, path);
  if (parts === undefined) return undefined;
  if (depth > MAX_DEPTH) {
    return { path, why: `deeper than ${MAX_DEPTH} levels, or in itself` };
  }
  for (const [partPath, part] of parts) {
    const found = search(part, verdict, partPath, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is in a container, each with its path; undefined for what is none. */
function partsOf(value: object, path: string): Iterable<[string, unknown]> | undefined {
  if (Array.isArray(value)) return elements(value, path);
  if (value instanceof Map) return entries(value, path);
  if (value instanceof Set) return elements([...value], `${path} as an array`);
  return isPlain(value) && !(ADDRESS in value)
    ? members(value as Record<string, unknown>, path)
    : undefined;
}

function* elements(array: readonly unknown[], path: string): Iterable<[string, unknown]> {
  for (let index = 0; index < array.length; index++) yield [`${path}[${index}]`, array[index]];
}

function* entries(map: Map<unknown, unknown>, path: string): Iterable<[string, unknown]> {
  for (const [key, value] of map) {
    yield [`a key of ${path}`, key];
    yield [`${path}.get(${shown(key)})`, value];
  }
}

function* members(object: Record<string, unknown>, path: string): Iterable<[string, unknown]> {
  for (const key of Object.keys(object)) {
    yield [
      /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${shown(key)}]`,
      object[key],
    ];
  }
}

/** Whether it is an object as `{}` makes it, in whatever realm; its class is none of anybody's. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Why no codec takes a value that is none of those it knows. */
export function foreign(value: unknown): string {
  const name = typeof value === "object" ? value?.constructor?.name : undefined;
  return `${name ? `an instance of ${name}` : shown(value)}, expected plain data`;
}

/** The key that no object that crosses may have: where it arrives it could mean the prototype. */
export const FORBIDDEN_KEY = "__proto__";
