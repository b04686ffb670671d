/** A Unix socket of node:net, which a user of Node would take instead: one end of it. */

import { connect, createServer, type Socket } from "node:net";
import { say } from "./loop.ts";

/** The peer waits for the measured process, and says when it does. */
export function connection(role: string, path: string): Promise<Socket> {
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

/** Writes, and waits when the socket has enough. */
export async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (!socket.write(bytes)) await new Promise((resolve) => socket.once("drain", resolve));
}
