/** An actor that says where its module came from. */

import { actor, msg, protocol, type StandardSchema } from "../../src/actor/mod.ts";

const text: StandardSchema<string, string> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: String(value) }) },
};

const Greeter = protocol("test.greeter", { greet: msg(text).reply(text) });

export default actor(import.meta, Greeter, () => ({
  greet: (name) => `hello ${name} from ${new URL(import.meta.url).protocol}`,
}));
