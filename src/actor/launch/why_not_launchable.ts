/** Where a child cannot run an actor's module: told before it is tried, with the way out. */

import { host } from "../../life/inside.ts";

/** What the answer depends on. */
export interface LaunchFacts {
  /** The module that this process was started with, if it is one. */
  readonly mainUrl: string | undefined;
  /** Why the runtime cannot start such a child here, as the end of a sentence. */
  readonly refusal: string | undefined;
}

/** How the runtimes call a text that is given in place of a file. */
const TEXT = /\/(\$deno\$[\w-]+\.\w+|\[(eval|stdin|worker eval|repl)\d*\])$/i;

/** The facts as they are here. */
export function launchFacts(kind: "process" | "worker", moduleUrl: string): LaunchFacts {
  const { mainUrl, whyNoProcess, whyNoWorker } = host();
  const refusal = kind === "process" ? whyNoProcess() : whyNoWorker(moduleUrl);
  return { mainUrl: mainUrl(), refusal };
}

/**
 * Why a child cannot run the actors of a module, with the way out, as the end of a sentence; undefined
 * where nothing is known against it.
 *
 * @param moduleUrl The `import.meta.url` of the actor.
 */
export function whyNotLaunchable(
  moduleUrl: string,
  { mainUrl, refusal }: LaunchFacts,
): string | undefined {
  if (isText(moduleUrl)) {
    return "its module is a text that the runtime was given, not a file, expected a module that a " +
      'child can import; put the actor into a file of its own, or spawn it in: "here"';
  }
  if (moduleUrl === mainUrl) {
    return "its module is the main program, which each child would run again, expected a module " +
      'that only defines actors; put the actor into a file of its own, or spawn it in: "here"';
  }
  if (moduleUrl.startsWith("blob:")) {
    return 'its module is a blob, which is in this process alone, expected a URL of "file:", ' +
      '"http:", "https:" or "data:"';
  }
  return refusal;
}

function isText(moduleUrl: string): boolean {
  if (!moduleUrl.startsWith("file:")) return false;
  try {
    return TEXT.test(decodeURIComponent(moduleUrl));
  } catch {
    return false; // a name that is no UTF-8 is none of these
  }
}
