/** The carriers by their contract, and what each promises beyond it. */

import "../support/loaded.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { carrierContract, type CarrierEnds } from "../contract/carrier_contract.ts";
import { test } from "../harness.ts";
import { MessageQueue, PosixError, SharedMemory, uniqueName } from "../../mod.ts";
import type { Inbox, Outbox } from "../../src/actor/carriers/carrier.ts";
import { LocalInbox } from "../../src/actor/carriers/local.ts";
import {
  createQueueInbox,
  inboxSize,
  openQueueInbox,
  openQueueOutbox,
} from "../../src/actor/carriers/queue.ts";
import { createRingInbox, openRingInbox, openRingOutbox } from "../../src/actor/carriers/ring.ts";
import { CONTROL_PRIORITY } from "../../src/actor/wire/priorities.ts";

/** An inbox, and the outboxes that a test opens. */
function ends(inbox: Inbox, open: () => Outbox, unlink: () => void): CarrierEnds {
  const outboxes: Outbox[] = [];
  return {
    inbox,
    outbox() {
      const outbox = open();
      outboxes.push(outbox);
      return outbox;
    },
    [Symbol.dispose]() {
      for (const outbox of outboxes) outbox.close();
      inbox.close();
      unlink();
    },
  };
}

function localEnds(maxFrames = 10): CarrierEnds {
  const inbox = new LocalInbox("local", { maxFrames, maxFrameBytes: 256 });
  return ends(inbox, () => inbox.outbox(), () => {});
}

function queueEnds(maxMessages = 10): CarrierEnds {
  const name = uniqueName("carrier");
  const inbox = createQueueInbox(name, { maxMessages, maxMessageBytes: 256 });
  return ends(inbox, () => openQueueOutbox(name), () => MessageQueue.unlink(name));
}

const SMALL_RING = { lanes: 8, messageBytes: 1024, controlBytes: 512 };

function ringEnds(): CarrierEnds {
  const name = uniqueName("carrier");
  const inbox = createRingInbox(name, SMALL_RING);
  return ends(inbox, () => openRingOutbox(name), () => SharedMemory.unlink(name));
}

carrierContract({ name: "local", open: localEnds });
carrierContract({ name: "queue", open: queueEnds });
carrierContract({
  name: "ring",
  open: ringEnds,
  noPriorities: "a ring keeps the order of its producers; who takes from it orders by priority",
});
