/** Shared memory with a schema: typed fields that threads and processes share. */

export { LayoutError, type LayoutErrorInit } from "../errors.ts";
