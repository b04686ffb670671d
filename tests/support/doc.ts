/**
 * Loaded before the examples in the documentation.
 *
 * An example may end with its last handle, as programs do: the call that a thread of the runtime's
 * pool is parked in then comes back a moment later, and Deno's sanitizer, which looks at once, would
 * call it a leak.
 */

import "./loaded.ts";

Deno.test.afterEach(() => new Promise<void>((resolve) => setTimeout(resolve, 20)));
