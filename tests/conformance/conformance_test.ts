/** Registers every asserted row as a test. A row that is not asserted is counted, and no test. */

import { test } from "../harness.ts";
import { isAsserted, missingHere } from "./engine.ts";
import { GROUPS } from "./table.ts";

for (const { name, rows } of GROUPS) {
  for (const row of rows) {
    if (!isAsserted(row)) continue;
    test(`${name} ${row.number}: ${row.says}`, { missing: missingHere(row) }, row.check);
  }
}
