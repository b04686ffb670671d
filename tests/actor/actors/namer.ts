/** An actor that says which `turn.id` what it was told had, for tests; and tells another, if asked to. */

import process from "node:process";
import { actor, type AnyRef, msg, protocol } from "../../../src/actor/mod.ts";
import { plain } from "../../support/plain.ts";

export const Namer = protocol("test.namer", {
  note: msg(),
  /** Is answered with all ids: of the notes, of the questions, and of this one. */
  ids: msg().reply(plain<string[]>()),
  /** Sends another one a note, and asks it. */
  send: msg(plain<{ to: NamerRef }>()).reply(),
  die: msg(),
});

/** What it uses of another: its own ref, whose type would be in itself. */
type NamerRef = AnyRef & { note(): Promise<void>; ids(): Promise<string[]> };

export default actor(import.meta, Namer, () => {
  const ids: string[] = [];
  return {
    note: (_, { id }) => void ids.push(id),
    ids(_, { id }) {
      ids.push(id);
      return ids;
    },
    async send({ to }) {
      await to.note();
      await to.ids();
    },
    die: () => void process.kill(process.pid, "SIGKILL"),
  };
});
