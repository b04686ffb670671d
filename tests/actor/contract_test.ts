/** The contract of actors in this isolate, where FFI alone is needed. */

import { actorContract } from "../contract/actor_contract.ts";

await actorContract({ name: "here", in: "here" });
await actorContract({ name: "mailbox, here", in: "here", hasMailbox: true });
