/** Where the modules are that a child begins with. */

// Nothing is imported of the two; but what makes the npm package translates only modules that
// another one names.
import type {} from "./child.ts";
import type {} from "./worker.ts";

/** They are TypeScript, or JavaScript that was made of it, as this one is. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** The URL of a module of this folder, by its name without the extension. */
export function siblingUrl(name: "child" | "worker"): string {
  return new URL(`./${name}${EXTENSION}`, import.meta.url).href;
}
