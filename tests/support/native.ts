/** The native driver that the run of tests has built (tools/native.ts), where there is cargo. */

import process from "node:process";
import type { TestOptions } from "../harness.ts";

/** The path of its library; empty where there is none. */
export const NATIVE: string = process.env.POSTBOX_TEST_NATIVE ?? "";

/** For a test that needs it. */
export const NEEDS_NATIVE: TestOptions = {
  missing: NATIVE === "" ? "there is no native driver: cargo is not in PATH" : undefined,
};
