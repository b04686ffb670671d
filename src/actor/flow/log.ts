/**
 * What actors and their runtime tell people: a line of text for each thing.
 *
 * Rule: one call is one line, whatever is in it, and never throws. So nobody who can send a message
 * can write a line of his own, or end an actor by what it logs.
 */

import type { ContextLog } from "../protocol/context.ts";
import { type Clock, realClock } from "./clock.ts";
import { call } from "./listeners.ts";

/** How much a line matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes lines with a name in front. */
export interface Log extends ContextLog {
  /** The same, for somebody else. */
  named(name: string): Log;
}

/** Where lines go, and which. */
export interface LogOptions {
  /** What matters less is left out; `none`: all. @default {"info"} */
  readonly level?: LogLevel | "none" | undefined;
  /** Takes a line, without its end. @default {the standard error} */
  readonly sink?: ((line: string) => void) | undefined;
  /**
   * Gives the times of the lines.
   * @default {the machine's}
   */
  readonly clock?: Clock | undefined;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** More characters of a message, or of a value, are not written. */
const MAX_TEXT = 2000;

/** More fields of a line are not written. */
const MAX_FIELDS = 64;

/** How many causes of an error are told. */
const MAX_CAUSES = 4;

/**
 * A log that writes lines:
 *
 * ```text
 * 2026-07-01T12:00:00.000Z WARN counter: cannot keep up behind=12 by="the sensor"
 * ```
 */
export class LineLog implements Log {
  readonly #name: string;
  readonly #least: number;
  readonly #sink: (line: string) => void;
  readonly #clock: Clock;
  readonly #options: LogOptions;

  /** @param name Stands in front of each message. */
  constructor(name: string, options: LogOptions = {}) {
    const { level = "info", sink = standardError, clock = realClock } = options;
    this.#name = oneLine(name);
    this.#least = level === "none" ? Infinity : LEVELS.indexOf(level);
    this.#sink = sink;
    this.#clock = clock;
    this.#options = options;
  }

  /** For who looks for a fault. */
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write("debug", message, fields);
  }

  /** What is as it should be. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write("info", message, fields);
  }

  /** What should be looked at. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write("warn", message, fields);
  }

  /** What failed. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write("error", message, fields);
  }

  /** The same, for somebody else. */
  named(name: string): Log {
    return new LineLog(name, this.#options);
  }

  #write(
    level: LogLevel,
    message: string,
    fields: Readonly<Record<string, unknown>> | undefined,
  ): void {
    if (LEVELS.indexOf(level) < this.#least) return;
    const time = new Date(this.#clock.now()).toISOString();
    const text = typeof message === "string"
      ? oneLine(message)
      : shownValue({ message }, "message");
    let line = `${time} ${level.toUpperCase()} ${this.#name}: ${text}`;
    for (const name of Object.keys(fields ?? {}).slice(0, MAX_FIELDS)) {
      line += ` ${shownText(name)}=${shownValue(fields!, name)}`;
    }
    call(this.#sink, line);
  }
}

function standardError(line: string): void {
  console.error(line);
}

/** A field, however hostile what is in it: a getter may throw, and so may toJSON. */
function shownValue(fields: Readonly<Record<string, unknown>>, name: string): string {
  try {
    const value = fields[name];
    switch (typeof value) {
      case "string":
        return shownText(value);
      case "object":
        if (value instanceof Error) return shownText(errorText(value));
        return shownText(JSON.stringify(value) ?? "undefined");
      case "function":
        return "function";
      default:
        return String(value);
    }
  } catch (error) {
    return shownText(`(cannot be shown: ${error instanceof Error ? error.message : "it throws"})`);
  }
}

/** An error, where it was thrown, and what was behind it. */
function errorText(error: Error): string {
  const texts: string[] = [];
  let cause: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    const where = /^\s+at .*$/m.exec(cause.stack ?? "")?.[0].trim();
    texts.push(`${cause.name}: ${cause.message}${where === undefined ? "" : ` (${where})`}`);
    cause = cause.cause;
  }
  return texts.join("; because of ");
}

/** As it is when it is a word or a number, else in quotation marks. */
function shownText(text: string): string {
  return /^[\w.:/@+-]{1,100}$/.test(text) ? text : `"${oneLine(text).replaceAll('"', '\\"')}"`;
}

/** Without what ends a line or steers a terminal. */
function oneLine(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return short.replace(
    // deno-lint-ignore no-control-regex -- these are what must not be in a line
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
