/** The names in the kernel of what an endpoint has. */

/** The queue that is an endpoint's inbox. */
export function inboxName(system: string, endpoint: number): string {
  return `/${system}.${endpoint}`;
}

/** The memory of an endpoint's ring. */
export function ringName(system: string, endpoint: number): string {
  return `/${system}.ring-${endpoint}`;
}

/** The slots of a named mailbox, by the kernel's name of its queue. */
export function slotsName(system: string, queue: string): string {
  const prefix = mailboxName(system, "");
  return `${prefix}slots-${queue.slice(prefix.length)}`;
}

/** The ring of a mailbox that has one in place of a queue, by the name of the mailbox. */
export function lanesName(system: string, mailbox: string): string {
  const prefix = mailboxName(system, "");
  return `${prefix}lanes-${mailbox.slice(prefix.length)}`;
}

/** The mailbox of a ring by the part of its name that is its own; undefined for another name. */
export function mailboxOfLanes(system: string, short: string): string | undefined {
  return short.startsWith("lanes-") ? mailboxName(system, short.slice("lanes-".length)) : undefined;
}

/** The queue of a named mailbox. */
export function mailboxName(system: string, mailbox: string): string {
  return `/${system}.${mailbox}`;
}
