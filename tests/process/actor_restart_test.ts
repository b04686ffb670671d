/**
 * What one incarnation of an actor or its endpoint leaves to the next: its messages, and nothing of
 * what was for itself.
 */

import { launchProcess } from "../../src/actor/launch/launch.ts";
import type { SpawnOptions } from "../../src/actor/mod.ts";
import { LaunchedMember } from "../../src/actor/runtime/launched_member.ts";
import { inboxName } from "../../src/actor/runtime/names.ts";
import { makeQueue } from "../../src/actor/runtime/places.ts";
import { addressOf } from "../../src/actor/protocol/ref.ts";
import { endpointOf } from "../../src/actor/runtime/system.ts";
import mortalActor, { type Birth, type Life, Mortal } from "../actor/actors/mortal.ts";
import relayActor from "../actor/actors/relay.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import { Downs, ofTheLiving, quietSystem } from "../support/actors.ts";
import { within } from "../support/until.ts";

const NOTES = Array.from({ length: 10 }, (_, index) => `${index}`);

for (const place of ["here", "worker", "process"] as const) {
  test(`what waits for an actor in: "${place}" is kept when a restart of it fails`, async () => {
    await using shop = await quietSystem();
    const options = {
      in: place,
      init: { setup: "throw", fromIncarnation: 2, untilIncarnation: 2 },
      restart: { keep: "permanent", backoffMs: [20, 20] },
    } as SpawnOptions<Birth>;
    const mortal = await shop.spawn(mortalActor, options);
    const downs = new Downs(shop, mortal);
    await mortal.die("throw");
    await downs.first(1);
    for (const note of NOTES) await mortal.note(note);
    const { incarnation, notes } = await within("the third", ofTheLiving(() => mortal.life()));
    assertEquals({ incarnation, notes }, { incarnation: 3, notes: NOTES });
    assertEquals(downs.told, [[1, "threw", true], [2, "threw", true]]);
    assertEquals(shop.deadLetters.list().map(({ reason }) => reason), ["handler-threw"]);
  });
}

test("an actor that a process has spawned crashes alone", async () => {
  await using shop = await quietSystem();
  const relay = await shop.spawn(relayActor, { in: "process" });
  const inner = await relay.spawn({ in: "here" });
  const [ofRelay, ofInner] = [new Downs(shop, relay), new Downs(shop, inner)];
  await endpointOf(shop).deaths.crash(addressOf(inner), { kind: "lost", reason: "on purpose" });
  await ofInner.first(1);
  assertEquals(ofInner.told, [[1, "lost", false]]);
  assertEquals(ofRelay.told, []);
});

test("orders to a process that is killed before it begins are not for the next", async () => {
  await using shop = await quietSystem();
  const endpoint = endpointOf(shop), { directory } = endpoint;
  const id = directory.allocate(endpoint.id);
  makeQueue(directory, inboxName(shop.name, id));
  const place = { endpoint: id, actor: endpoint.nextLaunched() };
  const parts = { endpoint: id, protocol: Mortal.name, label: "mortal" };
  const address = endpoint.addressOf(place.actor, parts);
  let isFirst = true;
  const member = new LaunchedMember({
    ...{ endpoint, place, address, definition: mortalActor, init: undefined },
    ...{ keep: "permanent", capacity: 10, stopMs: 1000, options: {} },
    launch(options) {
      const launched = launchProcess(options);
      if (isFirst) launched.kill();
      isFirst = false;
      return launched;
    },
  });
  endpoint.launched.set(id, member);
  const first = member.start(1, () => {});
  await assertRejects(() => within("the first to be killed", first), Error, "killed by SIGKILL");
  await within("the second", member.start(2, () => {}));
  const mortal = endpoint.refs.make(Mortal, address);
  for (const note of NOTES) await mortal.note(note);
  const { incarnation, notes } = await within("its notes", mortal.life() as Promise<Life>);
  assertEquals({ incarnation, notes }, { incarnation: 2, notes: NOTES });
  await member.leave();
  endpoint.launched.delete(id);
});
