/** `map cat` beside cat(1): the same bytes and the same exit code, whatever the file. */

import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { temporaryFolder } from "../support/process.ts";
import { command, POSTBOX, shell } from "./postbox.ts";

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, i) => (i * 2654435761) >>> 13);
}

test("map cat writes what cat writes", async () => {
  using made = temporaryFolder();
  for (const length of [0, 1, 4095, 4096, 4097, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_333_333]) {
    const path = `${made.path}/${length} bytes`;
    writeFileSync(path, bytes(length));
    const ours = await command([...POSTBOX, "map", "cat", path]);
    const theirs = await command(["cat", path]);
    assertEquals([ours.code, ours.stderr], [theirs.code, theirs.stderr], path);
    assertEquals(ours.bytes, theirs.bytes, path);
  }
});

test("map cat writes a sparse file of 1 GiB as cat does, a little at a time", async () => {
  using made = temporaryFolder();
  const path = `${made.path}/sparse`;
  const fd = openSync(path, "w");
  ftruncateSync(fd, 2 ** 30);
  writeSync(fd, bytes(5), 0, 5, 2 ** 29 + 1);
  closeSync(fd);
  const { code, stdout, stderr } = await shell(
    `set -o pipefail; postbox map cat ${path} | cmp - <(cat ${path}) && echo equal`,
  );
  assertEquals([code, stdout, stderr], [0, "equal\n", ""]);
});

test("map cat writes to a file, and appends to one", async () => {
  using made = temporaryFolder();
  const { path } = made;
  writeFileSync(`${path}/in`, bytes(100_000));
  const script = `cd ${path} && postbox map cat in > out && postbox map cat in >> out && ` +
    "cat in in | cmp - out && echo equal";
  assertEquals((await shell(script)).stdout, "equal\n");
});

test("map cat writes several files, and goes on after one that is refused, as cat does", async () => {
  using made = temporaryFolder();
  writeFileSync(`${made.path}/one`, "one\n");
  writeFileSync(`${made.path}/two`, "two\n");
  const paths = ["one", "missing", "two", "one"].map((name) => `${made.path}/${name}`);
  const ours = await command([...POSTBOX, "map", "cat", ...paths]);
  const theirs = await command(["cat", ...paths]);
  assertEquals([ours.code, ours.stdout], [theirs.code, theirs.stdout]);
  assertEquals(ours.code, 1);
  assertMatch(
    ours.stderr,
    /^postbox: Cannot open file ".*\/missing": it does not exist \(ENOENT\)\n/,
  );
});

test("map cat takes a name that begins with a dash after --", async () => {
  using made = temporaryFolder();
  writeFileSync(`${made.path}/-n`, "dash");
  const { code, stdout } = await shell(`cd ${made.path} && postbox map cat -- -n`);
  assertEquals([code, stdout], [0, "dash"]);
});

test("map cat exits with 1 for what cannot be mapped, and does not wait for it", async () => {
  using made = temporaryFolder();
  const fifo = `${made.path}/fifo`;
  assertEquals((await command(["mkfifo", fifo])).code, 0);
  const refused: [string, string][] = [
    [made.path, "only regular files can be mapped"],
    [fifo, "only regular files can be mapped"],
    ["/dev/null", "only regular files can be mapped"],
    ["/proc/version", "read it instead"],
  ];
  for (const [path, hint] of refused) {
    const { code, stdout, stderr } = await command([...POSTBOX, "map", "cat", path]);
    assertEquals([code, stdout], [1, ""], path);
    assertStringIncludes(stderr, "(ENODEV)\nHint: ");
    assertStringIncludes(stderr, hint);
  }
});

test("map cat exits with 2 when there is no FILE", async () => {
  const { code, stderr } = await command([...POSTBOX, "map", "cat"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Missing FILE");
});
