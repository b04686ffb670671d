/**
 * Which flags another process of Node or Bun is given: those of this one, but not what belongs to
 * its own program: the debugger's port, a text in place of a file, the test runner, the watcher.
 */

/** Flags of this one process. */
const OWN = /^--(inspect|debug|test|watch|experimental-test|check|interactive|input-type)/;

/** Those that have a text behind them, in the next word. */
const TEXT = /^(-e|-p|-pe|--eval|--print)$/;

/** Of `process.execArgv`, what another process gets. */
export function nodeFlags(execArgv: readonly string[]): string[] {
  return execArgv.filter((word, index) => {
    if (index > 0 && TEXT.test(execArgv[index - 1]!)) return false;
    return !TEXT.test(word) && !OWN.test(word) && !/^(--eval=|--print=|-[ci]$)/.test(word);
  });
}
