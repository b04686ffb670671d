/** Carriers between processes: killed ends, full ones, and two that ask each other. */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory, uniqueName } from "../../mod.ts";
import type { Inbox } from "../../src/actor/carriers/carrier.ts";
import { isDead } from "../../src/wait/mod.ts";
import {
  NAMED_CARRIERS,
  type NamedCarrier,
  numberedFrame,
  numbersOf,
} from "../support/carriers.ts";
import { memoryName } from "../support/names.ts";
import { Child, endWell } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { execPath, FFI_ONLY, fileArgs, siblingUrl } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { until, within } from "../support/until.ts";

const PROGRAM = siblingUrl("./carrier_program.ts", import.meta.url);

/** Starts one end; Deno's needs to read its arguments and nothing else beside FFI. */
function end(role: string, kind: string, name: string, ...rest: (string | number)[]): Child {
  const args = fileArgs(PROGRAM, { permissions: FFI_ONLY });
  return new Child(execPath(), [...args, role, kind, name, ...rest.map(String)]);
}

/** One end without end: it is killed, and its bell taken away. */
class Doomed implements AsyncDisposable {
  readonly #child: Child;
  #bell = 0n;

  constructor(...args: Parameters<typeof end>) {
    this.#child = end(...args);
  }

  /** Comes back when it is at work. */
  async begun(): Promise<void> {
    this.#bell = BigInt(await within("its beginning", this.#child.line()));
  }

  kill(): void {
    this.#child.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
    if (this.#bell !== 0n) isDead(this.#bell); // removes it
  }
}

/** A carrier with a name; unlinked at the end of the scope. */
class Made implements Disposable {
  readonly name: string = uniqueName("carrier");
  readonly inbox: Inbox;
  readonly #carrier: NamedCarrier;

  constructor(kind: "queue" | "ring") {
    this.#carrier = NAMED_CARRIERS[kind];
    this.inbox = this.#carrier.create(this.name);
  }

  [Symbol.dispose](): void {
    this.inbox.close();
    this.#carrier.unlink(this.name);
  }
}

for (const kind of ["queue", "ring"] as const) {
  const carrier = NAMED_CARRIERS[kind];

  test(`${kind}: of senders that are killed every frame that arrives is whole and next in order`, async () => {
    using made = new Made(kind);
    const { inbox, name } = made, into = new Uint8Array(inbox.maxFrameBytes);
    const random = new Random(Date.now() & 0xffff), senders = 4;
    const next = new Uint32Array(senders);
    const take = (byteLength: number) => {
      const [sender, index] = numbersOf(into, byteLength);
      assertEquals(index, next[sender], `sender ${sender}, seed ${random.seed}`);
      next[sender] = index + 1;
    };
    const children = [...next.keys()].map((sender) => new Doomed("send", kind, name, sender));
    try {
      for (const child of children) await child.begun();
      // They wait for room mostly, so a kill hits them in every state.
      for (const child of children) {
        for (let left = random.below(500); left > 0; left--) {
          take(await within("a frame", inbox.take(into)));
        }
        child.kill();
      }
    } finally {
      for (const child of children) await child[Symbol.asyncDispose]();
    }
    for (let byteLength; (byteLength = inbox.tryTake(into)) !== undefined;) take(byteLength);
    // Their lanes are free at once, and the successors' frames come behind theirs.
    const outboxes = Array.from({ length: 8 }, () => carrier.openOutbox(name));
    for (const outbox of outboxes) {
      assert(outbox.trySend(numberedFrame(9, 1), "message", 0));
      assertEquals(numbersOf(into, inbox.tryTake(into)!), [9, 1]);
      outbox.close();
    }
  });

  test(`${kind}: the next inbox goes on behind a killed one`, async () => {
    using made = new Made(kind);
    using memory = memoryName();
    using shared = SharedMemory.create(memory.name, { byteLength: 64 });
    const last = new Int32Array(shared.buffer, 0, 1);
    const into = new Uint8Array(made.inbox.maxFrameBytes);
    using outbox = carrier.openOutbox(made.name);
    made.inbox.close();
    let sent = 0;
    for (let round = 0; round < scaled(3); round++) {
      await using child = new Doomed("receive", kind, made.name, memory.name);
      await child.begun();
      const target = sent + 100 + round * 37;
      for (; sent < target; sent++) {
        await within("room", outbox.send(numberedFrame(0, sent), "message", 0));
      }
      await until("it has taken some", () => Atomics.load(last, 0) > target - 50);
      await child[Symbol.asyncDispose]();
      // At most the one is missing that it had in its hands: taken, and not told of yet.
      using next = carrier.openInbox(made.name);
      let expected = Atomics.load(last, 0) + 1, isFirst = true;
      for (let byteLength; (byteLength = next.tryTake(into)) !== undefined;) {
        const [, index] = numbersOf(into, byteLength);
        assert(index === expected || isFirst && index === expected + 1, `${index}, ${expected}`);
        expected = index + 1;
        isFirst = false;
      }
      assert(expected === sent || isFirst && expected + 1 === sent, `${expected} of ${sent}`);
    }
  });

  test(`${kind}: another process fills it, and its control frame comes first`, async () => {
    using made = new Made(kind);
    await using child = end("fill", kind, made.name);
    const [count, isSent, late] = (await child.line()).split(" ");
    await within("its end", endWell([child]));
    assertEquals([isSent, Number(count) > 1, late], ["true", true, "TimeoutError"]);
    const into = new Uint8Array(made.inbox.maxFrameBytes);
    assertEquals([made.inbox.tryTake(into), into[0]], [1, 9]);
    for (let left = Number(count); left > 0; left--) assertEquals(made.inbox.tryTake(into), 8);
    assertEquals(made.inbox.tryTake(into), undefined);
  });

  const exchanges = scaled(10_000);
  test(`${kind}: two processes ask each other as fast as they can, ${exchanges} times`, async () => {
    using left = new Made(kind);
    using right = new Made(kind);
    left.inbox.close();
    right.inbox.close();
    await using one = end("ask", kind, left.name, right.name, exchanges / 2);
    await using other = end("ask", kind, right.name, left.name, exchanges / 2);
    await within("both to be done", endWell([one, other]));
  });
}
