/**
 * Actors in C: this program asks a sensor that is written in C, and C programs send readings to an
 * actor and to a mailbox of this one.
 *
 *     deno run -A examples/peer.ts
 *
 * The system needs `--allow-ffi` alone; the rest is for the compiler, its files and its programs.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { actor, msg, protocol, type StandardSchema, system } from "../src/actor/mod.ts";
import { f64, i64, struct, u32, uniqueName } from "../mod.ts";

/** A text, without a library for schemas; z.string() is the same. */
const text: StandardSchema<string> = {
  "~standard": {
    version: 1,
    vendor: "peer.ts",
    validate: (value) =>
      typeof value === "string" ? { value } : { issues: [{ message: "expected a text" }] },
  },
};

const Reading = struct("reading", { at: i64, celsius: f64 });

/** What peer.c answers and takes. */
const Sensor = protocol("sensor", {
  read: msg(struct("unit", { unit: u32 })).reply(Reading),
  name: msg().reply(text, { codec: "json" }),
  calibrate: msg(struct("offset", { celsius: f64 })),
  stop: msg(),
});

/** What peer.c tells. */
const Readings = protocol("readings", {
  add: msg(Reading),
  mean: msg().reply(struct("mean", { celsius: f64, count: u32 })),
});

const readingsActor = actor(import.meta, Readings, () => {
  let sum = 0, count = 0;
  return {
    add({ celsius }) {
      sum += celsius;
      count++;
    },
    mean: () => ({ celsius: sum / count, count }),
  };
});

/** The end of a program, which must be a good one. */
async function end(child: ChildProcess): Promise<void> {
  const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
  if (code !== 0) throw new Error(`${child.spawnargs.join(" ")} ended with ${code}`);
}

function start(program: string, ...args: string[]): ChildProcess {
  return spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
}

const folder = mkdtempSync(`${tmpdir()}/peer-`);
try {
  const peer = `${folder}/peer`;
  const source = fileURLToPath(new URL("peer.c", import.meta.url));
  await end(start("cc", "-O2", "-o", peer, source, "-lrt"));

  const shop = await system(uniqueName("peer").slice(1));
  try {
    // A C program as the actor.
    const queue = uniqueName("sensor");
    const serving = start(peer, "serve", queue);
    await once(serving.stdout!, "data"); // it says "ready"
    const sensor = shop.peer(Sensor, queue);
    console.log(`Asking ${await sensor.name({ timeoutMs: 5000 })}`);
    await sensor.calibrate({ celsius: -1.5 });
    const { celsius } = await sensor.read({ unit: 2 }, { timeoutMs: 5000 });
    console.log(`${celsius} degrees`);
    const refused = await sensor.read({ unit: 9 }, { timeoutMs: 5000 }).catch((error) => error);
    console.log(`${refused.name} ${refused.code}: ${refused.message}`);
    await sensor.stop();
    await end(serving);

    // A C program that sends frames to an actor, by the name of its mailbox.
    const readings = await shop.spawn(readingsActor, { mailbox: "readings" });
    await end(start(peer, "tell", `/${shop.name}.readings`, "100"));
    const mean = await readings.mean({ timeoutMs: 5000 });
    console.log(`${mean.count} readings in frames, ${mean.celsius} degrees in the mean`);

    // And one that sends structs and nothing else.
    const bare = uniqueName("readings");
    const mailbox = shop.mailbox(Reading, bare);
    const telling = start(peer, "bare", bare, "100");
    let last = 0n;
    for await (const { at } of mailbox) if ((last = at) === 100n) break;
    mailbox.close();
    await end(telling);
    console.log(`${last} readings without frames`);
  } finally {
    await shop.close();
  }
} finally {
  rmSync(folder, { recursive: true });
}
