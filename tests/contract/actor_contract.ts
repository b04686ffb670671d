/**
 * What actors promise wherever they live and whatever carries their messages, as one suite that each
 * place registers in a few lines.
 *
 * Method: a place has one system for all of its tests, and mostly one subject, for to start a process
 * takes longer than most of the tests. What a test leaves behind is nothing: it takes back what it
 * held, and reads what it noted. A test that ends an actor spawns its own.
 */

import { afterTests, test } from "../harness.ts";
import { type Place, Stage } from "../support/stage.ts";
import { within } from "../support/until.ts";
import { flowContract } from "./actor/flow.ts";
import { forgedContract } from "./actor/forged.ts";
import { lifeContract } from "./actor/life.ts";
import { loadContract } from "./actor/load.ts";
import { messageContract } from "./actor/messages.ts";
import { payloadContract } from "./actor/payloads.ts";
import { poolContract } from "./actor/pools.ts";
import { streamContract } from "./actor/streams.ts";

/** Registers a test of the suite. */
export type Case = (name: string, body: (stage: Stage) => Promise<void>) => void;

/** Registers the suite for a place. */
export async function actorContract(place: Place): Promise<void> {
  let stage: Promise<Stage> | undefined;
  const promise: Case = (name, body) => {
    test(`${place.name}: ${name}`, { shared: true }, async () => {
      const open = await (stage ??= Stage.open(place));
      try {
        await within(name, body(open));
      } catch (error) {
        await open.tidy().catch(() => {}); // the next test says so
        throw new Error(`${error}\nThe last dead letters:\n${open.lastLetters()}`, {
          cause: error,
        });
      }
    });
  };
  messageContract(place, promise);
  payloadContract(place, promise);
  streamContract(place, promise);
  flowContract(place, promise);
  lifeContract(place, promise);
  forgedContract(place, promise);
  loadContract(place, promise);
  poolContract(place, promise);
  await afterTests(async () => await (await stage)?.close());
}
