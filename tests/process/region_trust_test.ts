/** Whose regions are opened: by the owner and the mode of the object, which others may have set. */

import { chmodSync, chownSync } from "node:fs";
import "../support/loaded.ts";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { record, Region, struct, u32 } from "../../src/region/mod.ts";
import { namedRegion } from "../region/support.ts";
import { rootTest } from "../support/prepared.ts";
import { refusal } from "../support/refusal.ts";

const Plain = struct("plain", { hits: u32 });
const WithRecord = struct("with_record", { last: record({ a: u32 }) });

test("a region with locks that others may write opens only when they are trusted", () => {
  using made = namedRegion(WithRecord);
  for (const mode of [0o620, 0o602]) {
    chmodSync(`/dev/shm${made.name}`, mode);
    for (const open of [Region.open, Region.openOrCreate]) {
      const error = refusal(() => open(made.name, WithRecord));
      assertEquals([error.code, error.hint?.includes("trustPeers")], ["EACCES", true]);
      open(made.name, WithRecord, { trustPeers: true }).close();
    }
    Region.open(made.name, WithRecord, { access: "r" }).close(); // nothing is locked there
  }
  chmodSync(`/dev/shm${made.name}`, 0o644);
  Region.open(made.name, WithRecord).close();
});

rootTest(
  "a region of another user's opens with owner any, one with locks only when trusted",
  () => {
    using plain = namedRegion(Plain);
    using locked = namedRegion(WithRecord);
    for (const { name } of [plain, locked]) chownSync(`/dev/shm${name}`, 65534, 65534);
    assertEquals(refusal(() => Region.open(plain.name, Plain)).code, "EACCES");
    Region.open(plain.name, Plain, { owner: "any" }).close();
    const error = refusal(() => Region.open(locked.name, WithRecord, { owner: "any" }));
    assertEquals([error.code, error.hint?.includes("user 65534")], ["EACCES", true]);
    Region.open(locked.name, WithRecord, { owner: "any", trustPeers: true }).close();
    return Promise.resolve();
  },
);
