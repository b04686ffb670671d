/**
 * A run of the torture: senders, a receiver and its supervisor, killed at random instants.
 *
 * What must hold with slots: each message that a sender was told is in the mailbox is handled at
 * least once, as long as the mailbox lives; it comes again only where a kill fell between its effect
 * and its acknowledgement; each class in its order; whole. With the receiver's supervisor its mailbox
 * ends: what waited there must be in the dead letters. The system itself is never killed: with it all
 * of its queues are gone.
 */

import process from "node:process";
import { ActorError, type Ref, type System, system } from "../../../src/actor/mod.ts";
import { decodeFrame } from "../../../src/actor/wire/frame.ts";
import { KIND } from "../../../src/actor/wire/frame_layout.ts";
import { Region } from "../../../src/region/mod.ts";
import { systemName } from "../../support/actors.ts";
import { memoryName } from "../../support/names.ts";
import { Random } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { Ledger, MAX_SEQUENCE, type Role, ROLES, type Sums } from "./ledger.ts";
import { Effects, type Places } from "./receiver.ts";
import sender from "./sender.ts";
import supervisorActor, { KILLED_OFTEN, type Supervising, type Supervisor } from "./supervisor.ts";

/** What a run is. */
export interface RunOptions {
  readonly delivery: Supervising["delivery"];
  readonly carrier: Supervising["carrier"];
  /** How many processes are killed. */
  readonly kills: number;
  readonly seed: number;
  /** Is told now and then how far it is. */
  readonly progress?: ((line: string) => void) | undefined;
}

/** What came of it. */
export interface RunResult extends Sums {
  readonly delivery: Supervising["delivery"];
  readonly carrier: Supervising["carrier"];
  readonly kills: Readonly<Record<Role, number>>;
  /** How many messages had their effect by once(). */
  readonly effects: number;
  /** How many dead letters there were, by their reasons. */
  readonly letters: Readonly<Record<string, number>>;
  /** What was waited for in vain; undefined where everybody went on. */
  readonly hang: string | undefined;
  readonly seed: number;
}

/** Of ten kills so many, by role. */
const VICTIMS: readonly Role[] = [
  ...["receiver", "receiver", "receiver", "receiver", "receiver"] as const,
  ...["sender 1", "sender 1", "sender 2", "sender 2"] as const,
  "supervisor",
];

/** So many kills, and it is said how far it is. */
const PROGRESS_KILLS = 100;

/** A lane of a ring gives 64 records at most, then the others have their turn. */
const MORE_THAN_A_TURN = 100;

/** Says what is wrong with a run with slots; empty when nothing is. */
export function complaints({ kills, ...found }: RunResult): string[] {
  const wrong = (["lost", "torn", "reordered", "unexplained"] as const)
    .filter((what) => found[what] > 0).map((what) => `${found[what]} ${what}`);
  if (found.hang !== undefined) wrong.push(found.hang);
  if (found.duplicates > kills.receiver) {
    wrong.push(`${found.duplicates} duplicates by ${kills.receiver} kills of the receiver`);
  }
  // One whose receiver dies with its supervisor may have its effect, and be a dead letter.
  const extra = found.effects - found.handled;
  if (extra < 0 || extra > kills.supervisor) {
    wrong.push(`${found.effects} effects of ${found.handled} messages`);
  }
  return wrong;
}

