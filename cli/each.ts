/** The same for several objects: one that is refused is reported and does not stop the others. */

/** Gives the exit code: 0 when none was refused. What ends all output ends this too. */
export async function forEach(names: string[], act: (name: string) => void): Promise<number> {
  let exitCode = 0;
  for (const name of names) {
    try {
      act(name);
    } catch (error) {
      if (error instanceof Error && ENDS.includes(error.name)) throw error;
      const { report } = await import("./failure.ts");
      exitCode = Math.max(exitCode, report(error));
    }
  }
  return exitCode;
}

/** Trouble with standard output, from which no other object can be saved. */
const ENDS = ["BrokenPipe", "OutputError"];
