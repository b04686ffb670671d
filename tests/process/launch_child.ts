/**
 * What the tests of launching launch in place of `child.ts` and `worker.ts`: it does what the name
 * of its "system" says, in one or two words.
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { isMainThread } from "node:worker_threads";
import { MessageQueue } from "../../mod.ts";
import { enterProcess, enterWorker } from "../../src/actor/launch/enter.ts";
import { launchProcess } from "../../src/actor/launch/launch.ts";
import { sys } from "../../src/sys/load.ts";

const { system, leave } = isMainThread ? enterProcess() : enterWorker();
const [order, argument] = system.split(" ");

/** Says that it is up, and something more, to the queue that the order names. */
function report(text: string | number): void {
  using queue = MessageQueue.open(argument!, { access: "w" });
  queue.sendSync(String(text));
}

/** Takes memory until there is none. */
function fill(): never {
  const taken: number[][] = [];
  for (;;) taken.push(new Array(100_000).fill(1.5));
}

function stay(): void {
  setInterval(() => {}, 1_000_000);
}

const ORDERS: Record<string, () => void> = {
  leave() {
    process.on("beforeExit", () => console.log("by itself")); // not at a call of exit()
    leave();
  },
  exit: () => process.exit(3),
  throw() {
    throw new RangeError("thrown on purpose");
  },
  fault() {
    // LINUX: nothing is ever mapped at the first page, proc_sys_vm(5).
    new Uint8Array(sys().viewOf(16n, 8))[0] = 1;
  },
  fill,
  /** A timer that somebody forgot. */
  forget() {
    stay();
    leave();
  },
  /** With something open that is for others to close. */
  wait() {
    stay();
    MessageQueue.open(argument!, { access: "w" });
    report(process.pid);
  },
  /** What the kernel was told to do at the parent's end it is told to leave. */
  watch() {
    const PR_SET_PDEATHSIG = 1;
    sys().c.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    ORDERS.wait!();
  },
  spin() {
    report(process.pid);
    for (;;);
  },
  /** Launches a process, says which, and stays. */
  launch() {
    const entryUrl = import.meta.url;
    const place = { run: "", endpoint: 4, incarnation: 1, actor: 1 };
    const options = { ...place, label: "inner", moduleUrl: entryUrl, entryUrl };
    launchProcess({ ...options, system: `wait ${argument}`, stdio: "ignore" });
    stay();
  },
  /** Ends while somebody holds its output open. */
  leaveOpen() {
    const { pid } = spawn("sleep", ["1000"], { stdio: ["ignore", "inherit", "inherit"] });
    console.log(pid);
    process.exit(0);
  },
  print() {
    process.stdout.write("one\ntwo in ");
    process.stdout.write("pieces\n\n");
    console.log("three");
    console.error("a complaint");
    process.stdout.write("no newline");
    process.exit(0);
  },
  /** In two chunks, as far as anybody can tell from here. */
  twice() {
    console.log("first");
    setTimeout(() => console.log("second"), 50);
    leave();
  },
  long() {
    process.stdout.write("x".repeat(40_000) + "\nend\n");
    process.exit(0);
  },
  /** Not by exit(): Node forgets then what a pipe has no room for. */
  flood() {
    for (let line = 0; line < 20_000; line++) process.stdout.write(`line ${line}\n`);
    leave();
  },
};

ORDERS[order!]!();
