/** The short form of `deno task fuzz`: frames that are none go through every carrier as they are. */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { fuzzCarrier, VALID } from "../fuzz/carriers.ts";
import { test } from "../harness.ts";
import { uniqueName } from "../../mod.ts";
import { LocalInbox } from "../../src/actor/carriers/local.ts";
import type { FrameProblemName } from "../../src/actor/wire/frame.ts";
import { NAMED_CARRIERS } from "../support/carriers.ts";

const FRAMES = 10_000;

/** Always the same: all reasons come up with it. The long form has a new one each time. */
const SEED = 6;

/** Each has to come up, or the fuzzer has lost its teeth. */
const PROBLEMS: Record<FrameProblemName, true> = {
  short: true,
  magic: true,
  version: true,
  length: true,
  checksum: true,
  kind: true,
  codec: true,
  flags: true,
  zero: true,
  expires: true,
  "reply-name": true,
  block: true,
};

function check(counts: ReadonlyMap<string, number>): void {
  assertEquals([...counts.keys()].sort(), [...Object.keys(PROBLEMS), VALID].sort());
  assertEquals([...counts.values()].reduce((sum, count) => sum + count), FRAMES);
  assert(counts.get(VALID)! > FRAMES / 10, "valid ones, too");
}

test(`local: ${FRAMES} random frames come out as they went in, each once`, () => {
  using inbox = new LocalInbox("fuzz", { maxFrames: 10, maxFrameBytes: 256 });
  using outbox = inbox.outbox();
  check(fuzzCarrier({ inbox, outbox, frames: FRAMES, seed: SEED }));
});

for (const [kind, carrier] of Object.entries(NAMED_CARRIERS)) {
  test(`${kind}: ${FRAMES} random frames come out as they went in, each once`, () => {
    const name = uniqueName("fuzz");
    using inbox = carrier.create(name);
    try {
      using outbox = carrier.openOutbox(name);
      check(fuzzCarrier({ inbox, outbox, frames: FRAMES, seed: SEED }));
    } finally {
      carrier.unlink(name);
    }
  });
}
