/** The contract of actors: payloads of every size, and what crosses beside values. */

import {
  ADDRESS,
  type Address,
  type AnyRef,
  msg,
  protocol,
  type Ref,
} from "../../../src/actor/mod.ts";
import { Region, struct, u64 } from "../../../src/region/mod.ts";
import { actor } from "../../../src/actor/mod.ts";
import subjectActor, { Hits, type Subject } from "../../actor/actors/subject.ts";
import { assert, assertEquals } from "../../assert.ts";
import { memoryName } from "../../support/names.ts";
import { OTHER_INIT, type Place } from "../../support/stage.ts";
import { errorOf } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

/** A frame of 1024 bytes has a header of 64; one of a ring may have 8184. */
const QUEUE_INLINE = 960, RING_INLINE = 8120;
/** The largest block of a slab. */
const LARGEST = 64 * 1024 * 1024;

/** A protocol that no other thread knows. */
const Local = protocol("test.local", { nothing: msg(), nothingElse: msg() });
const localActor = actor(import.meta, Local, () => ({ nothing() {}, nothingElse() {} }));

export function payloadContract(place: Place, promise: Case): void {
  promise("payloads of every size arrive, there and back", async ({ subject }) => {
    const actor = await subject;
    const limits = [QUEUE_INLINE, RING_INLINE].flatMap((n) => [n - 1, n, n + 1]);
    for (const byteLength of [0, 1, ...limits, 65_536, 1024 * 1024]) {
      const bytes = new Uint8Array(byteLength).fill(byteLength % 251);
      if (byteLength > 0) bytes[0] = 1;
      assertEquals(await actor.byteCount(bytes), byteLength);
      const back = await actor.bytes(bytes);
      assertEquals(back.length, byteLength);
      assert(back.every((byte, index) => byte === bytes[index]), `${byteLength} bytes`);
    }
  });

  promise("large payloads that wait together keep their order", async (stage) => {
    const actor = await stage.subject;
    const held = await stage.hold(actor);
    const sizes = Array.from({ length: 24 }, (_, index) => index % 3 === 0 ? 5000 + index : index);
    const asked = Promise.all(
      sizes.map((byteLength) => actor.byteCount(new Uint8Array(byteLength))),
    );
    await held.release();
    assertEquals(await asked, sizes);
  });

  promise("a payload beyond the largest is refused, and says what to do", async ({ subject }) => {
    const actor = await subject;
    const tooLarge = await errorOf(actor.byteCount(new Uint8Array(LARGEST + 1)));
    assert(tooLarge instanceof RangeError, `${tooLarge}`);
    assertEquals(
      tooLarge.message,
      `Cannot send a payload of ${LARGEST + 1} bytes: expected at most ${LARGEST}; put it into a ` +
        "region or a file, and send its name",
    );
    const reply = await errorOf(actor.grow(LARGEST + 1));
    assert(reply instanceof RangeError, `${reply}`);
    assertEquals(reply.message, tooLarge.message);
    const items = actor.manyBytes([1, LARGEST + 1, 1]);
    assertEquals((await items.next()).value?.length, 1);
    const item = await errorOf(items.next());
    assert(item instanceof RangeError, `${item}`);
    assertEquals(await actor.nothing(), undefined, "it lives on");
  });

  promise("a ref in a message speaks to its actor", async ({ subject, shop }) => {
    const actor = await subject;
    const helper = await shop.spawn(subjectActor);
    assertEquals(await actor.ask({ ref: helper, value: ["there", "and back"] }), [
      "there",
      "and back",
    ]);
    await shop.stop(helper);
  });

  promise("a ref to a pool speaks to one of it", async ({ subject, shop }) => {
    const actor = await subject;
    const pool = await shop.spawn(subjectActor, { size: 2 });
    const asked = [1, 2, 3, 4].map((value) => actor.ask({ ref: pool, value }));
    assertEquals(await Promise.all(asked), [1, 2, 3, 4]);
    await shop.stop(pool);
  });

  promise("an actor sends itself, and what it was sent", async ({ subject, shop }) => {
    const actor = await subject;
    const self = await actor.self() as Ref<typeof Subject>;
    assertEquals(self[ADDRESS], (actor as AnyRef)[ADDRESS]);
    assertEquals(await self.echo("to itself"), "to itself");
    const helper = await shop.spawn(subjectActor);
    const passed = await actor.passOn({ ref: helper }) as Ref<typeof Subject>;
    assertEquals(await passed.echo("passed on"), "passed on");
    await shop.stop(helper);
  });

  promise("a ref of a protocol that is unknown there is sent on", async ({ subject, shop }) => {
    const actor = await subject;
    const ref = await shop.spawn(localActor, { name: "local one" });
    const methods = place.in === "here" ? 2 : 0;
    assertEquals(await actor.labelOf({ ref }), { label: "local one", methods });
    const back = await actor.passOn({ ref }) as Ref<typeof Local>;
    assertEquals(await back.nothing(), undefined);
    await shop.stop(ref);
  });

  promise("a ref of another system is none of this one's", async ({ subject }) => {
    const actor = await subject;
    const address: Address = { ...(actor as AnyRef)[ADDRESS], system: "elsewhere" };
    const ref = { [ADDRESS]: address } as AnyRef;
    const error = await errorOf(actor.ask({ ref, value: 1 })) as { code: string };
    assertEquals(error.code, "ENOACTOR");
  });

  promise("a region in a message is the same memory", async ({ subject }) => {
    const actor = await subject;
    using memory = memoryName();
    using region = Region.create(memory.name, Hits);
    region.fields.hits.store(40n);
    assertEquals(await actor.hit({ region }), 40n);
    assertEquals(await actor.hit({ region }), 41n);
    assertEquals(region.fields.hits.load(), 42n);
  });

  promise("a region that is not there, or another, is refused", async (stage) => {
    const actor = await stage.subject;
    using memory = memoryName();
    const gone = Region.create(memory.name, Hits);
    Region.unlink(memory.name);
    const absent = await errorOf(actor.hit({ region: gone }));
    assert(absent instanceof TypeError && absent.message.includes("ENOENT"), `${absent}`);
    using _other = Region.create(memory.name, struct("other", { a: u64, b: u64 }));
    const other = await errorOf(actor.hit({ region: gone }));
    assert(other instanceof TypeError, `${other}`);
    gone.close();
  });

  promise("init values are what the codec makes of them", async ({ other }) => {
    assertEquals(await (await other).init(), OTHER_INIT);
  });
}
