/** The version that `postbox --version` prints; a test compares it with deno.json. */

/** As in deno.json. */
export const VERSION = "0.1.0";
