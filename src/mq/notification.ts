/** A registration of mq_notify(3) that calls a function: in this thread, by its event loop. */

import { close, mqNotifyBySocket, mqNotifySocket, readNotification } from "../sys/mod.ts";
import { nextTurn, Waiters } from "../wait/mod.ts";

/** A call that was asked for. */
export interface Notification {
  /** Whether the function was called, or never will be. */
  readonly isDone: boolean;
  /**
   * Sees to it that the function is not called any more.
   *
   * @returns Whether the kernel was still asked for it, as far as is known here.
   */
  end(): boolean;
}

/** What ends the wait for a call that nobody wants any more. */
const ENDED = new Error("nobody wants to be called any more");

/**
 * Asks for one call when a message arrives in the empty queue.
 *
 * @param hint For the kernel's refusal.
 */
export function notifyByCallback(
  mqd: number,
  name: string,
  callback: () => void,
  hint: (code: string) => string | undefined,
): Notification {
  const socket = mqNotifySocket(name);
  const waiters = new Waiters(socket, name, false);
  let isAsked = true, isDone = false;
  let stopTurn: (() => void) | undefined;
  const stopAsking = () => {
    const was = isAsked;
    isAsked = false;
    if (!was) return false;
    waiters.end(ENDED);
    close(socket, name);
    return true;
  };
  const end = () => {
    stopTurn?.();
    isDone = true;
    return stopAsking();
  };
  try {
    // Before the kernel is asked: that there is an event loop to wait in may be refused, too.
    const told = waiters.take("readable", () => readNotification(socket, name));
    Promise.resolve(told).then((what) => {
      stopAsking();
      if (what !== "message") isDone = true;
      // In a turn of its own: what it throws is its own, and nobody's rejection.
      else stopTurn = nextTurn(() => (isDone = true, callback()));
    }, (reason) => {
      if (reason === ENDED) return;
      end();
      throw reason;
    });
    mqNotifyBySocket(mqd, socket, name, hint);
  } catch (error) {
    end();
    throw error;
  }
  return {
    get isDone() {
      return isDone;
    },
    end,
  };
}
