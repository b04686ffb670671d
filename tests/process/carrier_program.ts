/**
 * One end of a carrier in a process of its own, as tests/process/actor_carriers_test.ts tells it:
 *
 * ```text
 * send    CARRIER NAME SENDER    sends numbered frames without end
 * fill    CARRIER NAME           fills the messages' room, sends a control frame, and gives up
 *                                waiting for more; prints how each went
 * receive CARRIER NAME MEMORY    takes numbered frames without end; the memory tells of the last
 * ask     CARRIER NAME PEER ASKS asks and answers the other side, and ends when both are done
 * ```
 *
 * Those without end print the number of their bell when they begin.
 */

import process from "node:process";
import { SharedMemory } from "../../mod.ts";
import { CONTROL_PRIORITY } from "../../src/actor/wire/priorities.ts";
import { bellOfThisThread } from "../../src/wait/doorbell.ts";
import { askAndAnswer, NAMED_CARRIERS, numberedFrame, numbersOf } from "../support/carriers.ts";

/** Tells who kills it what it leaves then: the bell of its event loop. */
function ready(): void {
  console.log(String(bellOfThisThread()?.id ?? 0n));
}

const [role, kind, name, ...rest] = process.argv.slice(2) as [string, "queue" | "ring", string];
const carrier = NAMED_CARRIERS[kind];

/** Without end: whoever started it kills it. */
async function send(sender: number): Promise<never> {
  const outbox = carrier.openOutbox(name);
  ready();
  for (let index = 0;; index++) await outbox.send(numberedFrame(sender, index), "message", 0);
}

async function fill(): Promise<void> {
  const outbox = carrier.openOutbox(name);
  let count = 0;
  while (outbox.trySend(new Uint8Array(8), "message", 0)) count++;
  const isSent = outbox.trySend(new Uint8Array([9]), "control", CONTROL_PRIORITY);
  // Who gave up waiting does not keep the process, and neither does an open outbox.
  const late = await outbox.send(new Uint8Array(8), "message", 0, { timeoutMs: 50 }).catch((e) =>
    e
  );
  console.log(`${count} ${isSent} ${late?.name}`);
}

async function receive(memoryName: string): Promise<never> {
  const inbox = carrier.openInbox(name), into = new Uint8Array(inbox.maxFrameBytes);
  const last = new Int32Array(SharedMemory.open(memoryName).buffer, 0, 1);
  ready();
  for (;;) {
    const [, index] = numbersOf(into, await inbox.take(into));
    Atomics.store(last, 0, index);
  }
}

async function ask(peer: string, asks: number): Promise<void> {
  const inbox = carrier.openInbox(name), outbox = carrier.openOutbox(peer);
  await askAndAnswer({ inbox, outbox, asks });
  outbox.close();
  inbox.close();
}

const numbers = rest as string[];
if (role === "send") await send(Number(numbers[0]));
else if (role === "fill") await fill();
else if (role === "receive") await receive(numbers[0]!);
else await ask(numbers[0]!, Number(numbers[1]));
