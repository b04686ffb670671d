/** How frames come into an endpoint, also when a death has them taken in at once. */

import { LocalInbox } from "../../src/actor/carriers/local.ts";
import { Intake } from "../../src/actor/runtime/intake.ts";
import { nextTurn } from "../../src/wait/mod.ts";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** An intake of one inbox that waits for its first frame, and what it has taken in. */
async function waitingIntake() {
  const inbox = new LocalInbox("intake", { maxFrames: 8, maxFrameBytes: 64 });
  const seen: [text: string, priority: number][] = [];
  const intake = new Intake({
    takeIn(frame, priority) {
      seen.push([decoder.decode(frame), priority]);
      return false;
    },
    emptied() {},
    framesSent: () => 0,
    failed: (error) => seen.push([String(error), -1]),
  });
  intake.add(inbox);
  await turn(); // it has looked, and waits
  const outbox = inbox.outbox();
  const send = (text: string, priority: number) =>
    void outbox.trySend(encoder.encode(text), "message", priority);
  return { intake, seen, send };
}

const turn = () => new Promise<void>((resolve) => void nextTurn(resolve));

test("Intake takes a frame in that it waited for before those that came later", async () => {
  const { intake, seen, send } = await waitingIntake();
  send("first", 7); // it is taken, and the promise of that is fulfilled in a later microtask
  send("second", 3);
  assertEquals(seen, []);
  intake.takeWhatIsThere();
  assertEquals(seen, [["first", 7], ["second", 3]]);
  await turn();
  send("third", 5);
  await turn();
  assertEquals(seen, [["first", 7], ["second", 3], ["third", 5]]);
  intake.close();
});
