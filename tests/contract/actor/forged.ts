/**
 * The contract of actors: frames that nobody of ours has sent. Each ends in the dead letters with its
 * reason, and nothing else happens.
 */

import type { DeadReason } from "../../../src/actor/mod.ts";
import { addressOf } from "../../../src/actor/protocol/ref.ts";
import {
  blankHeader,
  encodeFrame,
  type FrameHeader,
  type SlabDescriptor,
} from "../../../src/actor/wire/frame.ts";
import { CODEC, FLAG, KIND } from "../../../src/actor/wire/frame_layout.ts";
import { Subject } from "../../actor/actors/subject.ts";
import { assert, assertEquals } from "../../assert.ts";
import { fuzzEndpoint } from "../../fuzz/endpoints.ts";
import { scaled } from "../../support/scale.ts";
import type { Place, SubjectRef } from "../../support/stage.ts";
import { errorOf, until, within } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

const NOBODY = 0x3fff;

/** A tell, as a program outside the system would send it. */
function tellTo(
  actor: SubjectRef,
  given: Partial<FrameHeader>,
  payload: Uint8Array | SlabDescriptor,
): Uint8Array {
  const { mailbox, actor: to } = addressOf(actor);
  const header: FrameHeader = {
    ...blankHeader(KIND.TELL),
    codec: CODEC.MESSAGEPACK,
    tag: Subject.kinds.note.tag,
    to: mailbox === undefined ? to : 0,
    ...given,
  };
  const frame = new Uint8Array(512);
  return frame.slice(0, encodeFrame(frame, header, payload));
}

export function forgedContract(place: Place, promise: Case): void {
  const SHORT = new Uint8Array([0xa1, 0x78]); // "x" in MessagePack

  promise("a frame of somebody else is handled as any other", async (stage) => {
    const actor = await stage.subject;
    using outbox = stage.outboxTo(actor);
    await outbox.send(tellTo(actor, {}, SHORT), "message", 0);
    let notes: string[] = [];
    await until("it is noted", async () => (notes = await actor.notes()).length > 0);
    assertEquals(notes, ["x"]);
  });

  promise("what is no message of the actor is a dead letter with its reason", async (stage) => {
    const actor = await stage.subject;
    using outbox = stage.outboxTo(actor);
    const ask = (given: Partial<FrameHeader>) => tellTo(actor, { kind: KIND.ASK, ...given }, SHORT);
    const forged: [DeadReason, Uint8Array][] = [
      ["invalid-frame", new Uint8Array(0)],
      ["invalid-frame", new Uint8Array(100)],
      ["invalid-frame", tellTo(actor, {}, SHORT).fill(0xff, 65)],
      ["unknown-kind", tellTo(actor, { tag: 12345 }, SHORT)],
      ["unknown-kind", tellTo(actor, { tag: Subject.kinds.echo.tag }, SHORT)],
      ["unknown-kind", ask({ tag: Subject.kinds.note.tag })],
      ["undecodable", tellTo(actor, {}, new Uint8Array([0xc1]))],
      ["undecodable", tellTo(actor, {}, new Uint8Array([0xdd, 255, 255, 255, 255]))],
      ["undecodable", tellTo(actor, { codec: CODEC.RAW }, SHORT)],
      ["undecodable", tellTo(actor, { codec: CODEC.STRUCT }, SHORT)],
      ["invalid-payload", tellTo(actor, { tag: Subject.kinds.wholeNote.tag }, SHORT)],
      ["expired", tellTo(actor, { expires: 1 }, SHORT)],
    ];
    if (!place.hasMailbox) {
      forged.push(["unknown-actor", tellTo(actor, { to: NOBODY }, SHORT)]);
    }
    for (const [reason, frame] of forged) {
      const [letter] = await stage.letters(reason, 1, () => outbox.send(frame, "message", 0));
      assert(letter!.bytes!.length === frame.length, `${letter!.bytes!.length} bytes, ${reason}`);
    }
    assertEquals(await actor.notes(), []);
  });

  promise("a payload that is nowhere is a dead letter", async (stage) => {
    const actor = await stage.subject;
    const block = { segment: 3, block: 7, generation: 9, byteLength: 100, crc: 1 };
    using outbox = stage.outboxTo(actor);
    for (const wrong of [block, { ...block, segment: 2 ** 32 - 1 }, { ...block, block: 1e9 }]) {
      await stage.letters(
        "payload-lost",
        1,
        () => outbox.send(tellTo(actor, {}, wrong), "message", 0),
      );
    }
  });

  promise("answers, credits and cancels that nobody waits for change nothing", async (stage) => {
    const actor = await stage.subject;
    using outbox = stage.outboxTo(actor);
    if (place.hasMailbox) return;
    const asked = errorOf(actor.hold({ probe: (await stage.probe()).probe, name: "x" }, {
      timeoutMs: 100,
    }));
    const { REPLY, FAILED, TAKEN, ITEM, END, CREDIT, CANCEL, GRANT } = KIND;
    for (const kind of [REPLY, FAILED, TAKEN, ITEM, END, CREDIT, CANCEL, GRANT]) {
      for (const from of [0, 1, 2, 100, 2 ** 32 - 1]) {
        const given = {
          kind,
          from,
          epoch: 77,
          sequence: 12,
          argument: 2 ** 32 - 1,
          flags: FLAG.RING,
        };
        await outbox.send(tellTo(actor, given, SHORT), "message", 0);
      }
    }
    assertEquals((await asked as Error).name, "TimeoutError");
    assertEquals(await actor.echo("alive"), "alive");
  });

  promise("random frames end in the dead letters, and the actor lives on", async (stage) => {
    const actor = await stage.subject;
    const seed = Math.floor(Math.random() * 2 ** 32);
    using outbox = stage.outboxTo(actor);
    const { deadLetters } = stage.shop;
    const before = { invalid: deadLetters.count("invalid-frame"), all: deadLetters.total };
    const frames = scaled(2000);
    const problems = await fuzzEndpoint({ actor, outbox, frames, seed });
    const invalid = [...problems.values()].reduce((sum, count) => sum + count, before.invalid);
    await until(
      `all letters are there, seed ${seed}`,
      () => deadLetters.count("invalid-frame") >= invalid,
    );
    assertEquals(await within(`an answer, seed ${seed}`, actor.echo("alive")), "alive");
    assertEquals(deadLetters.count("invalid-frame"), invalid, `seed ${seed}`);
    assert(deadLetters.total - before.all <= frames, `each at most once, seed ${seed}`);
    // Some may have been good by chance, and have left something that is no text and cannot cross.
    await actor.notes().catch(() => {});
  });
}
