/**
 * Keeps a group of actors running: restarts them as its strategy says, and gives up when that does
 * not help.
 *
 * Rule: one thing happens after the other. Whatever comes while a member is started or stopped (a
 * death, a second one, a wish to stop) waits for its turn, and is judged by what is the case then.
 */

import { ActorError, type Exit } from "../errors.ts";
import type { Clock } from "../flow/clock.ts";
import { call } from "../flow/listeners.ts";
import { Intensity } from "./intensity.ts";
import { Member, type MemberOptions, type Started } from "./member.ts";
import { isKept, type RestartPolicy } from "./restart_policy.ts";
import { restartedWith, type Strategy } from "./strategy.ts";
import type { Down, Supervised } from "./supervised.ts";

/** How a group is supervised. */
export interface SupervisorOptions extends Omit<RestartPolicy, "keep"> {
  /** Who is restarted together. */
  readonly strategy: Strategy;
  /** How long each member may take to stop, in milliseconds, before it is killed. */
  readonly stopTimeoutMs: number;
  readonly clock: Clock;
  /** Is told of each end of an incarnation, as soon as it is judged. */
  readonly onDown: (down: Down) => void;
  /** Is told when there were too many restarts, after all members were stopped. */
  readonly onGaveUp: (exit: Exit) => void;
}

type FailedStart = Extract<Started, { kind: "failed" }>;

/** Members that are to be started when their backoff is over. */
interface Restart {
  readonly members: Member[];
  cancel(): void;
}

