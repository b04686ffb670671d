/**
 * What is measured of an asynchronous exchange, whatever carries it; bench/c/await.c is the same
 * with calls that block.
 *
 * The measured process is told a number of iterations, asks its peer for what it needs, takes the
 * times itself, and prints what the round gave as JSON.
 */

import { nowNs } from "./clock.ts";
import { kindOf, MESSAGE_BYTES, messageOf, numberOf, setNumber } from "./await_message.ts";
import { must, numbers, say } from "./loop.ts";

const { process } = globalThis as unknown as { process: typeof import("node:process") };

/** What carries messages of {@linkcode MESSAGE_BYTES}, in both directions. */
export interface Link<R = Received> {
  /** Resolves when it may be given the next; nothing to wait for: at once. */
  send(message: Uint8Array<ArrayBuffer>): Promise<unknown> | undefined;
  receive(): Promise<R>;
  /** What is received one by one; by default what `receive` gives. */
  messages?(): AsyncIterable<R>;
  /** Several at a time: how many, all of them whole. */
  receiveMany?(): Promise<number>;
  /** The message in what was received; by default its `data`. */
  messageIn?(received: R): Uint8Array<ArrayBuffer>;
  close(): void;
}

export interface Received {
  data: Uint8Array<ArrayBuffer>;
}

/** What a round gave. */
interface Sample {
  /** The median of the iterations; of a stream the mean. */
  ns: number;
  p99Ns?: number;
  /** Processor time of this process through the time that passed. */
  cpu?: number;
}

/** A link as the loops use it. */
type Used<R> = Link<R> & Required<Pick<Link<R>, "messageIn">>;

type Loop = <R>(link: Used<R>, iterations: number) => Promise<Sample>;

const LOOPS: Record<string, Loop> = { "round-trip": roundTrip, "one-way": oneWay, stream };

/** Runs as the measured process, or as its peer, which says itself when it is ready. */
export async function run<R>(role: string, link: Link<R>): Promise<void> {
  const used: Used<R> = {
    ...link,
    messageIn: link.messageIn ?? ((received) => (received as Received).data),
  };
  if (role === "peer") await answer(used);
  else await serve(LOOPS[role]!, used);
  link.close();
}

async function serve<R>(loop: Loop, link: Used<R>): Promise<void> {
  say("ready");
  for (const iterations of numbers()) {
    say(JSON.stringify(await loop(link, iterations)));
  }
  await link.send(messageOf("q"));
}

async function roundTrip<R>(link: Used<R>, iterations: number): Promise<Sample> {
  const ns = new Float64Array(iterations), message = messageOf("e");
  for (let i = 0; i < iterations; i++) {
    const startNs = nowNs();
    await link.send(message);
    const data = link.messageIn(await link.receive());
    ns[i] = nowNs() - startNs;
    must(data.byteLength === MESSAGE_BYTES, "receive");
  }
  return percentiles(ns);
}

async function oneWay<R>(link: Used<R>, iterations: number): Promise<Sample> {
  const ns = new Float64Array(iterations);
  const startNs = nowNs(), before = process.cpuUsage();
  await link.send(messageOf("p", iterations));
  for (let i = 0; i < iterations; i++) {
    const data = link.messageIn(await link.receive());
    ns[i] = nowNs() - numberOf(data);
  }
  const { user, system } = process.cpuUsage(before); // microseconds
  return { ...percentiles(ns), cpu: (user + system) * 1e3 / (nowNs() - startNs) };
}

/** From the order on, for some carriers take everything before anything arrives. */
async function stream<R>(link: Used<R>, iterations: number): Promise<Sample> {
  const startNs = nowNs();
  await link.send(messageOf("s", iterations));
  const take = (received: R) =>
    must(
      link.messageIn(received).byteLength === MESSAGE_BYTES,
      "receive",
    );
  let left = iterations;
  if (link.receiveMany !== undefined) { while (left > 0) left -= await link.receiveMany(); }
  else if (link.messages === undefined) { while (left-- > 0) take(await link.receive()); }
  else {
    for await (const received of link.messages()) {
      take(received);
      if (--left === 0) break;
    }
  }
  return { ns: (nowNs() - startNs) / iterations };
}

/** Does what the measured process asks for, until it has ended. */
async function answer<R>(link: Used<R>): Promise<void> {
  for (;;) {
    const data = link.messageIn(await link.receive());
    const kind = kindOf(data);
    if (kind === "e") await link.send(data);
    else if (kind === "p") await sendPaced(link, numberOf(data));
    else if (kind === "s") await sendMany(link, numberOf(data));
    else return;
  }
}

const PACE_NS = 1e6;

/** Sleeps in between: the timers of the runtimes are no better than a millisecond. */
async function sendPaced<R>(link: Used<R>, count: number): Promise<void> {
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4)), message = messageOf("e");
  const startNs = nowNs();
  for (let i = 1; i <= count; i++) {
    const remainingNs = startNs + i * PACE_NS - nowNs();
    if (remainingNs > 0) Atomics.wait(nobodyWakes, 0, 0, remainingNs / 1e6);
    setNumber(message, nowNs());
    await link.send(message);
  }
}

async function sendMany<R>(link: Used<R>, count: number): Promise<void> {
  const message = messageOf("e");
  for (let i = 0; i < count; i++) {
    const sending = link.send(message);
    if (sending !== undefined) await sending;
  }
}

function percentiles(ns: Float64Array): Sample {
  ns.sort();
  return { ns: quantile(ns, 0.5), p99Ns: quantile(ns, 0.99) };
}

function quantile(sorted: Float64Array, fraction: number): number {
  const at = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(at)]!, above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}
