/**
 * What C has to be told of a schema: its structs and records, each under a name of its own.
 *
 * Names begin with that of the outermost struct, so that headers of several schemas can be
 * included together:
 *
 * ```text
 * struct("stats", { … })                 struct stats
 *   a field of struct("point", …)        struct stats_point
 *   last: record({ … })                  struct stats_last, struct stats_last_record, stats_last_read() …
 *   home: record(struct("point", …))     struct stats_point, struct stats_point_record, …
 * ```
 */

import { schemaText } from "./schema_text.ts";
import type { Struct } from "./struct.ts";
import { type FieldType, peeled } from "./types.ts";

/** Names that begin like this are the header's own. */
const OWN_NAME = /^postbox(?:_|$)/;

/** A struct to declare, or that struct as a record. */
export interface Declaration {
  readonly form: "struct" | "record";
  readonly struct: Struct;
  /** The struct's name in C; those of a record begin with it. */
  readonly cName: string;
}

/** What C calls a record, behind the name of its struct, and the functions on it. */
export const RECORD_SUFFIXES = {
  struct: "_record",
  read: "_read",
  begin: "_update_begin",
  commit: "_update_commit",
  abort: "_update_abort",
} as const;

/**
 * What to declare, each after what it is made of, and each once.
 *
 * @throws {TypeError} If a name is Postbox's own, or if two things that differ would have one.
 */
export function declarationsOf(root: Struct): Declarations {
  if (OWN_NAME.test(root.name)) {
    throw new TypeError(
      `Cannot use struct name ${JSON.stringify(root.name)}: C names that begin with postbox are ` +
        `Postbox's own`,
    );
  }
  return new Declarations(root);
}

/** The declarations of a schema, and how fields name them. */
export class Declarations {
  /** In the order in which C wants them. */
  readonly list: Declaration[] = [];
  readonly #root: Struct;
  /** What each C name stands for. */
  readonly #taken = new Map<string, string>();

  constructor(root: Struct) {
    this.#root = root;
    this.#addStruct(root, root.name);
  }

  /** The C name of a struct: of a field, or that of a record without a name of its own. */
  cNameOf(struct: Struct, ownerCName: string, fieldName: string): string {
    if (struct.name === "") return `${ownerCName}_${fieldName}`;
    return `${this.#root.name}_${struct.name}`;
  }

  #addStruct(struct: Struct, cName: string): void {
    for (const { name, type } of Object.values(struct.fields)) this.#addType(type, cName, name);
    if (this.#take(cName, struct, "struct")) this.list.push({ form: "struct", struct, cName });
  }

  #addType(type: FieldType, ownerCName: string, fieldName: string): void {
    const { element } = peeled(type);
    if (element.kind !== "struct" && element.kind !== "record") return;
    const struct = element.kind === "struct" ? element : element.content;
    const cName = this.cNameOf(struct, ownerCName, fieldName);
    this.#addStruct(struct, cName);
    if (element.kind === "struct") return;
    const isNew = Object.values(RECORD_SUFFIXES).map((suffix) =>
      this.#take(cName + suffix, struct, "record")
    );
    if (isNew[0]) this.list.push({ form: "record", struct, cName });
  }

  /** Whether the name is new; false when it stands for the same already. */
  #take(cName: string, struct: Struct, form: "struct" | "record"): boolean {
    const meaning = `${form}\n${schemaText(struct)}`;
    const found = this.#taken.get(cName);
    if (found === meaning) return false;
    if (found !== undefined) {
      throw new TypeError(
        `Cannot make struct ${JSON.stringify(this.#root.name)}: two different things in it ` +
          `would be ${JSON.stringify(cName)} in C, expected a name for each`,
      );
    }
    this.#taken.set(cName, meaning);
    return true;
  }
}
