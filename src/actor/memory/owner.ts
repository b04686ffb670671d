/**
 * One word of shared memory that says a state and whose it is, so that both change in one
 * compare-and-exchange: whoever is killed leaves a state with its owner, or neither.
 *
 * ```text
 * bit   31    29 28                                  0
 *       +-------+-------------------------------------+
 *       | state | body: an owner, or another number   |
 *       +-------+-----------+-------------------------+
 *               | endpoint  | incarnation             |
 *               +-----------+-------------------------+
 *              28         22 21                      0
 * ```
 *
 * An incarnation counts modulo 2^22 here: an owner would be taken for another one that began four
 * million starts of one endpoint later.
 */

const BODY_BITS = 29, INCARNATION_BITS = 22;

/** The largest body; bodies that count do it modulo one more. */
export const BODY_MASK = 2 ** BODY_BITS - 1;

const INCARNATION_MASK = 2 ** INCARNATION_BITS - 1;

/** An incarnation of an endpoint, in 29 bits. */
export type Owner = number;

/** The word for a state and its body. */
export function wordOf(state: number, body: number): number {
  return state << BODY_BITS | body;
}

/** The state in a word: 0 to 7. */
export function stateIn(word: number): number {
  return word >>> BODY_BITS;
}

/** The body of a word. */
export function bodyIn(word: number): number {
  return word & BODY_MASK;
}

/** An incarnation of an endpoint as an owner. */
export function ownerOf(endpoint: number, incarnation: number): Owner {
  return endpoint << INCARNATION_BITS | incarnation & INCARNATION_MASK;
}

/** The endpoint of an owner: 0 to 127. */
export function endpointIn(owner: Owner): number {
  return owner >>> INCARNATION_BITS;
}
