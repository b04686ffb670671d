/** Anonymous memory: memfd_create(2) and its seals. */

import { LayoutError } from "../errors.ts";
import { addSeals, C, getSeals } from "../sys/mod.ts";

/**
 * What nobody can do any more with anonymous memory, the one who sealed it included.
 *
 * `shrink` and `grow`: change its length so. `future-write`: map it for writing or write to it,
 * but through mappings that exist. `seal`: add seals.
 *
 * @see fcntl(2), F_ADD_SEALS
 */
export type Seal = "shrink" | "grow" | "seal" | "future-write";

const SEAL_BITS: Record<Seal, number> = {
  shrink: C.F_SEAL_SHRINK,
  grow: C.F_SEAL_GROW,
  seal: C.F_SEAL_SEAL,
  "future-write": C.F_SEAL_FUTURE_WRITE,
};

/** Adds seals. */
export function seal(fd: number, seals: readonly Seal[], target: string): void {
  const bits = sealBits(seals);
  if (bits !== 0) addSeals(fd, bits, target);
}

/**
 * Refuses a descriptor that is no sealed anonymous memory.
 *
 * @throws {LayoutError} If it is something else, or if a seal is missing.
 */
export function checkSeals(fd: number, seals: readonly Seal[], target: string): void {
  const expected = `a memfd with the seals ${seals.join(", ") || "(none)"}`;
  const bits = getSeals(fd, target);
  const action = "adopt memory";
  if (bits === undefined) {
    throw new LayoutError({ action, target, found: "a descriptor that is no memfd", expected });
  }
  if ((bits & sealBits(seals)) === sealBits(seals)) return;
  const present = (Object.keys(SEAL_BITS) as Seal[]).filter((name) => bits & SEAL_BITS[name]);
  const found = `the seals ${present.join(", ") || "(none)"}`;
  throw new LayoutError({ action, target, found, expected });
}

/** Whether memory has a seal. */
export function isSealed(fd: number, seal: Seal, target: string): boolean {
  return ((getSeals(fd, target) ?? 0) & SEAL_BITS[seal]) !== 0;
}

function sealBits(seals: readonly Seal[]): number {
  let bits = 0;
  for (const name of seals) {
    if (!Object.hasOwn(SEAL_BITS, name)) {
      throw new TypeError(
        `Cannot use seal ${JSON.stringify(name)}: expected one of ${
          Object.keys(SEAL_BITS).join(", ")
        }`,
      );
    }
    bits |= SEAL_BITS[name];
  }
  return bits;
}
