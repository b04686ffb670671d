/** Why a child cannot run an actor's module. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { launchFacts, whyNotLaunchable } from "../../src/actor/launch/launch.ts";

const MAIN = "file:///app/main.ts";

/** What a part of the answer is. */
const ANSWERS: Readonly<Record<string, string>> = {
  [MAIN]: "the main program",
  "file:///app/$deno$eval.mts": "a text",
  "file:///app/$deno$stdin.mts": "a text",
  "file:///app/[eval1]": "a text",
  "file:///app/%5Bstdin%5D": "a text",
  "blob:null/7e2b": "a blob",
};

for (const [moduleUrl, answer] of Object.entries(ANSWERS)) {
  test(`whyNotLaunchable() of ${moduleUrl} says: ${answer}`, () => {
    const why = whyNotLaunchable(moduleUrl, { mainUrl: MAIN, refusal: undefined });
    assertStringIncludes(why!, answer);
    assertStringIncludes(why!, ", expected ");
  });
}

test("whyNotLaunchable() is undefined for a module of its own", () => {
  const facts = { mainUrl: MAIN, refusal: undefined };
  for (
    const moduleUrl of [
      "file:///app/actor.ts",
      "file:///app/%E0%A4%A",
      "https://example.com/actor.ts",
      "data:text/javascript,export default 1",
    ]
  ) assertEquals(whyNotLaunchable(moduleUrl, facts), undefined, moduleUrl);
});

test("whyNotLaunchable() says what the runtime says, when nothing is wrong with the module", () => {
  const facts = { mainUrl: MAIN, refusal: "it is compiled" };
  assertEquals(whyNotLaunchable("file:///app/actor.ts", facts), "it is compiled");
  assertStringIncludes(whyNotLaunchable(MAIN, facts)!, "the main program");
});

test("launchFacts() finds nothing against a process here", () => {
  assertEquals(launchFacts("process", "file:///app/actor.ts").refusal, undefined);
});
