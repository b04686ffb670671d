/**
 * Loads the C library before the first test: the sanitizer of `deno test` would hold the test that
 * happens to be first responsible for a library that is meant to stay.
 */

import { sys } from "../../src/sys/load.ts";

sys();
