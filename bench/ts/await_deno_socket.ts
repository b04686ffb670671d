// deno-lint-ignore-file postbox/deno-in-driver -- Deno's own socket is what is compared with
/**
 * await_deno_socket ROLE PATH: Deno's own Unix socket, which a user of Deno would take instead.
 *
 * It says `Deno`: that of node:net has more between Deno's and its user.
 */

import { Inbox } from "./await_inbox.ts";
import { run } from "./await_loops.ts";
import { args, must, say } from "./loop.ts";

const [role, path] = args("ROLE", "PATH") as [string, string];

async function connection(): Promise<Deno.UnixConn> {
  if (role !== "peer") return await Deno.connect({ transport: "unix", path });
  using listener = Deno.listen({ transport: "unix", path });
  say("ready");
  return await listener.accept();
}

const socket = await connection();
const buffer = new Uint8Array(65_536), inbox = new Inbox();

await run(role, {
  send: (message) => socket.write(message),
  async receive() {
    for (;;) {
      const received = inbox.tryTake();
      if (received !== undefined) return received;
      const length = await socket.read(buffer);
      must(length !== null, "read");
      inbox.putBytes(buffer.slice(0, length!));
    }
  },
  close: () => socket.close(),
});
