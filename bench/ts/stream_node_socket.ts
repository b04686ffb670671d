/** stream_node_socket ROLE BYTES PATH: a Unix socket of node:net. */

import { connect, createServer, type Socket } from "node:net";
import { args, say } from "./loop.ts";
import { Arrivals, run } from "./stream_loops.ts";

const [role, bytes, path] = args("ROLE", "BYTES", "PATH") as [string, string, string];

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

const socket = await connection(), arrivals = new Arrivals();
socket.on("data", (piece: Uint8Array) => arrivals.put(piece));
socket.on("end", () => arrivals.put(undefined));

await run(role, Number(bytes), {
  async write(bytes) {
    if (!socket.write(bytes)) await new Promise((resolve) => socket.once("drain", resolve));
  },
  read: () => arrivals.read(),
  close: () => socket.end(),
});
