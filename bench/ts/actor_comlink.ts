/** actor_comlink FOLDER ROLE: Comlink, which is installed in FOLDER, over a worker of its own each. */

import {
  isMainThread,
  type MessagePort,
  parentPort,
  Worker,
  workerData,
} from "node:worker_threads";
import { type Note, run } from "./actor_loops.ts";
import { args, required } from "./loop.ts";

/** What is used of it. */
interface Comlink {
  wrap(endpoint: unknown): { add(note: Note): Promise<number> };
  expose(object: unknown, endpoint: unknown): void;
}

type Adapt = (port: Worker | MessagePort) => unknown;

function comlink(folder: string): { library: Comlink; adapt: Adapt } {
  return {
    library: required(folder, "comlink") as Comlink,
    adapt: required(folder, "comlink/dist/umd/node-adapter.js") as Adapt,
  };
}

if (isMainThread) {
  const [folder, role] = args("FOLDER", "ROLE") as [string, string];
  const { library, adapt } = comlink(folder);
  await run(role, {
    start() {
      const worker = new Worker(new URL(import.meta.url), { workerData: folder });
      const counter = library.wrap(adapt(worker));
      return {
        // A call is all there is: its reply is left alone.
        tell: (note) => void counter.add(note),
        ask: (note) => counter.add(note),
        stop: () => worker.terminate(),
      };
    },
  });
} else {
  const { library, adapt } = comlink(workerData as string);
  let total = 0;
  library.expose({ add: ({ by }: Note) => total += by }, adapt(parentPort!));
}
