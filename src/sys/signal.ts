/** Signals by name, the same numbers on x86-64 and arm64 (signal(7)); a test asks the compiler. */

import { shown } from "./argument.ts";

/** A signal that a queue can send. */
export type SignalName =
  | "SIGHUP"
  | "SIGINT"
  | "SIGQUIT"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGALRM"
  | "SIGTERM"
  | "SIGCHLD"
  | "SIGCONT"
  | "SIGURG"
  | "SIGWINCH"
  | "SIGIO";

/** Their numbers. */
export const SIGNALS: Readonly<Record<SignalName, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGURG: 23,
  SIGWINCH: 28,
  SIGIO: 29,
};

/** The number of a signal. */
export function signalNumber(name: SignalName): number {
  if (typeof name === "string" && Object.hasOwn(SIGNALS, name)) return SIGNALS[name];
  throw new TypeError(
    `Cannot use signal ${shown(name)}: it is not known, expected one of ` +
      Object.keys(SIGNALS).join(", "),
  );
}
