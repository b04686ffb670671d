/**
 * Which flags another process of Deno is given, so that it may do what this one may and no more,
 * and finds the same modules.
 *
 * Rule: fails closed. What a permission covers is read from the command line, whether it still holds
 * is asked of Deno, and what cannot be expressed as a flag is not given.
 */

/** The kinds of permission, each with its short flag and the key of a query for one value. */
const KINDS = {
  read: ["R", "path"],
  write: ["W", "path"],
  net: ["N", "host"],
  env: ["E", "variable"],
  sys: ["S", "kind"],
  run: ["", "command"],
  ffi: ["", "path"],
  import: ["I", "host"],
} as const;

type Kind = keyof typeof KINDS;

const PATHS: readonly Kind[] = ["read", "write", "run", "ffi"];

/** A question about a permission, as `Deno.permissions.querySync()` takes it. */
export type PermissionQuestion = { readonly name: string } & Readonly<Record<string, string>>;

/** What Deno says of it; partial when a part of what is granted is denied. */
export interface PermissionAnswer {
  readonly state: "granted" | "prompt" | "denied";
  readonly partial?: boolean;
}

/** What the flags are made of. */
export interface DenoFacts {
  /** The words that this process was started with, without the program and its own arguments. */
  readonly words: readonly string[];
  /** Deno's answer; throws for what is no question to it. */
  query(question: PermissionQuestion): PermissionAnswer;
  /** The module that this process was started with. */
  readonly mainUrl: string;
  /** Whether there is a file. */
  isFile(path: string): boolean;
}

/** Flags without which other modules would be found, or the same behave in another way. */
const PASSED_ON =
  /^--(no-config|no-remote|no-npm|cached-only|node-modules-dir|node-modules-linker|vendor|no-lock|frozen|unsafely-ignore-certificate-errors|use-env-proxy|no-use-env-proxy|unstable(-[\w-]+)?)(=|$)/;

/** Those with a value, in the same word or the next. */
const PASSED_ON_WITH_VALUE =
  /^(--config|-c|--import-map|--cert|--location|--conditions|--lock)(=|$)/;

/** The flags; `v8Flags` are for V8 beside those of this process. */
export function denoFlags(facts: DenoFacts, v8Flags: readonly string[]): string[] {
  return [
    "--no-prompt",
    "--quiet",
    ...permissionFlags(facts),
    ...moduleFlags(facts),
    ...engineFlags(facts.words, v8Flags),
  ];
}

function permissionFlags(facts: DenoFacts): string[] {
  const kinds = Object.keys(KINDS) as Kind[];
  const wholes = kinds.map((name) => facts.query({ name }));
  const isAll = facts.words.some((word) => word === "--allow-all" || /^-[A-Za-z]*A/.test(word));
  if (isAll && wholes.every(({ state, partial }) => state === "granted" && !partial)) {
    return ["--allow-all"]; // a little more than each of them: /proc and /dev
  }
  return kinds.flatMap((kind, index) => flagsOf(kind, wholes[index]!, facts));
}

function flagsOf(kind: Kind, whole: PermissionAnswer, { words, query }: DenoFacts): string[] {
  const denials = words.filter((word) =>
    word.startsWith(`--deny-${kind}`) || word.startsWith(`--ignore-${kind}`)
  );
  const ask = (value: string): PermissionAnswer => {
    try {
      return query({ name: kind, [KINDS[kind][1]]: value });
    } catch {
      return { state: "prompt" }; // a value that only flags can have: it is not given
    }
  };
  for (const value of denials.flatMap(valuesIn)) {
    if (!PATHS.includes(kind) || value.startsWith("/") || ask(value).state === "denied") continue;
    throw new Error(
      `what ${JSON.stringify(value)} in ${denials.join(" ")} means is not known any more, since ` +
        "the working directory was changed, expected an absolute path",
    );
  }
  // What is denied by something else than a flag, nobody can pass on.
  const holds = ({ state, partial }: PermissionAnswer) =>
    state === "granted" && (!partial || denials.length > 0);
  if (holds(whole)) return [`--allow-${kind}`, ...denials];
  const values = words.flatMap((word) => isAllowing(word, kind) ? valuesIn(word) : [])
    .filter((value) => holds(ask(kind === "net" ? value.split("/")[0]! : value)));
  return values.length === 0 ? denials : [`--allow-${kind}=${joined(values)}`, ...denials];
}

/** `--allow-read=…`, and `-R=…` also behind other letters. */
function isAllowing(word: string, kind: Kind): boolean {
  if (word.startsWith(`--allow-${kind}=`)) return true;
  const [short] = KINDS[kind];
  return short !== "" && /^-[A-Za-z]+=/.test(word) && word[word.indexOf("=") - 1] === short;
}

/** What stands behind `=`: separated by commas, of which two are one in a value. */
function valuesIn(word: string): string[] {
  const at = word.indexOf("=");
  if (at === -1) return [];
  return word.slice(at + 1).split(/(?<!,),(?!,)/).map((value) => value.replaceAll(",,", ","));
}

function joined(values: readonly string[]): string {
  return values.map((value) => value.replaceAll(",", ",,")).join(",");
}

function moduleFlags(facts: DenoFacts): string[] {
  const passed: string[] = [];
  for (let index = 0; index < facts.words.length; index++) {
    const word = facts.words[index]!, next = facts.words[index + 1];
    if (PASSED_ON.test(word)) passed.push(word);
    else if (PASSED_ON_WITH_VALUE.test(word)) {
      passed.push(word);
      if (!word.includes("=") && next !== undefined && !next.startsWith("-")) {
        passed.push(next);
        index++;
      }
    }
  }
  const isTold = passed.some((word) => /^(--config|-c|--no-config)(=|$)/.test(word));
  return isTold ? passed : [...passed, ...foundConfig(facts)];
}

/**
 * The configuration file that Deno found by itself: beside the main module or above it. The child's
 * main module lies elsewhere, so it is told.
 */
function foundConfig({ mainUrl, isFile }: DenoFacts): string[] {
  if (!mainUrl.startsWith("file:")) return []; // looked for in the working directory, there too
  let folder = decodeURIComponent(new URL(mainUrl).pathname);
  while (folder !== "") {
    folder = folder.slice(0, folder.lastIndexOf("/"));
    for (const name of ["deno.json", "deno.jsonc"]) {
      if (isFile(`${folder}/${name}`)) return ["--config", `${folder}/${name}`];
    }
    // Deno looks for that one by itself, and cannot be told.
    if (isFile(`${folder}/package.json`)) return [];
  }
  return ["--no-config"];
}

/** One flag for all: Deno takes it once. */
function engineFlags(words: readonly string[], more: readonly string[]): string[] {
  const own = words.filter((word) => word.startsWith("--v8-flags=")).flatMap(valuesIn);
  const all = [...own, ...more];
  return all.length === 0 ? [] : [`--v8-flags=${all.join(",")}`];
}
