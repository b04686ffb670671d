/** await_node_socket ROLE PATH: a Unix socket of node:net, which a user of Node would take instead. */

import { Inbox } from "./await_inbox.ts";
import { run } from "./await_loops.ts";
import { args } from "./loop.ts";
import { connection, write } from "./node_socket.ts";

const [role, path] = args("ROLE", "PATH") as [string, string];

const socket = await connection(role, path), inbox = new Inbox();
socket.on("data", (bytes: Uint8Array<ArrayBuffer>) => inbox.putBytes(bytes));

await run(role, {
  send: (message) => write(socket, message),
  receive: () => inbox.take(),
  close: () => socket.end(),
});
