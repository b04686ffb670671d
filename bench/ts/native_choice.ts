/** The driver that a loop runs with. */

import { useNative } from "../../mod.ts";

/** @param native The path of the native driver, or `-` for none. */
export function chooseDriver(native: string): void {
  if (native !== "-") useNative(native);
}
