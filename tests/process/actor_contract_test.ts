/** The contract of actors in workers and in processes, on each carrier. */

import { actorContract } from "../contract/actor_contract.ts";

await actorContract({ name: "worker", in: "worker" });
await actorContract({ name: "process", in: "process" });
await actorContract({ name: "process by ring", in: "process", carrier: "ring" });
await actorContract({ name: "mailbox, worker", in: "worker", hasMailbox: true });
await actorContract({ name: "mailbox, process", in: "process", hasMailbox: true });
