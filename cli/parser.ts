/**
 * The argument parser: what a command declares, and how a command line becomes a call of it.
 *
 * Rule: the only file that names the external parser (docs/decisions/0003-argument-parser.md). A
 * command is a declaration here and a module that is loaded when it runs.
 */

import {
  type Application,
  type ArgumentParseError,
  ArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command as StricliCommand,
  type CommandContext,
  ExitCode,
  formatMessageForArgumentScannerError,
  help,
  type RouteMap,
  run as runStricli,
  type StricliProcess,
  text_en,
  type TypedCommandParameters,
  version,
} from "npm:@stricli/core@1.3.0";

/** Values of the flags of one command; a flag that was not given is undefined or false. */
export type Flags = Readonly<Record<string, unknown>>;

/** What is no flag; an optional one that was not given is undefined. */
export type Arguments = readonly (string | undefined)[];

/** What a command does: gets its flags and arguments, gives the exit code. */
export type Body<F extends Flags, A extends Arguments> = (
  flags: F,
  ...args: A
) => number | Promise<number>;

/** A declared command. */
export type Command = StricliCommand<CommandContext>;

/** Commands under one word. */
export type Group = RouteMap<CommandContext>;

/** One argument that is no flag. */
export interface Argument {
  /** As the usage line shows it: `NAME`. */
  placeholder: string;
  /** What it is; also what the error says when it is missing. */
  brief: string;
  /** Whether it may be left out; only the last ones. */
  optional?: boolean;
}

/** What a command declares. */
export interface CommandSpec<F extends Flags, A extends Arguments> {
  /** One line for the list of commands. */
  brief: string;
  /** What a user must know, surprises first. */
  description?: string;
  /** Lines for a shell that really run, in this order, one after the other. */
  examples: readonly string[];
  /** By their camelCase names; the command line also takes the kebab-case. */
  flags?: { readonly [K in keyof F]: Flag };
  /** Single letters for flags. */
  aliases?: Readonly<Record<string, keyof F & string>>;
  /** In their order; one alone with `many` takes any number, from one unless it is optional. */
  args?: readonly Argument[];
  /** Whether the last argument may be repeated. */
  many?: boolean;
  /** Loads the module that does it. */
  load: () => Promise<{ default: Body<F, A> }>;
}

/** One declared flag; made by {@linkcode toggle}, {@linkcode option} and {@linkcode choice}. */
export type Flag =
  | { kind: "boolean"; optional: true; withNegated: false; brief: string }
  | { kind: "enum"; optional: true; values: readonly string[]; brief: string }
  | {
    kind: "parsed";
    optional: true;
    placeholder: string;
    brief: string;
    parse: (input: string) => unknown;
  };

/** A flag without a value. */
export function toggle(brief: string): Flag {
  return { kind: "boolean", optional: true, withNegated: false, brief };
}

/** A flag with a value; `parse` throws a `RangeError` that says what was expected. */
export function option(placeholder: string, brief: string, parse: (input: string) => unknown) {
  return { kind: "parsed", optional: true, placeholder, brief, parse } satisfies Flag;
}

/** A flag whose value is one of a few words. */
export function choice(values: readonly string[], brief: string): Flag {
  return { kind: "enum", optional: true, values, brief };
}

/** A use that is wrong in a way that only the command itself can see: exit code 2. */
export class UsageError extends Error {
  /** `UsageError` */
  override readonly name: string = "UsageError";
}

/** The examples of each command, for its help. */
const examplesOf = new WeakMap<object, readonly string[]>();

/** Declares a command. */
export function command<F extends Flags, A extends Arguments>(
  spec: CommandSpec<F, A>,
): Command {
  const { brief, description, args = [], many = false, aliases = {} } = spec;
  const argument = ({ placeholder, brief, optional = false }: Argument) => ({
    placeholder,
    brief,
    optional,
    parse: String,
  });
  const parameters = {
    // Without a prototype, or `--constructor` would be a flag that is found.
    flags: Object.assign(Object.create(null), spec.flags),
    aliases,
    positional: many
      ? { kind: "array", minimum: args[0]!.optional ? 0 : 1, parameter: argument(args[0]!) }
      : { kind: "tuple", parameters: args.map(argument) },
  } as TypedCommandParameters<Flags, string[], CommandContext>;
  const built = buildCommand<Flags, string[]>({
    docs: { brief, fullDescription: description ?? brief },
    parameters,
    loader: async () => {
      const { default: body } = await spec.load();
      return async function (this: CommandContext, flags, ...values) {
        (this.process as StricliProcess).exitCode = await body(
          flags as F,
          ...values as unknown as A,
        );
      };
    },
  });
  examplesOf.set(built, spec.examples);
  return built;
}

