/** Locks in shared memory that survive their owner. */

export { LayoutError, type LayoutErrorInit } from "../errors.ts";
