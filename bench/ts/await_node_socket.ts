/** await_node_socket ROLE PATH: a Unix socket of node:net, which a user of Node would take instead. */

import { connect, createServer, type Socket } from "node:net";
import { Inbox } from "./await_inbox.ts";
import { run } from "./await_loops.ts";
import { args, say } from "./loop.ts";

const [role, path] = args("ROLE", "PATH") as [string, string];

function connection(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (role === "peer") {
      const server = createServer((socket) => {
        server.close();
        resolve(socket);
      });
      server.on("error", reject).listen(path, () => say("ready"));
    } else {
      const socket = connect(path, () => resolve(socket));
      socket.on("error", reject);
    }
  });
}

const socket = await connection(), inbox = new Inbox();
socket.on("data", (bytes: Uint8Array<ArrayBuffer>) => inbox.putBytes(bytes));

await run(role, {
  async send(message) {
    if (!socket.write(message)) await new Promise((resolve) => socket.once("drain", resolve));
  },
  receive: () => inbox.take(),
  close: () => socket.end(),
});