/** Runs it. Leaves nothing behind, also when it throws. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { delivery, carrier, kills, seed, progress } = options;
  using ledgerObject = memoryName(), effectsObject = memoryName();
  const lives = kills + ROLES.length;
  using ledger = Ledger.create(ledgerObject.name, lives);
  using region = Region.create(effectsObject.name, Effects);
  const places: Places = { ledger: ledgerObject.name, lives, effects: effectsObject.name };
  await using all = await system(systemName(), {
    log: { level: "error" },
    deadLetters: { maxCount: 1_000_000, maxBytes: 2 ** 30 },
  });
  const killed = { "sender 1": 0, "sender 2": 0, receiver: 0, supervisor: 0 };
  const supervisor = await all.spawn(supervisorActor, {
    in: "process",
    init: { ...places, delivery, carrier },
    restart: KILLED_OFTEN,
    stdio: "ignore", // it would tell of each death
  });
  for (const role of ["sender 1", "sender 2"] as const) {
    const init = { ...places, role, seed: seed + ROLES.indexOf(role), supervisor };
    const options = { in: "process", init, restart: KILLED_OFTEN, stdio: "inherit" } as const;
    await all.spawn(sender, options);
  }
  const random = new Random(seed), letters: Record<string, number> = {};
  let hang: string | undefined;
  try {
    for (let count = 0, told = 0; count < kills;) {
      const victims = new Set(
        Array.from({ length: 1 + random.below(4) }, () => random.pick(VICTIMS)),
      );
      for (const role of await killAll([...victims].slice(0, kills - count), ledger, random)) {
        killed[role]++;
        count++;
      }
      noteLetters(all, ledger, letters);
      if (count - told < PROGRESS_KILLS) continue;
      told = count;
      progress?.(`${count} kills, ${ledger.times} handled`);
    }
    await finish(ledger, supervisor);
  } catch (error) {
    hang = String(error);
  }
  noteLetters(all, ledger, letters);
  const effects = region.fields.done.read().count;
  return { delivery, carrier, kills: killed, ...ledger.sums(), effects, letters, hang, seed };
}

/** Kills those who play some roles, at some instant of what they do. @returns Who was killed. */
async function killAll(roles: readonly Role[], ledger: Ledger, random: Random): Promise<Role[]> {
  for (const role of roles) await until(`there is a ${role}`, () => ledger.pidOf(role) !== 0);
  if (random.oneIn(2)) {
    const times = ledger.times + random.below(60);
    await until("messages are handled", () => ledger.times >= times);
  }
  await new Promise((resolve) => setTimeout(resolve, random.below(6)));
  return roles.filter((role) => {
    const pid = ledger.pidOf(role);
    ledger.ended(role);
    if (role === "supervisor") ledger.ended("receiver"); // the kernel sees to it
    return pid !== 0 && isKilled(pid);
  });
}

/** False when it has gone by itself: a receiver with its supervisor. */
function isKilled(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Takes the dead letters, and writes down which messages of a mailbox that ended they are. */
function noteLetters(
  { deadLetters }: System,
  ledger: Ledger,
  letters: Record<string, number>,
): void {
  for (const { id, bytes, reason } of deadLetters.list()) {
    deadLetters.take(id);
    letters[reason] = (letters[reason] ?? 0) + 1;
    if (bytes === undefined || reason !== "stopped") continue;
    const frame = decodeFrame(bytes, bytes.byteLength);
    if ("problem" in frame || frame.kind !== KIND.TELL) continue;
    const life = ledger.lifeOf(frame);
    if (life !== -1 && frame.sequence < MAX_SEQUENCE) ledger.dead(life, frame.sequence);
  }
}

/** Lets all that was sent be handled. */
async function finish(ledger: Ledger, supervisor: Ref<typeof Supervisor>): Promise<void> {
  ledger.stop();
  await until("nobody sends", () => ledger.isIdle("sender 1") && ledger.isIdle("sender 2"));
  await until("all is handled", async () => {
    try {
      const { receiver } = await supervisor.meet();
      await receiver.flush();
      // By a ring it overtakes what others sent, but for longer than its lane has its turn.
      const { times } = ledger;
      for (let i = 0; i < MORE_THAN_A_TURN; i++) await receiver.flush();
      return ledger.times === times;
    } catch (error) {
      // Whom it asked had been killed, and the question with it.
      if (error instanceof ActorError) return false;
      throw error;
    }
  });
}
