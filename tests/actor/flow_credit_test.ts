/**
 * Credit: one side, the other, and both against each other.
 *
 * Goal: a sender never has more on the way than it may, is never stuck while the receiver takes
 * messages, and gets no credit by what is forged. Method: a model of an endpoint that sends and one
 * that receives, with a queue between them that holds ten, and a random schedule, seeded: messages
 * are refused, dropped, expire, are taken; both sides die and begin anew. In the schedule without
 * deaths each credit is accounted for at every step.
 */

import "../support/loaded.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { VirtualClock } from "../../src/actor/flow/clock.ts";
import {
  CREDIT_LIMIT,
  CreditReceiver,
  CreditSender,
  GRANT_BATCH,
} from "../../src/actor/flow/credit.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";

/** A sender that has sent all it may. */
function spent(): CreditSender {
  const sender = new CreditSender();
  while (sender.tryTake());
  return sender;
}

/** Notes who was served, and how the others ended. */
function waiting(sender: CreditSender, names: string[]): string[] {
  const seen: string[] = [];
  for (const name of names) {
    sender.wait().then(() => seen.push(name), (error) => seen.push(`${name}: ${error}`));
  }
  return seen;
}

/** Lets promises settle. */
function settled(): Promise<void> {
  return new VirtualClock().advance(0);
}

test("CreditSender.tryTake() takes the limit, and no more before a grant", () => {
  const sender = new CreditSender();
  for (let sent = 0; sent < CREDIT_LIMIT; sent++) assert(sender.tryTake());
  assert(!sender.tryTake());
  sender.grant(2);
  assertEquals([sender.tryTake(), sender.tryTake(), sender.tryTake()], [true, true, false]);
});

test("CreditSender.wait() serves first come, first, and before who only tries", async () => {
  const sender = spent(), seen = waiting(sender, ["a", "b", "c"]);
  await settled();
  sender.grant(2);
  assertEquals([sender.available, sender.waiting, sender.tryTake()], [0, 1, false]);
  await settled();
  assertEquals(seen, ["a", "b"]);
  sender.grant(2);
  await settled();
  assertEquals([seen, sender.available], [["a", "b", "c"], 1]);
});

test("CreditSender.wait() takes at once what there is", async () => {
  const sender = new CreditSender();
  await sender.wait({ timeoutMs: 0 });
  assertEquals(sender.available, CREDIT_LIMIT - 1);
});

test("CreditSender.wait() that was aborted takes nothing", async () => {
  const sender = spent(), controller = new AbortController(), reason = new Error("no more");
  const aborted = assertRejects(() => sender.wait({ signal: controller.signal }), Error, "no more");
  const seen = waiting(sender, ["next"]);
  await settled();
  controller.abort(reason);
  sender.grant(1);
  await aborted;
  await settled();
  assertEquals([seen, sender.available, sender.waiting], [["next"], 0, 0]);
  await assertRejects(() => sender.wait({ signal: controller.signal }), Error, "no more");
});

test("CreditSender.wait() that timed out takes nothing", async () => {
  const sender = spent(), clock = new VirtualClock();
  const late = sender.wait({ timeoutMs: 50, clock }).catch((error) => error);
  const served = sender.wait({ timeoutMs: 51, clock });
  await clock.advance(50);
  const error = await late;
  assertEquals([error.name, sender.waiting], ["TimeoutError", 1]);
  assert(error.message.includes("50 ms"));
  sender.grant(1);
  await served;
  assertEquals([sender.available, clock.pending], [0, 0]);
});

test("CreditSender.wait() that was served leaves its signal and its timer", async () => {
  const sender = spent(), clock = new VirtualClock(), controller = new AbortController();
  const served = sender.wait({ timeoutMs: 50, clock, signal: controller.signal });
  await settled();
  sender.grant(1);
  controller.abort();
  await served;
  assertEquals(clock.pending, 0);
});

