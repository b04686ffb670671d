/** Actors whose modules, and the library itself, come by URL: in a process and in a worker. */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { serveCheckout } from "../support/http_site.ts";

const NO_HTTP = { node: "it imports nothing over HTTP", bun: "it imports nothing over HTTP" };

test(
  "System.spawn() runs an actor by URL in a process and in a worker",
  { not: NO_HTTP },
  async () => {
    await using site = serveCheckout();
    const { code, stdout, stderr } = await site.runUrl("tests/process/http_actors.ts", [], [
      "--allow-run",
    ]);
    const greeting = "hello Ada from http:";
    assertEquals([code, stdout, stderr], [0, `process ${greeting}\nworker ${greeting}\n`, ""]);
  },
);
