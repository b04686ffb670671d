/** `postbox shm stat` */

import { SharedMemory } from "../../src/shm/mod.ts";
import { LayoutError, Region, type RegionStatus, schemaText } from "../../src/region/mod.ts";
import type { Flags } from "../parser.ts";
import { print, printJson } from "../stdio.ts";
import { hexOf, octal } from "../values.ts";

/** Flags of `shm stat`. */
export interface StatFlags extends Flags {
  readonly json: boolean | undefined;
}

export default function stat({ json }: StatFlags, name: string): number {
  // Whoever owns it: nothing here depends on what it holds.
  const memory = SharedMemory.open(name, { access: "r", owner: "any" });
  try {
    const facts = describe(memory), region = regionFacts(name);
    if (json) {
      printJson({ ...facts, ...(region && { region }) });
      return 0;
    }
    const { byteLength, allocatedBytes, mode, uid, gid } = facts;
    print(
      `bytes      ${byteLength}\n` +
        `allocated  ${allocatedBytes}\n` +
        `mode       ${mode}\n` +
        `owner      ${uid}:${gid}` +
        (region ? `\n${regionLines(region)}` : ""),
    );
  } finally {
    memory.close();
  }
  return 0;
}

/** What there is to tell of an object. */
export function describe(memory: SharedMemory) {
  const { mode, ...status } = memory.status();
  return { name: memory.name, ...status, mode: octal(mode) };
}

/** What there is to tell of a region. */
interface RegionFacts {
  /** `unusable` is one of another version, or a damaged one. */
  state: RegionStatus["state"] | "unusable";
  /** What is wrong with it. */
  problem?: string;
  byteLength?: number;
  schemaHash?: string;
  /** The schema's text; null where its creator left it out. */
  schema?: string | null;
}

/** What there is to tell of a region; undefined of what is none. */
function regionFacts(name: string): RegionFacts | undefined {
  let status: RegionStatus | undefined;
  try {
    status = Region.inspect(name, { owner: "any" });
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    return { state: "unusable", problem: `found ${error.found}, expected ${error.expected}` };
  }
  if (status?.state !== "ready") return status;
  const { state, byteLength, schemaHash, schema } = status;
  return {
    state,
    byteLength,
    schemaHash: hexOf(schemaHash),
    schema: schema === undefined ? null : schemaText(schema),
  };
}

function regionLines({ state, problem, byteLength, schemaHash, schema }: RegionFacts): string {
  if (problem !== undefined) return `region     ${state}: ${problem}`;
  if (byteLength === undefined) return `region     ${state}`;
  const lines = (schema ?? "its text was left out").split("\n").map((line) => `           ${line}`);
  return `region     ${state}, ${byteLength} bytes\n` +
    `hash       ${schemaHash}\n` +
    `schema     ${lines.join("\n").trimStart()}`;
}
