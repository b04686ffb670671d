/**
 * Loads the C library and the reactor before the first test: the sanitizer of `deno test` would
 * hold the test that happens to be first responsible for what is meant to stay.
 */

import { reactor } from "../../src/wait/reactor.ts";

reactor();
