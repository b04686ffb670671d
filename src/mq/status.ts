/** The line that the kernel writes of a queue, as /dev/mqueue shows it. */

/**
 * The state of a queue as the kernel tells it.
 *
 * @see mq_overview(7)
 */
export interface QueueStatus {
  /** QSIZE: bytes of data in all waiting messages. */
  queuedBytes: number;
  /** NOTIFY: how NOTIFY_PID is told: 0 by signal, 1 not at all, 2 by thread. */
  notify: number;
  /** SIGNO: the signal, for a NOTIFY of 0. */
  signo: number;
  /** NOTIFY_PID: the process that asked to be told; 0 when nobody did. */
  notifyPid: number;
  /** User that owns it. */
  uid: number;
  /** Group that owns it. */
  gid: number;
  /** Permission bits. */
  mode: number;
}

/** The line alone, without what statx(2) adds. */
export type StatusLine = Omit<QueueStatus, "uid" | "gid" | "mode">;

/** Reads the line: `QSIZE:37         NOTIFY:0     SIGNO:0     NOTIFY_PID:0`. */
export function parseStatus(line: Uint8Array): StatusLine {
  const fields = new Map(
    new TextDecoder().decode(line).trim().split(/\s+/).map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), Number(field.slice(colon + 1))];
    }),
  );
  return {
    queuedBytes: fields.get("QSIZE") ?? 0,
    notify: fields.get("NOTIFY") ?? 0,
    signo: fields.get("SIGNO") ?? 0,
    notifyPid: fields.get("NOTIFY_PID") ?? 0,
  };
}
