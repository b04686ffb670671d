// deno-lint-ignore-file postbox/deno-in-driver -- Deno's own socket is what is compared with
/** stream_deno_socket ROLE BYTES PATH: Deno's own Unix socket. */

import { args, say } from "./loop.ts";
import { run } from "./stream_loops.ts";

const [role, bytes, path] = args("ROLE", "BYTES", "PATH") as [string, string, string];

async function connection(): Promise<Deno.UnixConn> {
  if (role !== "peer") return await Deno.connect({ transport: "unix", path });
  using listener = Deno.listen({ transport: "unix", path });
  say("ready");
  return await listener.accept();
}

const socket = await connection(), buffer = new Uint8Array(65_536);

await run(role, Number(bytes), {
  async write(bytes) {
    for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
  },
  async read() {
    const length = await socket.read(buffer);
    return length === null ? undefined : buffer.subarray(0, length);
  },
  close: () => socket.close(),
});
