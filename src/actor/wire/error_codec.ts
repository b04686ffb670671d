/**
 * Errors as plain values, for they lose their class and most of their fields on any other way.
 *
 * ```text
 * { class?, name?, message?, stack?, cause?, errors?, code?, errno?, … }   an Error
 * { thrown: "some text" }                                                  anything else
 * ```
 *
 * Rule: neither side trusts the value. A getter may throw, a chain may be a circle, a peer may write
 * what it likes: each field is read once, judged, and bounded.
 */

import { ClosedError, LayoutError, PosixError } from "../../errors.ts";
import { shown } from "../../layout/mod.ts";
import { ActorError, type Exit, MailboxFull, ValidationError } from "../errors.ts";

/** An error as it crosses. */
export type PlainError = Record<string, unknown>;

/** How many errors cross with one, as its cause, the cause of that, and the errors of an aggregate. */
const MAX_ERRORS = 32;
/** How deep causes, errors of aggregates and exits may be in each other. */
const MAX_DEPTH = 8;
/** The most characters of a stack, and of any other text. */
const MAX_STACK = 4096, MAX_TEXT = 8192;
/** How many issues of a schema cross. */
const MAX_ISSUES = 64;

/** The classes that arrive as what they were; an error of another one as the nearest of these. */
const CLASSES: ReadonlyMap<string, object> = new Map(
  [
    ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
    ...[AggregateError, DOMException, PosixError, ClosedError, LayoutError],
    ...[ActorError, MailboxFull, ValidationError],
  ].map(({ name, prototype }): [string, object] => [name, prototype]),
);
const CLASS_NAMES: ReadonlyMap<object, string> = new Map(
  [...CLASSES].map(([name, prototype]) => [prototype, name]),
);

/** What a field of an error may be: those of our classes, and of the errors of Node's modules. */
const FIELDS: Readonly<Record<string, readonly ("string" | "number")[]>> = {
  code: ["string", "number"],
  errno: ["number"],
  syscall: ["string"],
  target: ["string"],
  hint: ["string"],
  path: ["string"],
  dest: ["string"],
  found: ["string"],
  expected: ["string"],
  actor: ["string"],
  mailbox: ["string"],
  depth: ["number"],
  capacity: ["number"],
  kind: ["string"],
  part: ["string"],
};

/**
 * Whatever was thrown as a plain value, of texts, numbers, arrays and objects.
 *
 * Class, name, message, stack, `cause`, `errors`, and the fields of our errors and of Node's cross;
 * others do not.
 */
export function encodeError(thrown: unknown): PlainError {
  return new ErrorWriter().thrown(thrown, 1);
}

/**
 * The error again. Those of the built-in classes and of ours are instances of them; any other one is
 * of the nearest of these, with its own name. Its stack is that of where it was thrown.
 *
 * @param value What anybody sent.
 * @returns An Error also when something else was thrown; that is its `cause` then.
 */
export function decodeError(value: unknown): Error {
  const thrown = new ErrorReader().thrown(value, 1);
  if (thrown instanceof Error) return thrown;
  return new Error(`${shown(thrown)} was thrown, expected an Error`, { cause: thrown });
}

/** How something ended as a plain value. */
export function encodeExit(exit: Exit): PlainError {
  return new ErrorWriter().exit(exit, 1);
}

/** How something ended, as anybody says. */
export function decodeExit(value: unknown): Exit {
  return new ErrorReader().exit(value, 1);
}

class ErrorWriter {
  /** The errors that we are in: a chain may come back to one of them. */
  readonly #around = new Set<unknown>();
  #left = MAX_ERRORS;

  thrown(thrown: unknown, depth: number): PlainError {
    try {
      const className = classOf(thrown);
      if (className === undefined) {
        return { thrown: isPlain(thrown) ? bounded(thrown) : shown(thrown) };
      }
      this.#around.add(thrown);
      const plain = this.#error(thrown as Error, className, depth);
      this.#around.delete(thrown);
      return plain;
    } catch {
      return { thrown: "a value that cannot be looked at" }; // a proxy, and its traps threw
    }
  }

  #error(error: Error, className: string, depth: number): PlainError {
    this.#left--;
    const plain: PlainError = {
      class: className,
      name: text(read(error, "name")),
      message: text(read(error, "message")),
      stack: text(read(error, "stack"), MAX_STACK),
    };
    for (const [name, types] of Object.entries(FIELDS)) {
      const value = read(error, name);
      if (isOneOf(types, value)) plain[name] = bounded(value);
    }
    const issues = read(error, "issues"), exit = read(error, "exit");
    if (Array.isArray(issues)) plain.issues = issues.slice(0, MAX_ISSUES).map(issueOf);
    if (!this.#mayGoOn(depth)) return withoutUndefined(plain);

    if (error instanceof ActorError && exit !== undefined) {
      plain.exit = this.exit(exit as Exit, depth + 1);
    }
    const cause = read(error, "cause");
    if (cause !== undefined && !this.#around.has(cause)) {
      plain.cause = this.thrown(cause, depth + 1);
    }
    const errors = read(error, "errors");
    if (Array.isArray(errors)) plain.errors = this.#errors(errors, depth + 1);
    return withoutUndefined(plain);
  }