test("CreditSender.grant() is capped, and what is no grant is none", () => {
  const sender = new CreditSender();
  sender.tryTake();
  for (const count of [0, -1, NaN, 0.5, -Infinity]) sender.grant(count);
  assertEquals(sender.available, CREDIT_LIMIT - 1);
  sender.tryTake();
  sender.grant(1.9);
  assertEquals(sender.available, CREDIT_LIMIT - 1);
  for (const count of [2, 2 ** 32 - 1, Infinity, 1.5]) {
    sender.grant(count);
    assertEquals(sender.available, CREDIT_LIMIT);
  }
});

test("CreditSender.reset() gives all credit, first to those who wait", async () => {
  const sender = spent(), seen = waiting(sender, ["a", "b"]);
  await settled();
  sender.reset();
  await settled();
  assertEquals([seen, sender.available], [["a", "b"], CREDIT_LIMIT - 2]);
});

test("CreditSender.close() rejects who waits, and who comes later", async () => {
  const sender = spent(), seen = waiting(sender, ["a", "b"]);
  await settled();
  sender.close(new Error("gone"));
  sender.close(new Error("again"));
  sender.grant(5);
  await settled();
  assertEquals([seen, sender.waiting], [["a: Error: gone", "b: Error: gone"], 0]);
  assertThrows(() => sender.tryTake(), Error, "gone");
  await assertRejects(() => sender.wait(), Error, "gone");
});

test("CreditReceiver.took() grants in batches, per sender, incarnation and actor", () => {
  const receiver = new CreditReceiver();
  for (let taken = 1; taken < GRANT_BATCH; taken++) {
    for (const [from, actor] of [[1, 1], [1, 2], [2, 1]] as const) {
      assertEquals(receiver.took(from, 1, actor), 0);
    }
  }
  assertEquals(receiver.took(1, 1, 1), GRANT_BATCH);
  assertEquals(receiver.took(1, 1, 1), 0);
  assertEquals(receiver.took(1, 2, 1), 0); // a new incarnation: nothing of the old one's
  assertEquals(receiver.forgetActor(1), [
    { from: 1, count: 1 },
    { from: 2, count: GRANT_BATCH - 1 },
  ]);
});

test("CreditReceiver grants nothing to an incarnation that is over", () => {
  const receiver = new CreditReceiver();
  receiver.took(1, 7, 1);
  for (let taken = 0; taken < 100; taken++) assertEquals(receiver.took(1, 6, 1), 0);
  assertEquals(receiver.forgetActor(1), [{ from: 1, count: 1 }]);
});

test("CreditReceiver.forgetActor() gives back what an actor did not take", () => {
  const receiver = new CreditReceiver();
  for (let sent = 0; sent < 5; sent++) receiver.admit(1, 1, 1);
  receiver.admit(1, 1, 2);
  receiver.took(1, 1, 1);
  assertEquals(receiver.forgetActor(1), [{ from: 1, count: 5 }]);
  assertEquals(receiver.forgetActor(1), []);
  assertEquals(receiver.forgetActor(2), [{ from: 1, count: 1 }]);
});

test("CreditReceiver.admit() bounds what incarnations that are over have sent", () => {
  const receiver = new CreditReceiver();
  for (let sent = 0; sent < 3; sent++) receiver.admit(1, 6, 1);
  receiver.admit(1, 7, 1);
  let admitted = 3;
  while (admitted < 1000 && receiver.admit(1, 6, 1)) admitted++;
  assertEquals(admitted, 8 * CREDIT_LIMIT);
  receiver.took(1, 6, 1);
  assertEquals([receiver.admit(1, 6, 1), receiver.admit(1, 6, 1)], [true, false]);
  assert(receiver.admit(1, 7, 1));
  receiver.forgetActor(1);
  assertEquals([receiver.admit(1, 6, 1), receiver.admit(1, 6, 1)], [true, true]);
});