/** Puts commands under one word. */
export function group(
  brief: string,
  description: string,
  routes: Readonly<Record<string, Command | Group>>,
  examples: readonly string[],
): Group {
  const built = buildRouteMap({
    routes: Object.assign(Object.create(null), routes),
    docs: { brief, fullDescription: description },
  });
  examplesOf.set(built, examples);
  return built;
}

/** Where the parser writes, and what turns a thrown error into an exit code. */
export interface Outside {
  /** Help and version. */
  print(text: string): void | Promise<void>;
  /** What was wrong with the command line. */
  complain(text: string): void;
  /** Reports what a command has thrown; gives the exit code. */
  report(error: unknown): number | Promise<number>;
}

/** The exit code of a wrong command line. */
const WRONG_USAGE = 2;

/** How far off a word may be to be suggested: two letters left out, one wrong, one too many. */
const MISTYPED = {
  threshold: 3,
  weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 },
};

/** Runs a command line and gives the exit code. */
export async function runCommandLine(
  root: Group,
  info: { name: string; version: string },
  args: readonly string[],
  outside: Outside,
): Promise<number> {
  const { name } = info;
  const route = routeOf(root, args);
  const usage = (message: string) => {
    const words = [name, ...route.words].join(" ");
    outside.complain(`${name}: ${message}\nRun "${words} --help" to see how it is used`);
    return WRONG_USAGE;
  };

  const strange = strangeFlag(args);
  if (strange !== undefined) return usage(strange);

  const complaints: string[] = [];
  let printed = "";
  let thrown: { error: unknown } | undefined;
  const process: StricliProcess = {
    stdout: { write: (text) => void (printed += text) },
    stderr: { write: (text) => void complaints.push(text.trimEnd()) },
    exitCode: null,
  };
  const app = buildApplication(root, {
    name,
    scanner: {
      caseStyle: "allow-kebab-for-camel",
      allowArgumentEscapeSequence: true,
      distanceOptions: MISTYPED,
    },
    documentation: { disableAnsiColor: true },
    localization: { text: texts(root, name, route) },
    determineExitCode: (error) => {
      thrown = { error };
      return 1;
    },
  }, {
    help: helpFlag(),
    version: version({
      brief: "Print the version",
      alias: false,
      info: { currentVersion: info.version },
    }),
  });

  await runStricli(app, args, { process });
  if (thrown !== undefined) {
    if (thrown.error instanceof UsageError) return usage(thrown.error.message);
    return await outside.report(thrown.error);
  }
  switch (process.exitCode) {
    case ExitCode.InvalidArgument:
    case ExitCode.UnknownCommand:
      return usage(complaints.join(`\n${name}: `));
    case ExitCode.CommandLoadError:
    case ExitCode.InternalError:
    case ExitCode.IntegrationError:
      return await outside.report(new Error(complaints.join("\n")));
  }
  // A group without a command prints its help too, but it is not what was asked for.
  if (printed !== "" && !args.some((arg) => /^(-h|--help|--version)$/.test(arg))) {
    outside.complain(`${name}: Missing command\n\n${printed.trimEnd()}`);
    return WRONG_USAGE;
  }
  try {
    if (printed !== "") await outside.print(printed);
  } catch (error) {
    return await outside.report(error);
  }
  return Number(process.exitCode);
}

/** Where the first words of a command line lead. */
interface Route {
  words: string[];
  target: Command | Group;
}

function routeOf(root: Group, args: readonly string[]): Route {
  const route: Route = { words: [], target: root };
  for (const word of args) {
    if (!("getRoutingTargetForInput" in route.target)) break;
    const next = route.target.getRoutingTargetForInput(word);
    if (next === undefined) break;
    route.words.push(word);
    route.target = next;
  }
  return route;
}