/**
 * A supervisor of a group, as in OTP: https://www.erlang.org/doc/system/sup_princ.html
 *
 * Two things differ. Before a restart it waits, and meanwhile others of the group may end and be
 * restarted too. And a member that ended for good has left the group: OTP would start a transient
 * one again together with the others.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #intensity: Intensity;
  /** In the order in which they start. */
  readonly #members: readonly Member[];
  readonly #restarts = new Set<Restart>();
  /** The end of what happens now, and of what waits for its turn. */
  #last: Promise<void> = Promise.resolve();
  /** From then on nothing is started. */
  #isEnding = false;
  readonly #ended: Promise<void>;
  #end!: () => void;

  /** @param supervised In the order in which they start. */
  constructor(supervised: readonly Supervised[], options: SupervisorOptions) {
    const { clock, backoffMs, withinMs } = options;
    this.#options = options;
    this.#intensity = new Intensity(options);
    this.#ended = new Promise((resolve) => this.#end = resolve);
    const onEnded = (member: Member) => void this.#inTurn(() => this.#died(member));
    const memberOptions: MemberOptions = { clock, backoffMs, withinMs, onEnded };
    this.#members = supervised.map((one) => new Member(one, memberOptions));
  }

  /**
   * Starts all, in their order; to be called once.
   *
   * @returns Rejects when one could not be started, with the error of its start. Those before it were
   * stopped then, and nothing is restarted.
   * @throws {ActorError} `ESTART` if it was stopped meanwhile.
   */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      for (const member of this.#members) {
        const failed = this.#isEnding ? undefined : await this.#bringUp(member);
        if (failed !== undefined) this.#tell(member, failed.exit, false);
        if (this.#isEnding) throw stoppedAtStart(member);
        if (failed === undefined) continue;
        this.#isEnding = true;
        await this.#stopAll({ kind: "stopped" }, this.#options.stopTimeoutMs);
        throw failed.error;
      }
    });
  }

  /**
   * Stops all, in the reverse of their order. A start or a backoff that is under way ends at once.
   *
   * @param timeoutMs How long each may take, before it is killed.
   */
  stop(timeoutMs: number = this.#options.stopTimeoutMs): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      for (const member of this.#members) member.interrupt();
      void this.#inTurn(() => this.#stopAll({ kind: "stopped" }, timeoutMs));
    }
    return this.#ended;
  }

  /** Stops one member for good; the others go on. Does nothing for one that has left. */
  async remove(supervised: Supervised): Promise<void> {
    const member = this.#members.find((one) => one.supervised === supervised);
    if (member === undefined) return;
    member.isLeaving = true;
    member.interrupt();
    await this.#inTurn(async () => {
      await this.#stopForGood(member, { kind: "stopped" }, this.#options.stopTimeoutMs);
      for (const restart of this.#restarts) {
        if (restart.members.every(({ isLeaving }) => isLeaving)) this.#cancel(restart);
      }
    });
  }

  /** Does something when all that came before is done. */
  #inTurn(happening: () => Promise<void>): Promise<void> {
    const done = this.#last.then(happening);
    this.#last = done.catch(() => {}); // who waits for it is told
    return done;
  }

  async #died(member: Member): Promise<void> {
    const exit = member.reap();
    if (exit !== undefined) await this.#judge(member, exit);
  }

  /**
   * An incarnation ended by itself, or did not start.
   *
   * @returns Whether it, and who goes with it, is restarted.
   */
  async #judge(member: Member, exit: Exit): Promise<boolean> {
    const isWanted = !this.#isEnding && !member.isLeaving;
    const isRestarted = isWanted && isKept(member.supervised.keep, exit);
    if (isRestarted) await this.#restart(member, exit);
    else this.#tell(member, exit, false);
    return isRestarted;
  }

  /** Stops who is restarted together with a member that ended, and starts them after a backoff. */
  async #restart(member: Member, exit: Exit): Promise<void> {
    const { clock, strategy, stopTimeoutMs } = this.#options;
    if (!this.#intensity.allow(clock.monotonic())) return await this.#giveUp(member, exit);
    const backoffMs = member.backoffMs();
    this.#tell(member, exit, true);

    const group = restartedWith(strategy, this.#members, member);
    for (const other of [...group].reverse()) {
      if (!other.isUp) continue;
      const { keep } = other.supervised, ended = other.reap();
      const otherExit = ended ?? await other.stop(stopTimeoutMs);
      // Looked at only now: a wish to stop may have come meanwhile.
      const isWanted = !this.#isEnding && !other.isLeaving;
      const isKeptToo = ended === undefined ? keep !== "temporary" : isKept(keep, ended);
      this.#tell(other, otherExit, isWanted && isKeptToo);
    }
    if (this.#isEnding) return;
    // Restarts that were due in the group are part of this one.
    for (const restart of this.#restarts) {
      if (restart.members.some((one) => group.includes(one))) this.#cancel(restart);
    }
    this.#startLater(group.filter((one) => one.isAwaited), backoffMs);
  }

  #startLater(members: Member[], backoffMs: number): void {
    const due = () =>
      void this.#inTurn(async () => {
        // Unless it became part of another, or none, while it waited for its turn.
        if (this.#restarts.delete(restart)) await this.#startAgain(members);
      });
    // What is only to be restarted keeps no process from ending.
    const cancel = this.#options.clock.after(backoffMs, due, { background: true });
    const restart: Restart = { members, cancel };
    this.#restarts.add(restart);
  }

  async #startAgain(members: readonly Member[]): Promise<void> {
    for (const member of members) {
      if (this.#isEnding) return;
      const failed = await this.#bringUp(member);
      // When it is restarted, those behind it are with it.
      if (failed !== undefined && await this.#judge(member, failed.exit)) return;
    }
  }

  /** Starts a member. @returns How that failed, if it did. */
  async #bringUp(member: Member): Promise<FailedStart | undefined> {
    if (member.isLeaving) return undefined;
    member.isAwaited = false;
    const started = await member.start();
    return started.kind === "failed" ? started : undefined;
  }

  async #giveUp(member: Member, last: Exit): Promise<void> {
    const { max: restarts, withinMs } = this.#intensity;
    const exit: Exit = { kind: "gave-up", restarts, withinMs, last };
    this.#isEnding = true;
    this.#tell(member, exit, false);
    await this.#stopAll(exit, this.#options.stopTimeoutMs);
  }

  /** @param exit How the group ends, and those of it that wait for their restart. */
  async #stopAll(exit: Exit, timeoutMs: number): Promise<void> {
    for (const restart of this.#restarts) this.#cancel(restart);
    for (const member of [...this.#members].reverse()) {
      await this.#stopForGood(member, exit, timeoutMs);
    }
    if (exit.kind === "gave-up") call(this.#options.onGaveUp, exit);
    this.#end();
  }

  async #stopForGood(member: Member, exit: Exit, timeoutMs: number): Promise<void> {
    if (member.isUp) this.#tell(member, await member.stop(timeoutMs), false);
    else if (member.isAwaited) this.#tell(member, exit, false);
  }

  /** Tells that an incarnation ended. */
  #tell(member: Member, exit: Exit, restarting: boolean): void {
    const { supervised, incarnation } = member;
    member.isAwaited = restarting;
    call(this.#options.onDown, {
      member: supervised,
      label: supervised.label,
      incarnation,
      exit,
      restarting,
    });
  }

  #cancel(restart: Restart): void {
    restart.cancel();
    this.#restarts.delete(restart);
  }
}

function stoppedAtStart({ supervised: { label } }: Member): ActorError {
  return new ActorError({
    action: "start",
    actor: label,
    code: "ESTART",
    exit: { kind: "stopped" },
  });
}