test("CreditReceiver.admit() refuses what a sender cannot have had credit for", () => {
  const receiver = new CreditReceiver();
  let admitted = 0;
  while (admitted < 1000 && receiver.admit(1, 1, 1)) admitted++;
  assertEquals(admitted, 8 * CREDIT_LIMIT);
  assert(receiver.admit(1, 1, 2), "another actor");
  assert(receiver.admit(2, 1, 1), "another sender");
  receiver.took(1, 1, 1);
  assertEquals([receiver.admit(1, 1, 1), receiver.admit(1, 1, 1)], [true, false]);
});

test("CreditReceiver forgets senders and actors", () => {
  const receiver = new CreditReceiver();
  for (const [from, actor] of [[1, 1], [1, 2], [2, 1], [2, 2]] as const) {
    receiver.took(from, 5, actor);
  }
  receiver.forgetSender(1);
  receiver.forgetActor(1);
  assertEquals(receiver.forgetActor(1), []);
  assertEquals(receiver.forgetActor(2), [{ from: 2, count: 1 }]);
});

/** How many messages the queue between the two holds. */
const QUEUE_MESSAGES = 10;
const SENDER = 3, ACTOR = 8;

/** Two endpoints, one actor, and what is between them. */
class Pair {
  sender = new CreditSender();
  receiver = new CreditReceiver();
  senderEpoch = 1;
  /** Messages on the way, by the incarnation of who sent them. It outlives both sides. */
  readonly queue: number[] = [];
  /** Those that arrived and were not taken. */
  buffer: number[] = [];
  /** Control frames to the sender, in their order: grants, and that the receiver began anew. */
  control: { epoch: number; count: number }[] = [];
  /** Who waits for credit, with what ends the wait. */
  readonly waits = new Set<AbortController>();
  sent = 0;
  /** How often somebody had to wait: a schedule in which nobody has says nothing. */
  waited = 0;

  constructor(readonly random: Random) {}

  trySend(): void {
    if (this.sender.tryTake()) this.put();
  }

  /** Hands a message that has credit to the carrier. */
  put(): void {
    // Refused by a full queue under "fail", or given up.
    if (this.queue.length === QUEUE_MESSAGES || this.random.oneIn(8)) this.sender.grant(1);
    else this.queue.push(this.senderEpoch);
    this.sent++;
  }

  waitAndSend(): void {
    const controller = new AbortController(), { senderEpoch } = this;
    this.waits.add(controller);
    this.sender.wait({ signal: controller.signal }).then(
      () => {
        this.waits.delete(controller);
        if (senderEpoch === this.senderEpoch) this.put();
      },
      () => this.waits.delete(controller),
    );
  }

  abortOne(): void {
    if (this.waits.size === 0) return;
    const controller = this.random.pick([...this.waits]), { waiting } = this.sender;
    controller.abort();
    // Unless it was served before, and only does not know yet.
    if (this.sender.waiting < waiting) this.waits.delete(controller);
  }

  arrive(): void {
    const epoch = this.queue.shift();
    if (epoch === undefined) return;
    assert(this.receiver.admit(SENDER, epoch, ACTOR), "an honest sender was refused");
    if (this.random.oneIn(5)) this.ended(epoch); // expired, or not to be understood
    else this.buffer.push(epoch);
  }

  take(): void {
    const epoch = this.buffer.shift();
    if (epoch !== undefined) this.ended(epoch);
  }

  ended(epoch: number): void {
    this.grant(this.receiver.took(SENDER, epoch, ACTOR), epoch);
  }

  grant(count: number, epoch: number): void {
    if (count > 0) this.control.push({ epoch, count });
  }

  control1(): void {
    const frame = this.control.shift();
    if (frame === undefined) return;
    if (frame.count === RESET) this.sender.reset();
    else if (frame.epoch === this.senderEpoch) this.sender.grant(frame.count);
  }

  receiverDies(): void {
    if (this.control.filter(({ count }) => count === RESET).length === MAX_UNHEARD) return;
    this.buffer = [];
    this.receiver = new CreditReceiver();
    this.control.push({ epoch: this.senderEpoch, count: RESET });
  }

