/** Runs a command of the build. */

/** Runs it to its end and gives what it printed; throws with its complaint when it failed. */
export async function execute(
  command: string,
  args: readonly string[],
  { env = {}, ...options }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    ...options,
    env: { ...env, NO_COLOR: "1", NO_UPDATE_NOTIFIER: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(
    `Cannot run ${command} ${args.join(" ")}: exit code ${code}, expected 0\n` +
      decoder.decode(stdout) + decoder.decode(stderr),
  );
}
