/** docs/delivery.md names a test for what it promises: each of them is there. */

import { readFileSync } from "node:fs";
import { assert, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { NO_DENO, ROOT } from "../support/runtime.ts";

const DOC = readFileSync(`${ROOT}docs/delivery.md`, "utf8");
const [PROMISES] = DOC.split("\n## Torture\n"), [, LIST] = DOC.split("\n## Shown by\n");

/** The items of the last list: a number, then files, each with names of its tests behind it. */
const SHOWN_BY = /^(\d+)\. ((?:.*\n?)(?: {3}.*\n?|\n)*)/gm;
const FILE_OR_NAME = /\]\(\.\.\/(tests\/[\w/]+\.ts)\)|`([^`]+)`/g;

test("docs/delivery.md names tests that there are, and each number in it has some", {
  not: NO_DENO,
}, () => {
  const rows = new Map<string, number>();
  for (const [, number, item] of LIST!.matchAll(SHOWN_BY)) {
    let source = "", names = 0;
    for (const [, file, name] of item!.matchAll(FILE_OR_NAME)) {
      if (file !== undefined) source = readFileSync(`${ROOT}${file}`, "utf8");
      else assert(source.includes(name!), `(${number}) has no test "${name}"`);
      if (name !== undefined) names++;
    }
    rows.set(number!, names);
  }
  const meant = [...PROMISES!.matchAll(/\(([\d, ]+)\)|\| ([\d, ]+?) +\|$/gm)]
    .flatMap(([, inText, inCell]) => (inText ?? inCell)!.split(",").map((word) => word.trim()));
  assertGreater(meant.length, 10);
  for (const number of meant) assertGreater(rows.get(number) ?? 0, 0, `(${number})`);
});
