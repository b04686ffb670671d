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
export interface Link {
  /** Resolves when it may be given the next. */
  send(message: Uint8Array<ArrayBuffer>): Promise<unknown>;
  receive(): Promise<Received>;
  /** What is received one by one; by default what `receive` gives. */
  messages?(): AsyncIterable<Received>;
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

const LOOPS: Record<string, typeof roundTrip> = {
  "round-trip": roundTrip,
  "one-way": oneWay,
  stream,
};

/** Runs as the measured process, or as its peer, which says itself when it is ready. */
export async function run(role: string, link: Link): Promise<void> {
  if (role === "peer") await answer(link);
  else await serve(LOOPS[role]!, link);
  link.close();
}

async function serve(loop: typeof roundTrip, link: Link): Promise<void> {
  say("ready");
  for (const iterations of numbers()) {
    say(JSON.stringify(await loop(link, iterations)));
  }
  await link.send(messageOf("q"));
}

async function roundTrip(link: Link, iterations: number): Promise<Sample> {
  const ns = new Float64Array(iterations), message = messageOf("e");
  for (let i = 0; i < iterations; i++) {
    const startNs = nowNs();
    await link.send(message);
    const { data } = await link.receive();
    ns[i] = nowNs() - startNs;
    must(data.byteLength === MESSAGE_BYTES, "receive");
  }
  return percentiles(ns);
}

async function oneWay(link: Link, iterations: number): Promise<Sample> {
  const ns = new Float64Array(iterations);
  const startNs = nowNs(), before = process.cpuUsage();
  await link.send(messageOf("p", iterations));
  for (let i = 0; i < iterations; i++) {
    const { data } = await link.receive();
    ns[i] = nowNs() - numberOf(data);
  }
  const { user, system } = process.cpuUsage(before); // microseconds
  return { ...percentiles(ns), cpu: (user + system) * 1e3 / (nowNs() - startNs) };
}

/** From the order on, for some carriers take everything before anything arrives. */
async function stream(link: Link, iterations: number): Promise<Sample> {
  const startNs = nowNs();
  await link.send(messageOf("s", iterations));
  let left = iterations;
  for await (const { data } of link.messages?.() ?? messagesOf(link)) {
    must(data.byteLength === MESSAGE_BYTES, "receive");
    if (--left === 0) break;
  }
  return { ns: (nowNs() - startNs) / iterations };
}

async function* messagesOf(link: Link): AsyncGenerator<Received> {
  for (;;) yield await link.receive();
}

/** Does what the measured process asks for, until it has ended. */
async function answer(link: Link): Promise<void> {
  for (;;) {
    const { data } = await link.receive();
    const kind = kindOf(data);
    if (kind === "e") await link.send(data);
    else if (kind === "p") await sendPaced(link, numberOf(data));
    else if (kind === "s") await sendMany(link, numberOf(data));
    else return;
  }
}

const PACE_NS = 1e6;

/** Sleeps in between: the timers of the runtimes are no better than a millisecond. */
async function sendPaced(link: Link, count: number): Promise<void> {
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4)), message = messageOf("e");
  const startNs = nowNs();
  for (let i = 1; i <= count; i++) {
    const remainingNs = startNs + i * PACE_NS - nowNs();
    if (remainingNs > 0) Atomics.wait(nobodyWakes, 0, 0, remainingNs / 1e6);
    setNumber(message, nowNs());
    await link.send(message);
  }
}

async function sendMany(link: Link, count: number): Promise<void> {
  const message = messageOf("e");
  for (let i = 0; i < count; i++) await link.send(message);
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
