/** Two that exchange messages, and what carries them: the pairs that are compared. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { MessageQueue, SharedMemory, SpscRing, uniqueName } from "../mod.ts";
import type { Sample, Sampled } from "./measure.ts";
import { c, type Command, pinned, Program } from "./program.ts";
import type { Runtime } from "./runtimes.ts";

/** What is measured of a pair; the loops of bench/ts/await_loops.ts. */
export type Role = "round-trip" | "one-way" | "stream";

/** Where the measured process and its peer run. */
export type Placement = "one core" | "two cores" | "free";

/** Two processes, or two threads of one. */
export class Pair implements Sampled, AsyncDisposable {
  readonly #measured: Program;
  readonly #peer: Program | undefined;

  /** @param peer A peer that is no child of the measured process. */
  constructor(measured: Program, peer?: Program) {
    this.#measured = measured;
    this.#peer = peer;
  }

  async sample(iterations: number): Promise<Sample> {
    return JSON.parse(await this.#measured.tell(iterations));
  }

  /** The measured process tells its peer that it is over, unless it died before. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#measured[Symbol.asyncDispose]();
    await this.#peer?.[Symbol.asyncDispose]();
  }
}

/** How a handle waits. */
export type Way = "spin" | "parked";

/** How one end of two queues runs: Postbox on a runtime, or C. */
export type QueueEnd = (role: Role | "peer", there: string, back: string) => Command;

export function postbox(runtime: Runtime, how: Way | `${Way}-into`): QueueEnd {
  return (...args) => runtime.loop("await_queue", ...args, how);
}

export const blockingC: QueueEnd = (...args) => c("await", ...args);

/** Over two queues, whose names are gone before anything is measured. */
export async function queuePair(
  role: Role,
  placement: Placement,
  [measured, peer]: [QueueEnd, QueueEnd],
): Promise<Pair> {
  const size = { maxMessages: 10, maxMessageBytes: 64 };
  const names = [uniqueName("bench-there"), uniqueName("bench-back")] as const;
  const queues: MessageQueue[] = [];
  try {
    for (const name of names) queues.push(MessageQueue.create(name, size));
    const started = await Program.start(placed("peer", placement, peer("peer", ...names)));
    return new Pair(
      await Program.start(placed("measured", placement, measured(role, ...names))),
      started,
    );
  } finally {
    for (const queue of queues) {
      MessageQueue.unlink(queue.name);
      queue.close();
    }
  }
}

/** Memory with two rings in it, whose name is gone before anything is measured. */
export async function overRings<T>(
  capacityBytes: number,
  start: (memoryName: string) => Promise<T>,
): Promise<T> {
  const ringBytes = SpscRing.bytesFor(capacityBytes), name = uniqueName("bench");
  using memory = SharedMemory.create(name, { byteLength: 2 * ringBytes });
  try {
    for (const at of [0, ringBytes]) {
      SpscRing.format(memory.bytes.subarray(at, at + ringBytes), { capacityBytes });
    }
    return await start(name);
  } finally {
    SharedMemory.unlink(name);
  }
}

/** Over two rings that are awaited; ring_bench.ts measures those that block. */
export function ringPair(role: Role, placement: Placement, runtime: Runtime): Promise<Pair> {
  return overRings(AWAITED_RING_BYTES, async (name) => {
    const command = (role: Role | "peer") => runtime.loop("await_ring", role, name);
    const peer = await Program.start(placed("peer", placement, command("peer")));
    return new Pair(await Program.start(placed("measured", placement, command(role))), peer);
  });
}

const AWAITED_RING_BYTES = 64 * 1024;

/** Over a Unix socket, whose name is gone before anything is measured. */
export async function socketPair(
  role: Role,
  placement: Placement,
  runtime: Runtime,
): Promise<Pair> {
  const folder = mkdtempSync(`${tmpdir()}/postbox-bench-`);
  const command = (role: Role | "peer") =>
    runtime.other(`await_${runtime.name}_socket`, role, `${folder}/socket`);
  try {
    const peer = await Program.start(placed("peer", placement, command("peer")));
    return new Pair(await Program.start(placed("measured", placement, command(role))), peer);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Over the channel between a process and the child that it forked. */
export async function forkPair(role: Role, placement: Placement, runtime: Runtime): Promise<Pair> {
  const child = placed("peer", placement, runtime.other("await_ipc", "peer", "[]"));
  const command = runtime.other("await_ipc", role, JSON.stringify(child));
  return new Pair(await Program.start(placed("measured", placement, command)));
}

/** Between a thread and its worker: on two cores, both are on both. */
export async function workerPair(
  role: Role,
  placement: Placement,
  runtime: Runtime,
): Promise<Pair> {
  const command = runtime.other("await_worker", role);
  if (placement === "free") return new Pair(await Program.start(command));
  const cpu = placement === "one core" ? 0 : "both";
  return new Pair(await Program.start(pinned(cpu, command)));
}

function placed(who: "measured" | "peer", placement: Placement, command: Command): Command {
  if (placement === "free") return command;
  return pinned(placement === "two cores" && who === "measured" ? 1 : 0, command);
}
