/**
 * One counter, two languages: this program and a C program count in one region, at the same time,
 * and the total is exact. Where there is no C compiler, this program counts alone.
 *
 *     deno run -A examples/shared_counter.ts [ROUNDS]
 *
 * The region needs `--allow-ffi` alone; the rest is for the compiler, its files and its program.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bool, record, Region, struct, text, toCHeader, u64, uniqueName } from "../mod.ts";

const Counter = struct("counter", {
  hits: u64, // counted by both, one atomic addition at a time
  start: bool,
  ready: bool,
  last: record({ by: text(16), hits: u64 }), // never half of one and half of the other
});

const SOURCE = fileURLToPath(new URL("shared_counter.c", import.meta.url));

/** Runs a command; gives its exit code, or undefined when there is no such command. */
async function run(command: string, args: string[]): Promise<number | undefined> {
  const child = spawn(command, args, { stdio: "inherit" });
  try {
    const [code] = await once(child, "exit") as [number | null];
    return code ?? 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Compiles the C program, with the header that is made of the schema; false without a compiler. */
async function compile(folder: string): Promise<boolean> {
  writeFileSync(`${folder}/counter.h`, toCHeader(Counter));
  const flags = ["-O2", "-Wall", "-Wextra", "-I", folder, "-o", `${folder}/peer`];
  const code = await run("cc", [...flags, SOURCE, "-lrt", "-pthread"]);
  if (code !== undefined && code !== 0) throw new Error(`the compiler ended with ${code}`);
  return code === 0;
}

async function count(rounds: number): Promise<boolean> {
  const name = uniqueName("counter");
  const region = Region.create(name, Counter);
  const folder = mkdtempSync(`${tmpdir()}/shared-counter-`);
  const { hits, start, ready, last } = region.fields;
  try {
    const hasPeer = await compile(folder);
    if (!hasPeer) console.log("There is no C compiler (cc) here: counting alone");
    const peer = hasPeer ? run(`${folder}/peer`, [name, String(rounds)]) : undefined;
    if (hasPeer) await ready.waitFor(true, { timeoutMs: 10_000 });
    start.store(true);
    for (let round = 0; round < rounds; round++) hits.add(1n);
    last.update((draft) => {
      draft.by = "JavaScript";
      draft.hits = hits.load();
    });
    if (await peer) throw new Error("the C program failed");

    const total = hits.load(), expected = BigInt(rounds * (hasPeer ? 2 : 1));
    console.log(`${total} hits, expected ${expected}; ${last.read().by} was done last`);
    return total === expected;
  } finally {
    region.close();
    Region.unlink(name);
    rmSync(folder, { recursive: true });
  }
}

const ROUNDS = 1_000_000;
process.exitCode = await count(Number(process.argv[2] ?? ROUNDS)) ? 0 : 1;
