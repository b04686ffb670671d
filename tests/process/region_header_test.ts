/** The header of a region for C: strict compilers take it, together with those of other schemas. */

import { writeFileSync } from "node:fs";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { mutex, record, semaphore, struct, toCHeader, u32 } from "../../src/region/mod.ts";
import { run, temporaryFolder } from "../support/process.ts";
import { Shared } from "./region_schemas.ts";

const Plain = struct("plain", { hits: u32 });
const Other = struct("other", { lock: mutex, permits: semaphore, last: record({ a: u32 }) });

const PROGRAM = `
#include "plain.h"
#include "other.h"
#include "shared.h"
#include "plain.h"
int main(void) {
  static uint64_t memory[512];
  postbox_changed(&memory);
  return postbox_region_plain(&memory, 4) == NULL && postbox_region_other(&memory, 4) == NULL &&
                 postbox_region_shared(&memory, 4) == NULL
             ? 0
             : 1;
}
`;

const COMPILERS: readonly [command: string, ...flags: string[]][] = [
  ["cc", "-std=c11", "-x", "c"],
  ["cc", "-std=gnu17", "-x", "c"],
  ["g++", "-std=c++11", "-x", "c++"],
  ["g++", "-std=c++17", "-x", "c++"],
];

const { code: hasCpp } = await run("sh", { args: ["-c", "command -v g++"] });
const withoutCpp = hasCpp === 0 ? undefined : "there is no g++";

for (const [command, ...flags] of COMPILERS) {
  const missing = command === "g++" ? withoutCpp : undefined;
  test(
    `toCHeader() of regions compiles by ${command} ${flags[0]} without a warning`,
    { missing },
    async () => {
      using folder = temporaryFolder();
      for (const schema of [Plain, Other, Shared]) {
        writeFileSync(`${folder.path}/${schema.name}.h`, toCHeader(schema));
      }
      writeFileSync(`${folder.path}/main.c`, PROGRAM);
      const out = `${folder.path}/program`;
      const { code, stderr } = await run(command, {
        args: [
          ...flags,
          ...["-Wall", "-Wextra", "-Werror", "-O2", "-o", out, `${folder.path}/main.c`, "-lrt"],
          ...["-pthread"],
        ],
      });
      assertEquals([code, stderr], [0, ""]);
      assertEquals((await run(out)).code, 0);
    },
  );
}
