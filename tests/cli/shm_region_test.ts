/** `shm stat` and `shm dump` of regions, each as the child process that a shell would start. */

import "../support/loaded.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bytes,
  f64,
  mutex,
  record,
  schemaText,
  semaphore,
  SharedMemory,
  struct,
  text,
  u32,
  u64,
} from "../../mod.ts";
import {
  FIELDS_OFFSET,
  MAGIC,
  READY_OFFSET,
  VERSION_OFFSET,
} from "../../src/region/region_layout.ts";
import { namedRegion } from "../region/support.ts";
import { memoryName } from "../support/names.ts";
import { postbox } from "./postbox.ts";

const Slot = struct("slot", { owner: u32, note: text(8) });
const Stats = struct("stats", {
  hits: u64,
  ratio: f64,
  hist: array(u32, 40),
  slots: array(Slot, 2),
  lock: mutex,
  permits: semaphore,
  last: record({ tag: text(16), raw: bytes(4) }),
});

/** A region of it with something in each field. */
function statsRegion(schema?: false) {
  const made = namedRegion(Stats, { schema: schema ?? true, locks: { permits: { value: 3 } } });
  const { hits, ratio, hist, slots, last } = made.fields;
  hits.store(2n ** 63n);
  ratio.store(-Infinity);
  hist.store(1, 7);
  slots.at(1).note.write("a\tb\x1b");
  last.write({ tag: "now", raw: Uint8Array.of(0xde, 0xad) });
  return made;
}

test("shm dump prints each field by its name, and the state of locks", async () => {
  using made = statsRegion();
  using _guard = made.fields.lock.tryLock()!;
  const { code, stdout, stderr } = await postbox("shm", "dump", made.name);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
  assertEquals(lines.map(([name]) => name), [
    ...["hits", "ratio", "hist", "slots[0].owner", "slots[0].note", "slots[1].owner"],
    ...["slots[1].note", "lock", "permits", "last.tag", "last.raw"],
  ]);
  const values = new Map(lines as [string, string][]);
  assertEquals(values.get("hits"), "9223372036854775808");
  assertEquals(values.get("ratio"), "-Infinity");
  assertMatch(values.get("hist")!, /^\[0, 7, 0, (0, )+… 40 in all\]$/);
  assertEquals(values.get("slots[1].note"), '"a\\tb\\u001b"');
  assertMatch(values.get("lock")!, /^"locked by thread \d+"$/);
  assertEquals([values.get("permits"), values.get("last.raw")], ['"count 3"', "dead"]);
});

test("shm dump --json prints all of it as one object", async () => {
  using made = statsRegion();
  const { code, stdout } = await postbox("shm", "dump", made.name, "--json");
  const { schemaHash, ...facts } = JSON.parse(stdout);
  assertMatch(schemaHash, /^0x[0-9a-f]{16}$/);
  assertEquals([code, facts], [0, {
    name: made.name,
    schema: "stats",
    fields: {
      hits: "9223372036854775808",
      ratio: "-Infinity",
      hist: Array.from({ length: 40 }, (_, index) => index === 1 ? 7 : 0),
      slots: [{ owner: 0, note: "" }, { owner: 0, note: "a\tb\x1b" }],
      lock: "free",
      permits: "count 3",
      last: { tag: "now", raw: "dead" },
    },
  }]);
});

test("shm dump --hex prints the bytes of each field", async () => {
  using made = statsRegion();
  const { code, stdout } = await postbox("shm", "dump", made.name, "--hex");
  assertEquals(code, 0);
  assertStringIncludes(
    stdout,
    `hits at byte ${FIELDS_OFFSET}\n` +
      "00000000  00 00 00 00 00 00 00 80                           |........|\n00000008\n" +
      `ratio at byte ${FIELDS_OFFSET + 8}\n`,
  );
  const { code: wrong } = await postbox("shm", "dump", made.name, "--hex", "--json");
  assertEquals(wrong, 2);
});

test("shm dump changes nothing", async () => {
  using made = statsRegion();
  using memory = SharedMemory.open(made.name, { access: "r" });
  const before = memory.read();
  await postbox("shm", "dump", made.name);
  await postbox("shm", "dump", made.name, "--hex");
  await postbox("shm", "stat", made.name);
  assertEquals(memory.read(), before);
});

test("shm dump exits with 1 where there is no region or no schema, and says so", async () => {
  using plain = memoryName();
  SharedMemory.create(plain.name, { byteLength: 4096 }).close();
  using bare = statsRegion(false);
  using begun = memoryName();
  using memory = SharedMemory.create(begun.name, { byteLength: 4096 });
  new BigUint64Array(memory.buffer, 0, 1)[0] = MAGIC;
  const refused: [name: string, message: string][] = [
    [plain.name, "memory that is no region"],
    [bare.name, "left the schema out"],
    [begun.name, "abandoned"],
    ["/none", "ENOENT"],
  ];
  for (const [name, message] of refused) {
    const { code, stdout, stderr } = await postbox("shm", "dump", name);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, message);
  }
});

test("shm stat shows the header of a region beside the object", async () => {
  using made = statsRegion();
  const { code, stdout } = await postbox("shm", "stat", made.name);
  assertEquals(code, 0);
  const [, region, hash, ...schema] = stdout.trimEnd().split("\n").slice(3);
  assertMatch(region!, /^region {5}ready, \d+ bytes$/);
  assertMatch(hash!, /^hash {7}0x[0-9a-f]{16}$/);
  assertEquals(schema.map((line) => line.slice(11)).join("\n"), schemaText(Stats));
  const facts = JSON.parse((await postbox("shm", "stat", made.name, "--json")).stdout);
  assertEquals([facts.region.state, facts.region.schema], ["ready", schemaText(Stats)]);
});

test("shm stat tells a region that is not ready, has no schema, or cannot be used", async () => {
  using bare = statsRegion(false);
  const region = async () =>
    JSON.parse((await postbox("shm", "stat", bare.name, "--json")).stdout).region;
  assertEquals((await region()).schema, null);
  const view = new DataView(bare.region.buffer);
  view.setUint32(VERSION_OFFSET, 9, true);
  const { state, problem } = await region();
  assertEquals([state, problem], [
    "unusable",
    "found format version 9, expected version 1",
  ]);
  assertStringIncludes(
    (await postbox("shm", "stat", bare.name)).stdout,
    "region     unusable: found format version 9",
  );
  view.setUint32(READY_OFFSET, 0, true);
  assertEquals(await region(), { state: "abandoned" });
  view.setUint32(READY_OFFSET, 1, true);
  assertEquals(await region(), undefined);
});
