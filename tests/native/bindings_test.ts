/** The table of the native driver, against what deno_bindgen says of the crate. */

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { NATIVE_ABI, NATIVE_POLL, NATIVE_SYMBOLS } from "../../src/sys/native_symbols.ts";
import type { CTable } from "../../src/sys/symbols.ts";
import { NATIVE, NEEDS_NATIVE } from "../support/native.ts";
import { NO_DENO, ROOT } from "../support/runtime.ts";

/** What crosses as the same bits: an address is a number, or a view of ours. */
const BITS: Record<string, string> = { buffer: "u64", address: "u64", size: "u64" };

/** A function as `name(types): type`, with `!` where it is called in another thread. */
function fromTable(table: CTable, suffix = ""): string[] {
  const bits = (type: string) => BITS[type] ?? type;
  return Object.values(table).map(({ symbol, parameters, result }) => {
    const types = parameters.map((parameter) => bits(parameter.split(" ")[0]!));
    return `${symbol}(${types.join(", ")}): ${bits(result)}${suffix}`;
  });
}

function fromBindings(text: string): string[] {
  const functions = text.matchAll(
    /^ {4}(postbox_\w+): \{\s+parameters: \[([^\]]*)\],\s+result: '(\w+)',\s+nonblocking: (\w+)/gm,
  );
  return [...functions].map(([, name, parameters, result, nonblocking]) => {
    const types = [...parameters!.matchAll(/'(\w+)'/g)].map(([, type]) => type);
    return `${name}(${types.join(", ")}): ${result}${nonblocking === "true" ? "!" : ""}`;
  });
}

test("the table says what the bindings say", { not: NO_DENO }, () => {
  const table = [...fromTable(NATIVE_SYMBOLS), ...fromTable(NATIVE_POLL, "!")];
  const bindings = fromBindings(readFileSync(`${ROOT}native/bindings.ts`, "utf8"));
  assertEquals([...new Set(table)].sort(), bindings.sort());
});

test("the bindings are those of the crate", { ...NEEDS_NATIVE, not: NO_DENO }, () => {
  // tools/scratch.ts has them written anew, beside the library.
  const written = readFileSync(`${dirname(NATIVE)}/bindings.ts`, "utf8");
  assertEquals(written, readFileSync(`${ROOT}native/bindings.ts`, "utf8"));
});

test("the table and the crate have one version", { not: NO_DENO }, () => {
  const crate = readFileSync(`${ROOT}native/src/lib.rs`, "utf8");
  assertEquals(crate.match(/const ABI: i32 = (\d+);/)?.[1], `${NATIVE_ABI}`);
});

test("both sides have the same number of guarded places", { not: NO_DENO }, () => {
  const places = (path: string, pattern: RegExp) =>
    readFileSync(`${ROOT}${path}`, "utf8").match(pattern)?.[1];
  assertEquals(
    places("src/sys/guard.ts", /const PLACES = (\d+);/),
    places("native/src/places.rs", /const PLACES: usize = (\d+);/),
  );
});
