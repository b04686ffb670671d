/** The main program of a process that serves an endpoint. Nobody imports it; it is launched. */

import { serveEndpoint } from "../runtime/serve.ts";
import { enterProcess } from "./enter.ts";

const { system, endpoint, leave } = enterProcess();
try {
  await serveEndpoint({ system, endpoint, kind: "process" });
} finally {
  leave();
}