  senderDies(): void {
    this.sender.close(new Error("it died"));
    this.sender = new CreditSender();
    this.senderEpoch++;
    this.receiver.forgetSender(SENDER);
  }

  /** What is on the way: the messages, and their credits on the way back. */
  get outstanding(): number {
    const granted = this.control.reduce((sum, { count }) => sum + count, 0);
    return this.queue.length + this.buffer.length + granted;
  }
}

/** In the place of a count: the receiver began anew. */
const RESET = -1;

/** Of so many deaths in a row the sender has not heard yet, at most. */
const MAX_UNHEARD = 3;

for (const dying of [false, true]) {
  const schedule = dying ? "both sides die" : "messages are dropped";
  test(`CreditSender and CreditReceiver bound and never wedge each other when ${schedule}`, async () => {
    let waited = 0;
    for (let seed = 1; seed <= 5; seed++) {
      const random = new Random(seed), pair = new Pair(random);
      const steps: (() => void)[] = [
        () => pair.trySend(),
        () => pair.trySend(),
        () => pair.waitAndSend(),
        () => pair.abortOne(),
        () => pair.arrive(),
        () => pair.arrive(),
        () => pair.take(),
        () => pair.control1(),
        () => pair.control1(),
      ];
      try {
        for (let step = 0; step < scaled(3000); step++) {
          // Now and then nobody takes anything for a while.
          if (random.oneIn(60)) {
            for (let i = 0; i < 80; i++) random.pick([pair.trySend, pair.arrive]).call(pair);
          }
          if (dying && random.oneIn(80)) {
            random.pick([pair.senderDies, pair.receiverDies]).call(pair);
          }
          random.pick(steps)();
          if (random.oneIn(4)) await undefined; // who waited and was served goes on
          check(pair, dying);
          if (pair.sender.waiting > 0) pair.waited++;
        }
        await drained(pair);
        // All that was sent has ended: only what is not granted yet is missing.
        assert(pair.sender.available > CREDIT_LIMIT - GRANT_BATCH);
        assertEquals([pair.sender.waiting, pair.waits.size], [0, 0]);
        assert(pair.sent > scaled(3000) / 10, `${pair.sent} messages`);
        waited += pair.waited;
      } catch (cause) {
        throw new Error(`seed ${seed}: ${cause}`, { cause });
      }
    }
    assert(waited > 50, `somebody had to wait at ${waited} steps alone`);
  });
}

function check(pair: Pair, dying: boolean): void {
  const { sender, buffer } = pair;
  assert(sender.available >= 0 && sender.available <= CREDIT_LIMIT);
  assert(sender.waiting === 0 || sender.available === 0);
  // Who has not heard of a death yet has all its credit again when it does.
  const inherited = dying ? QUEUE_MESSAGES + CREDIT_LIMIT * MAX_UNHEARD : 0;
  assert(buffer.filter((epoch) => epoch === pair.senderEpoch).length <= CREDIT_LIMIT + inherited);
  if (dying) return;
  // Whoever was served and has not gone on yet holds a credit too.
  const served = pair.waits.size - sender.waiting;
  const ungranted = CREDIT_LIMIT - sender.available - pair.outstanding - served;
  assert(ungranted >= 0 && ungranted < GRANT_BATCH, `${ungranted} credits are nowhere`);
}

/** Goes on until all that is under way has ended. */
async function drained(pair: Pair): Promise<void> {
  do {
    await settled();
    while (pair.queue.length > 0) pair.arrive();
    while (pair.buffer.length > 0) pair.take();
    while (pair.control.length > 0) pair.control1();
  } while (pair.sender.waiting > 0);
  await settled();
  while (pair.queue.length > 0) pair.arrive();
  while (pair.buffer.length > 0) pair.take();
  while (pair.control.length > 0) pair.control1();
}
