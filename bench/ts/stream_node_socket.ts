/** stream_node_socket ROLE BYTES PATH: a Unix socket of node:net. */

import { args } from "./loop.ts";
import { connection, write } from "./node_socket.ts";
import { Arrivals, run } from "./stream_loops.ts";

const [role, bytes, path] = args("ROLE", "BYTES", "PATH") as [string, string, string];

const socket = await connection(role, path), arrivals = new Arrivals();
socket.on("data", (piece: Uint8Array) => arrivals.put(piece));
socket.on("end", () => arrivals.put(undefined));

await run(role, Number(bytes), {
  write: (bytes) => write(socket, bytes),
  read: () => arrivals.read(),
  close: () => socket.end(),
});
