/** The main program of a process that serves an endpoint. Nobody imports it; it is launched. */

import { serveEndpoint } from "../runtime/serve.ts";
import { enterProcess } from "./enter.ts";

const { leave, ...launchedAs } = enterProcess();
try {
  await serveEndpoint(launchedAs);
} finally {
  leave();
}
