/** A registration of mq_notify(3) that calls a function: in this thread, by its event loop. */

import { close, mqNotify, mqNotifyBySocket, mqNotifySocket, readNotification } from "../sys/mod.ts";
import { Waiters } from "../wait/mod.ts";

/**
 * Asks for one call when a message arrives in the empty queue.
 *
 * @param ask Registers with the kernel, by a hint for its refusal.
 * @returns What takes it back. Twice, or after the call: nothing happens.
 */
export function notifyByCallback(
  mqd: number,
  name: string,
  callback: () => void,
  hint: (code: string) => string | undefined,
): () => void {
  const socket = mqNotifySocket(name);
  const waiters = new Waiters(socket, name, false);
  const ended = new AbortController();
  let open = true;
  const release = () => {
    if (!open) return;
    open = false;
    waiters.end(new Error("not reached: the one who waited was told"));
    close(socket, name);
  };
  try {
    mqNotifyBySocket(mqd, socket, name, hint);
  } catch (error) {
    release();
    throw error;
  }
  const told = waiters.wait("readable", () => readNotification(socket, name), {
    signal: ended.signal,
  });
  told.then((what) => {
    release();
    if (what === "message") callback();
  }, (reason) => {
    release();
    if (reason !== ended.signal.reason) throw reason;
  });
  return () => {
    if (!open) return;
    ended.abort();
    release();
    mqNotify(mqd, undefined, name, () => undefined);
  };
}
