/**
 * await_ipc ROLE COMMAND: the channel of child_process.fork, with messages as text.
 *
 * The measured process starts its peer, with COMMAND, a JSON array, and not by fork() itself: a
 * command can begin with pin. What the peer says on its standard output is not read.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { Inbox } from "./await_inbox.ts";
import { run } from "./await_loops.ts";
import { args } from "./loop.ts";

const [role, command] = args("ROLE", "COMMAND") as [string, string];
// Not imported: see loop.ts.
const { process } = globalThis as unknown as { process: typeof import("node:process") };

function partner(): typeof process | ChildProcess {
  if (role === "peer") return process;
  const [program, ...rest] = JSON.parse(command) as [string, ...string[]];
  return spawn(program, rest, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

const other = partner(), inbox = new Inbox();
other.on("message", (text: string) => {
  const data = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) data[i] = text.charCodeAt(i);
  inbox.put(data);
});

await run(role, {
  send(message) {
    const text = String.fromCharCode(...message);
    return new Promise<void>((resolve, reject) => {
      other.send!(text, (error) => error ? reject(error) : resolve());
    });
  },
  receive: () => inbox.take(),
  close() {
    if (other.connected) other.disconnect!();
  },
});