/** What looks like a flag and is none that the parser would recognise, so it would be data. */
function strangeFlag(args: readonly string[]): string | undefined {
  if (args[0]?.startsWith("-") && !/^(-h|--help|--version)$/.test(args[0])) {
    return `Unknown flag "${args[0]}": flags come after the command`;
  }
  for (const arg of args) {
    if (arg === "--") return undefined;
    // A dash alone is standard input, and a negative number is an argument.
    if (!arg.startsWith("-") || arg === "-" || /^-[0-9.]/.test(arg)) continue;
    if (/^(-[a-z]+|-[a-z]=.+|--[a-z][a-z0-9-]+(=.+)?)$/i.test(arg)) continue;
    return `Cannot read ${
      JSON.stringify(arg)
    } as a flag; what begins with a dash and is none goes ` +
      'after "--"';
  }
  return undefined;
}

/** `--help`, with the examples at the end. */
function helpFlag() {
  const formatting = {
    caseStyle: "convert-camel-to-kebab",
    useAliasInUsageLine: false,
    onlyRequiredInUsageLine: false,
  } as const;
  const flag = help<CommandContext>({
    brief: "Print this help",
    defaultForRouteMap: true,
    formatting,
  }).flag!;
  return {
    flag: {
      ...flag,
      async run(
        this: ThisParameterType<typeof flag.run>,
        ...[app, args]: Parameters<typeof flag.run>
      ) {
        await flag.run.call(this, app, args);
        const examples = examplesOf.get(args.result.target) ?? [];
        if (examples.length === 0) return;
        this.process.stdout.write(`\nEXAMPLES\n${examples.map((line) => `  ${line}\n`).join("")}`);
      },
    },
  };
}

/** Our words for what the parser says. */
function texts(
  root: Group,
  name: string,
  { words, target }: Route,
): Application<CommandContext>["defaultText"] {
  const alternatives = (corrections: readonly string[]) => corrections.join(" or ");
  return {
    ...text_en,
    briefs: {
      ...text_en.briefs,
      argumentEscapeSequence: "What follows is no flag, also when it begins with a dash",
    },
    noCommandRegisteredForInput({ input, corrections }) {
      const unknown = `Unknown command ${JSON.stringify(input)}`;
      const elsewhere = root.getAllEntries().filter(({ target }) =>
        words.length === 0 && "getRoutingTargetForInput" in target &&
        target.getRoutingTargetForInput(input) !== undefined
      ).map((entry) => `"${name} ${entry.name.original} ${input}"`);
      const meant = elsewhere.length > 0
        ? elsewhere
        : corrections.map((word) => `"${[name, ...words, word.replaceAll("`", "")].join(" ")}"`);
      return meant.length === 0 ? unknown : `${unknown}: did you mean ${alternatives(meant)}?`;
    },
    exceptionWhileParsingArguments(error) {
      if (!(error instanceof ArgumentScannerError)) return String(error);
      return formatMessageForArgumentScannerError(error, {
        FlagNotFoundError: ({ input, corrections }) => {
          const meant = corrections.map((flag) => `--${kebab(flag)}`);
          return `Unknown flag "--${input}"` +
            (meant.length === 0
              ? '; what begins with a dash and is no flag goes after "--"'
              : `: did you mean ${alternatives(meant)}?`);
        },
        AliasNotFoundError: ({ input }) =>
          `Unknown flag "-${input}"; what begins with a dash and is no flag goes after "--"`,
        ArgumentParseError: (failure: ArgumentParseError) => {
          const flag = failure.externalFlagNameOrPlaceholder;
          const what = flag === flag.toUpperCase() ? flag : `--${flag}`;
          const { exception } = failure;
          const expected = exception instanceof RangeError ? exception.message : "no value";
          return `Cannot use ${what} ${JSON.stringify(failure.input)}: expected ${expected}`;
        },
        EnumValidationError: ({ externalFlagName, input, values }) =>
          `Cannot use --${externalFlagName} ${JSON.stringify(input)}: expected ` +
          alternatives(values),
        UnsatisfiedFlagError: ({ externalFlagName }) => `Missing value of --${externalFlagName}`,
        UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} is given twice`,
        UnexpectedPositionalError: ({ expectedCount, input }) =>
          `Unexpected argument ${JSON.stringify(input)}: expected ${expectedCount || "none"}` +
          (expectedCount === 0 ? "" : "; a text with spaces goes in quotes"),
        UnsatisfiedPositionalError: ({ placeholder }) => {
          const positional = "parameters" in target ? target.parameters.positional : undefined;
          const declared = positional?.kind === "array"
            ? [positional.parameter]
            : positional?.parameters ?? [];
          const brief = declared.find((argument) => argument.placeholder === placeholder)?.brief;
          return `Missing ${placeholder}` + (brief === undefined ? "" : `: ${brief}`);
        },
      });
    },
  };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
