/**
 * Schemas of any library that speaks Standard Schema, version 1, and validation by them.
 *
 * Rule: the interface alone is known here, no library.
 *
 * @see https://standardschema.dev
 */

import { type ValidatedPart, ValidationError, type ValidationIssue } from "../errors.ts";

/** A schema: of zod, valibot, arktype, or of any other library that speaks Standard Schema. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the schema offers to whoever does not know its library. */
  readonly "~standard": StandardSchemaProps<Input, Output>;
}

/** What a {@linkcode StandardSchema} offers. */
export interface StandardSchemaProps<Input = unknown, Output = Input> {
  /** The version of the interface. */
  readonly version: 1;
  /** The name of the library. */
  readonly vendor: string;
  /** Judges a value; gives what it becomes. */
  readonly validate: (
    value: unknown,
  ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
  /** For the compiler alone. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** What a schema says of a value. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

/** What a schema has against a value. */
export interface StandardSchemaIssue {
  /** In words. */
  readonly message: string;
  /** The keys that lead to it. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema accepts. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** What a schema makes of it. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** Whether a value is a schema; those of some libraries are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const props: unknown = (value as Partial<StandardSchema>)["~standard"];
  if (typeof props !== "object" || props === null) return false;
  const { version, validate } = props as Partial<StandardSchemaProps>;
  return version === 1 && typeof validate === "function";
}

/** The kind that a value is of, for the error. */
export interface ValidatedKind {
  /** The name of its protocol. */
  readonly protocol: string;
  /** Its name in it. */
  readonly kind: string;
}

/**
 * What a schema makes of a value; a promise of it only where the schema needs one.
 *
 * @param of The kind that the value is a payload, a reply or an item of.
 * @throws {ValidationError} If the schema refuses it; the promise rejects with it likewise.
 */
export function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  of: ValidatedKind,
  part: ValidatedPart = "payload",
): Output | Promise<Output> {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) return result.then((result) => valueOf(result, of, part));
  return valueOf(result, of, part);
}

function valueOf<Output>(
  result: StandardSchemaResult<Output>,
  { protocol, kind }: ValidatedKind,
  part: ValidatedPart,
): Output {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(issueOf);
  throw new ValidationError({ kind: `${protocol}.${kind}`, part, issues });
}

function issueOf({ message, path = [] }: StandardSchemaIssue): ValidationIssue {
  return { message, path: pathText(path) };
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Keys as JavaScript writes them: `items[3].name`. */
function pathText(path: NonNullable<StandardSchemaIssue["path"]>): string {
  let text = "";
  for (const segment of path) {
    const key = typeof segment === "object" ? segment.key : segment;
    if (typeof key !== "string") text += `[${String(key)}]`;
    else if (!IDENTIFIER.test(key)) text += `[${JSON.stringify(key)}]`;
    else text += text === "" ? key : `.${key}`;
  }
  return text;
}
