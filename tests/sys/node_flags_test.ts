/** Which flags another process of Node gets. */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { nodeFlags } from "../../src/sys/node_flags.ts";

test("nodeFlags() passes on what loads modules, what is permitted and what the engine is told", () => {
  const flags = [
    ...["--import", "tsx", "-r", "./hook.cjs", "--conditions=source", "--permission"],
    ...["--allow-fs-read=/app", "--allow-addons", "--max-old-space-size=100", "--no-warnings"],
  ];
  assertEquals(nodeFlags(flags), flags);
});

test("nodeFlags() keeps the debugger, a text, the test runner and the watcher here", () => {
  assertEquals(
    nodeFlags([
      ...["--inspect", "--inspect-brk=127.0.0.1:0", "--inspect-port=0", "--debug-port=1"],
      ...["--input-type=module", "-e", "import 'a'", "--eval=1", "-p", "--no-warnings"],
      ...["--test", "--test-reporter=spec", "--watch", "--watch-path=src", "-i", "-c"],
    ]),
    [],
  );
  assertEquals(nodeFlags(["--eval", "1", "--no-warnings"]), ["--no-warnings"]);
});
