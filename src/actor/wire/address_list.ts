/**
 * An address as a list of plain values, in the order of docs/wire.md.
 *
 * Rule: a list of anybody's becomes an address only if each of its fields has the right type and a
 * bounded length.
 */

import type { Address } from "../protocol/ref.ts";

/** The most characters of a name in an address. */
const MAX_TEXT = 255;

const CARRIERS: readonly unknown[] = ["local", "queue", "ring"] satisfies Address["carrier"][];
const ON_FULL: readonly unknown[] = [
  "wait",
  "fail",
  "drop-new",
  "drop-old",
] satisfies Address["onFull"][];

/** An address as a list. */
export function addressToList(address: Address): unknown[] {
  return [
    address.system,
    address.protocol,
    address.endpoint,
    address.actor,
    address.mailbox ?? null,
    address.pool,
    address.carrier,
    address.onFull,
    address.label,
  ];
}

/** The address, or undefined where the list is none. */
export function addressFromList(list: unknown): Address | undefined {
  if (!Array.isArray(list) || list.length !== 9) return undefined;
  const [system, protocol, endpoint, actor, mailbox, pool, carrier, onFull, label] = list;
  const ok = isText(system) && isText(protocol) && isU32(endpoint) && isU32(actor) &&
    (mailbox === null || isText(mailbox)) && typeof pool === "boolean" &&
    CARRIERS.includes(carrier) && ON_FULL.includes(onFull) && isText(label);
  if (!ok) return undefined;
  return {
    system,
    protocol,
    endpoint,
    actor,
    mailbox: mailbox ?? undefined,
    pool,
    carrier,
    onFull,
    label,
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isU32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}
