/**
 * What `deno task torture` runs: one file a subject, which starts processes, kills them with
 * SIGKILL at random instants, and counts what went wrong.
 *
 * Rule: a subject runs in a test too, with few kills. It prints nothing by itself, leaves no
 * process and no name behind, also when it throws, and knows how long nothing may happen before
 * that is a hang.
 */

/** How hard it is. */
export interface TortureOptions {
  /** How many processes are killed in all. */
  kills: number;
  /** What the random choices depend on; when a process is killed depends on more. */
  seed: number;
  /** Gives the library as npm has installed it, as a URL: for processes of Node. */
  nodeLibrary?: (() => Promise<string>) | undefined;
  /** Is told now and then how far it is: one line. */
  progress?: ((line: string) => void) | undefined;
}

/** What came of it. */
export interface TortureResult {
  kills: number;
  /** How often an invariant was found broken. */
  violations: number;
  /** How often nobody went on. */
  hangs: number;
  /** What else was counted, for a reader: sections entered, owners found dead, … */
  counts: Readonly<Record<string, number>>;
}

/** Something that processes share, and that no death of one of them may damage. */
export interface TortureSubject {
  /** What is tortured, in a sentence. */
  readonly what: string;
  run(options: TortureOptions): Promise<TortureResult>;
}
