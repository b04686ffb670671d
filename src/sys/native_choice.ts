/**
 * Which native driver this thread has chosen, if any.
 *
 * Rule: chosen by the program or by its environment, never by what lies in a folder, and before the
 * first use: from then on nothing changes.
 */

/** The variable that chooses for all threads and for the processes that are started. */
export const NATIVE_VARIABLE = "POSTBOX_NATIVE";

let chosen: string | undefined;
let isFixed = false;

/** Chooses by the program. */
export function chooseNative(path: string): void {
  if (chosen === path) return;
  if (isFixed) {
    const what = chosen === undefined ? "none is" : `${JSON.stringify(chosen)} is`;
    throw new Error(
      `Cannot use the native driver ${JSON.stringify(path)}: ${what} in use already, expected ` +
        "the choice before the first queue or memory of this thread",
    );
  }
  chosen = path;
}

/** The choice, from now on the only one. @param environment Gives a variable where it may be read. */
export function fixNative(environment: (name: string) => string | undefined): string | undefined {
  // Empty is how a shell says that a variable is not there.
  chosen ??= environment(NATIVE_VARIABLE) || undefined;
  isFixed = true;
  return chosen;
}

/** The choice cannot be used: another may be made. */
export function unfixNative(): void {
  chosen = undefined;
  isFixed = false;
}

/** What was chosen; undefined for none. */
export function chosenNative(): string | undefined {
  return chosen;
}
