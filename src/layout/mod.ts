/** Structs as values: the types of their fields, where each lies, and how C declares them. */

export { LayoutError, type LayoutErrorInit } from "../errors.ts";
