/**
 * What `deno pack` leaves out of the declarations, so that they compile in anybody's project.
 *
 * ```text
 * [Symbol.dispose](): void    it drops members whose name is computed (denoland/deno#36567)
 * /// <reference lib="…" />   Disposable is in none of TypeScript's default libraries but ESNext's
 * ```
 *
 * Rule: what cannot be put back ends the build.
 */

/** A class: its name, and what is between its braces in the indentation of deno fmt. */
const CLASS = /^export class (\w+)[^{]*\{\n([^]*?)^\}/gm;

/** The beginning of a member with a computed name. */
const COMPUTED = /^ {2}(?! )[^(=]*\[Symbol\./gm;

/** All of it: its comment, and its signature, which is in one line. */
const MEMBER =
  /^( {2}\/\*\*(?:(?!\*\/)[^])*\*\/\n)? {2}(?:async )?\*?(\[Symbol\.\w+\]\(.*\): .*) \{$/gm;

/** Completes the declarations of one file. */
export function completedTypes(declarations: string, source: string): string {
  let completed = declarations;
  for (const [, name, body] of source.matchAll(CLASS)) {
    const start = completed.search(new RegExp(`export declare class ${name}\\b`));
    if (start === -1) continue; // not public
    const members = [...body!.matchAll(MEMBER)].map(([, comment = "", signature]) =>
      `${comment}  ${signature};\n`
    );
    const expected = body!.match(COMPUTED)?.length ?? 0;
    if (members.length !== expected) {
      throw new Error(
        `Cannot declare the members of ${name} with a computed name: ${members.length} were ` +
          `understood, expected ${expected}`,
      );
    }
    const end = completed.indexOf("\n}", start) + 1;
    completed = completed.slice(0, end) + members.join("") + completed.slice(end);
  }
  // Whoever compiles for ES2022 and has no @types/node would not have Disposable.
  return /\b(?:Async)?Disposable\b/.test(completed)
    ? `/// <reference lib="esnext.disposable" />\n${completed}`
    : completed;
}
