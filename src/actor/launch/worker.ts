/** The main program of a worker that serves an endpoint. Nobody imports it; it is launched. */

import { serveEndpoint } from "../runtime/serve.ts";
import { enterWorker } from "./enter.ts";

const { leave, ...launchedAs } = enterWorker();
try {
  await serveEndpoint(launchedAs);
} finally {
  leave();
}
