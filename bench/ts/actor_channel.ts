/**
 * actor_channel ROLE CARRIER: no library, only numbered questions over what the runtime has:
 * `worker` (postMessage to a worker of its own each), `fork` (the channel of child_process.fork).
 */

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { type Actor, type Note, run } from "./actor_loops.ts";
import { args } from "./loop.ts";

// Not imported: see loop.ts.
const { process } = globalThis as unknown as { process: typeof import("node:process") };

interface Question extends Note {
  /** Absent where no reply is wanted. */
  id?: number;
}

interface Reply {
  id: number;
  total: number;
}

/** One end of a channel. */
interface End<Out, In> {
  send(message: Out): void;
  receive(take: (message: In) => void): void;
  stop(): unknown;
}

function actorOver({ send, receive, stop }: End<Question, Reply>): Actor {
  const asked = new Map<number, (total: number) => void>();
  let last = 0;
  receive(({ id, total }) => {
    asked.get(id)!(total);
    asked.delete(id);
  });
  return {
    tell: send,
    ask(note) {
      const id = ++last;
      return new Promise((resolve) => {
        asked.set(id, resolve);
        send({ ...note, id });
      });
    },
    stop,
  };
}

function answer({ send, receive }: Pick<End<Reply, Question>, "send" | "receive">): void {
  let total = 0;
  receive(({ id, by }) => {
    total += by;
    if (id !== undefined) send({ id, total });
  });
}

function startWorker(): Actor {
  const worker = new Worker(new URL(import.meta.url));
  return actorOver({
    send: (message) => worker.postMessage(message),
    receive: (take) => void worker.on("message", take),
    stop: () => worker.terminate(),
  });
}

function startFork(): Actor {
  const child = fork(fileURLToPath(import.meta.url), ["child", "fork"], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return actorOver({
    send: (message) => void child.send(message),
    receive: (take) => void child.on("message", take as (message: unknown) => void),
    stop: () =>
      new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
        child.disconnect();
      }),
  });
}

if (!isMainThread) {
  const port = parentPort!;
  answer({
    send: (message) => port.postMessage(message),
    receive: (take) => void port.on("message", take),
  });
} else {
  const [role, carrier] = args("ROLE", "CARRIER") as [string, string];
  if (role === "child") {
    answer({
      send: (message) => void process.send!(message),
      receive: (take) => void process.on("message", take as (message: unknown) => void),
    });
  } else await run(role, { start: carrier === "fork" ? startFork : startWorker });
}
