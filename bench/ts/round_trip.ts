/**
 * round_trip ask|echo THERE BACK: sendSync and receiveSync; bench/c/round_trip.c is the same in C.
 *
 * `ask` sends and waits for the answer; `echo` answers until it gets an empty message, which `ask`
 * sends at its end.
 */

import { MessageQueue } from "../../mod.ts";
import { args, must, say, serve } from "./loop.ts";

const [role, thereName, backName] = args("ROLE", "THERE", "BACK") as [string, string, string];
using there = MessageQueue.open(thereName);
using back = MessageQueue.open(backName);
const message = new Uint8Array(64);

if (role === "echo") {
  say("ready");
  for (;;) {
    const data = there.receiveSync()!.data;
    if (data.byteLength === 0) break;
    must(back.sendSync(data), "sendSync");
  }
} else {
  serve((iterations) => {
    for (let i = 0; i < iterations; i++) {
      must(there.sendSync(message), "sendSync");
      must(back.receiveSync()?.data.byteLength === 64, "receiveSync");
    }
  });
  there.sendSync("");
}