  #errors(errors: readonly unknown[], depth: number): PlainError[] {
    const plain: PlainError[] = [];
    for (const error of errors) {
      if (!this.#mayGoOn(depth)) break;
      if (!this.#around.has(error)) plain.push(this.thrown(error, depth));
    }
    return plain;
  }

  exit(exit: Exit, depth: number): PlainError {
    const plain: PlainError = { ...exit };
    if (exit.kind === "threw") plain.error = this.thrown(exit.error, depth + 1);
    if (exit.kind === "gave-up") {
      plain.last = this.#mayGoOn(depth) ? this.exit(exit.last, depth + 1) : UNKNOWN_EXIT;
    }
    return plain;
  }

  #mayGoOn(depth: number): boolean {
    return depth < MAX_DEPTH && this.#left > 0;
  }
}

class ErrorReader {
  #left = MAX_ERRORS;

  thrown(value: unknown, depth: number): unknown {
    const plain = fieldsOf(value);
    if (plain === undefined) return bounded(value);
    if (Object.hasOwn(plain, "thrown")) return bounded(plain.thrown);
    return this.#error(plain, depth);
  }

  #error(plain: PlainError, depth: number): Error {
    this.#left--;
    const error = make(plain.class, text(plain.name), text(plain.message) ?? "");
    if (typeof plain.stack === "string") define(error, "stack", text(plain.stack, MAX_STACK));
    for (const [name, types] of Object.entries(FIELDS)) {
      const value = plain[name];
      if (isOneOf(types, value)) define(error, name, bounded(value), true);
    }
    if (Array.isArray(plain.issues)) {
      define(error, "issues", plain.issues.slice(0, MAX_ISSUES).map(issueOf), true);
    }
    if (!this.#mayGoOn(depth)) return error;

    if (plain.exit !== undefined) define(error, "exit", this.exit(plain.exit, depth + 1), true);
    if (plain.cause !== undefined) define(error, "cause", this.thrown(plain.cause, depth + 1));
    if (Array.isArray(plain.errors)) {
      const errors: unknown[] = [];
      for (const value of plain.errors) {
        if (this.#mayGoOn(depth)) errors.push(this.thrown(value, depth + 1));
      }
      define(error, "errors", errors);
    }
    return error;
  }

  exit(value: unknown, depth: number): Exit {
    const { kind, code, signal, reason, restarts, withinMs, error, last } = fieldsOf(value) ?? {};
    switch (kind) {
      case "stopped":
      case "terminated":
      case "out-of-memory":
        return { kind };
      case "threw":
        return { kind, error: this.#mayGoOn(depth) ? this.thrown(error, depth + 1) : undefined };
      case "exit":
        return { kind, code: number(code) };
      case "signal":
        return { kind, signal: text(signal) ?? "" };
      case "lost":
        return { kind, reason: text(reason) ?? "" };
      case "gave-up":
        return {
          kind,
          restarts: number(restarts),
          withinMs: number(withinMs),
          last: this.#mayGoOn(depth) ? this.exit(last, depth + 1) : UNKNOWN_EXIT,
        };
    }
    return UNKNOWN_EXIT;
  }

  #mayGoOn(depth: number): boolean {
    return depth < MAX_DEPTH && this.#left > 0;
  }
}

const UNKNOWN_EXIT: Exit = { kind: "lost", reason: "how it ended is not known" };

/** An error of a class, without its constructor: that would make another message. */
function make(className: unknown, name: string | undefined, message: string): Error {
  if (className === "DOMException") return new DOMException(message, name);
  const prototype = CLASSES.get(className as string) ?? Error.prototype;
  const error = Object.setPrototypeOf(new Error(message), prototype) as Error;
  if (name !== undefined && error.name !== name) define(error, "name", name, true);
  return error;
}

function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}

/** The nearest class that the other side knows; undefined for what is no Error. */
function classOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  for (let of = Object.getPrototypeOf(thrown); of !== null; of = Object.getPrototypeOf(of)) {
    const name = CLASS_NAMES.get(of);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** What crosses as it is. */
function isPlain(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" ||
    Number.isFinite(value);
}

/** A field, which may be a getter that throws. */
function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): PlainError | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? value as PlainError : undefined;
}

function issueOf(issue: unknown): { message: string; path: string } {
  const { message, path } = fieldsOf(issue) ?? {};
  return { message: text(message) ?? "", path: text(path) ?? "" };
}

function isOneOf(types: readonly string[], value: unknown): value is string | number {
  return types.includes(typeof value) && (typeof value !== "number" || Number.isFinite(value));
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function text(value: unknown, maxLength = MAX_TEXT): string | undefined {
  if (typeof value !== "string") return undefined;
  return value.length <= maxLength ? value : `${value.slice(0, maxLength)}…`;
}

/** Any value, but a text is bounded. */
function bounded(value: unknown): unknown {
  return typeof value === "string" ? text(value) : value;
}

function withoutUndefined(plain: PlainError): PlainError {
  return Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
}
