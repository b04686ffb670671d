/**
 * A look at the file of a native driver before it is loaded: what the loader would say of it in
 * words of its own.
 *
 * @see elf(5)
 */

import { C } from "./abi.ts";
import { describe } from "./errno.ts";
import type { Library } from "./port.ts";
import type { SYMBOLS } from "./symbols.ts";

/** LAYOUT: the ELF header of 64 bits; the sections are described at the end of the file. */
const HEADER_BYTES = 64, MACHINE_OFFSET = 18;
const SECTIONS_OFFSET = 40, SECTION_BYTES_OFFSET = 58, SECTION_COUNT_OFFSET = 60;

/** 7f 45 4c 46, then ELFCLASS64 and ELFDATA2LSB. */
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1];

/** e_machine of elf.h, in the names of the port. */
const MACHINES: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };

/** Refuses a file that cannot be the driver. @param problem Makes the error. */
export function checkNativeFile(
  path: string,
  library: Library<typeof SYMBOLS>,
  arch: string,
  problem: (found: string, expected: string) => Error,
): void {
  if (!path.startsWith("/")) {
    // dlopen(3) would look for a name without a slash wherever libraries are.
    throw problem("the path is relative", "one that begins with a slash");
  }
  if (path.includes("\0")) throw problem("the path has a zero byte", "one without");
  const { c, errno, word } = library;
  const bytes = new TextEncoder().encode(`${path}\0`);
  const fd = c.open(bytes, C.O_RDONLY | C.O_CLOEXEC | C.O_NONBLOCK, 0);
  if (fd === -1) {
    const { code, description } = describe(errno());
    throw problem(`${description} (${code})`, "a file that may be read");
  }
  const header = new Uint8Array(HEADER_BYTES), view = new DataView(header.buffer);
  const length = c.pread(fd, header, word(HEADER_BYTES), word(0));
  // The loader maps what is not there, and the process would end at the first touch of it.
  const byteLength = Number(view.getBigUint64(SECTIONS_OFFSET, true)) +
    view.getUint16(SECTION_BYTES_OFFSET, true) * view.getUint16(SECTION_COUNT_OFFSET, true);
  const isWhole = c.pread(fd, new Uint8Array(1), word(1), BigInt(byteLength - 1)) === 1;
  c.close(fd);
  if (
    length !== HEADER_BYTES || byteLength === 0 ||
    MAGIC.some((byte, index) => header[index] !== byte)
  ) {
    throw problem("it is no library", "a shared object for Linux of 64 bits");
  }
  const machine = view.getUint16(MACHINE_OFFSET, true);
  if (MACHINES[machine] === arch) {
    if (isWhole) return;
    throw problem("its end is missing", `${byteLength} bytes`);
  }
  throw problem(
    `it is for the processor ${MACHINES[machine] ?? `number ${machine} of elf.h`}`,
    `one for ${arch}`,
  );
}
