/**
 * Names of structs and fields: those that C and C++ can use as they are.
 *
 * Rule: a name never meets what is reserved, so a header made of any schema compiles.
 */

import { shown } from "./shown.ts";

/** C compilers may ignore what follows (C11 5.2.4.1). */
const MAX_NAME_LENGTH = 63;

/** A letter, then letters, digits and single underscores; C++ keeps two in a row to itself. */
const IDENTIFIER = /^[A-Za-z](?:_?[A-Za-z0-9])*$/;

/** What macros are called; X and P1 are not. */
const CAPITALS = /^[A-Z][0-9]*_?[A-Z][A-Z0-9_]*$/;

/** Keywords of C23 and C++23, and what C++ has for operators. */
const KEYWORDS = `
  alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
  char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
  constinit continue decltype default delete do double dynamic_cast else enum explicit export extern
  false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr
  operator or or_eq private protected public register reinterpret_cast requires restrict return short
  signed sizeof static static_assert static_cast struct switch template this thread_local throw true
  try typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t
  while xor xor_eq
`;

/** Macros, structs and types of the headers that a schema's header includes. */
const IN_HEADERS = `
  be16toh be32toh be64toh errno htobe16 htobe32 htobe64 htole16 htole32 htole64 int8_t int16_t
  int32_t int64_t itimerspec le16toh le32toh le64toh linux offsetof pthread_cleanup_pop pthread_cleanup_push sched_param
  sched_priority sigevent stderr stdin stdout timespec timeval timex tm uint8_t uint16_t uint32_t uint64_t unix
`;

const TAKEN: ReadonlySet<string> = new Set(`${KEYWORDS} ${IN_HEADERS}`.trim().split(/\s+/));

/**
 * Judges the name of a struct or a field.
 *
 * @throws {TypeError} If C or C++ could not use it.
 * @throws {RangeError} If it is too long.
 */
export function checkName(name: string, what: string): void {
  const cannot = `Cannot use ${what} ${shown(name)}`;
  if (typeof name !== "string") throw new TypeError(`${cannot}: expected a text`);
  if (name.length > MAX_NAME_LENGTH) {
    throw new RangeError(`${cannot}: expected at most ${MAX_NAME_LENGTH} characters`);
  }
  if (!IDENTIFIER.test(name)) {
    throw new TypeError(
      `${cannot}: expected a letter, then letters, digits and single underscores between them`,
    );
  }
  if (CAPITALS.test(name)) {
    throw new TypeError(`${cannot}: expected no name all in capitals, as macros have`);
  }
  if (TAKEN.has(name)) throw new TypeError(`${cannot}: it has a meaning in C or C++`);
}
