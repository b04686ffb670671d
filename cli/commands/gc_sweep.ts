/** `postbox gc` */

import {
  listSystems,
  PosixError,
  removeSystem,
  type SystemObject,
  systemStatus,
} from "../../src/actor/mod.ts";
import { forEach } from "../each.ts";
import { note } from "../note.ts";
import type { Flags } from "../parser.ts";
import { print, printJson } from "../stdio.ts";
import { table } from "../table.ts";

/** Flags of `gc`. */
export interface SweepFlags extends Flags {
  readonly dryRun: boolean | undefined;
  readonly json: boolean | undefined;
}

/** What was removed of a system, or would be. */
interface Swept {
  readonly system: string;
  readonly objects: readonly SystemObject[];
  readonly pids: readonly number[];
}

export default async function sweep(
  { dryRun = false, json }: SweepFlags,
  ...names: string[]
): Promise<number> {
  const swept: Swept[] = [];
  const sweepOne = (system: string) => void swept.push(dryRun ? look(system) : remove(system));
  const exitCode = names.length > 0
    ? await forEach(names, sweepOne)
    : await forEach(deadSystems(), (system) => unlessGone(system, sweepOne));
  if (json) printJson({ dryRun, systems: swept });
  else report(swept, dryRun);
  return exitCode;
}

/** The dead ones; what is neither live nor dead is told. */
function deadSystems(): string[] {
  const systems = listSystems();
  for (const { problem } of systems) if (problem !== undefined) note(`Not touched: ${problem}`);
  return systems.filter(({ state }) => state === "dead").map(({ system }) => system);
}

function look(system: string): Swept {
  const { state, process, objects, pids, problem } = systemStatus(system);
  if (problem !== undefined) throw new Error(problem);
  if (state === "dead") return { system, objects, pids };
  throw new Error(`Cannot remove system "${system}": it lives, in ${process ?? "a process"}`);
}

function remove(system: string): Swept {
  return { system, ...removeSystem(system) };
}

/** Between the look and the removal somebody else may have removed it, or begun one of that name. */
function unlessGone(system: string, act: (system: string) => void): void {
  try {
    act(system);
  } catch (error) {
    if (!(error instanceof PosixError) || isDead(system)) throw error;
  }
}

function isDead(system: string): boolean {
  return listSystems().some((status) => status.system === system && status.state === "dead");
}

function report(swept: readonly Swept[], dryRun: boolean): void {
  const rows = swept.flatMap(({ system, objects, pids }) => [
    ...pids.map((pid) => [system, "process", String(pid)]),
    ...objects.map(({ kind, name }) => [system, kind, name]),
  ]);
  if (rows.length > 0) print(table(["SYSTEM", "KIND", "NAME"], rows));
  const systems = `${swept.length} dead ${swept.length === 1 ? "system" : "systems"}`;
  note(dryRun ? `${systems} to remove; nothing was touched` : `${systems} removed`);
}
