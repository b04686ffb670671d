/** Byte rings in shared memory: from one producer, or from many, to one consumer. */

export { LayoutError, type LayoutErrorInit } from "../errors.ts";
