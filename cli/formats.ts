/** Messages as lines: JSON for programs, a hexdump for people. */

import type { Message } from "../src/mq/mod.ts";

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What JSON has of a message: `base64` always, `text` is null where the bytes are not UTF-8. */
export function messageFact({ data, priority }: Message): object {
  return { bytes: data.byteLength, priority, base64: base64(data), text: textOf(data) };
}

/** One JSON object and a newline. */
export function jsonLine(message: Message): Uint8Array {
  return encoder.encode(`${JSON.stringify(messageFact(message))}\n`);
}

/** Sixteen bytes a line, as hexdump -C does; the last line is the length. */
export function hexdump({ data }: Pick<Message, "data">): Uint8Array {
  let lines = "";
  for (let at = 0; at < data.byteLength; at += 16) {
    const row = data.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
    const left = hex.slice(0, 8).join(" "), right = hex.slice(8).join(" ");
    const ascii = Array.from(
      row,
      (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
    ).join("");
    lines += `${offset(at)}  ${left.padEnd(23)}  ${right.padEnd(23)}  |${ascii}|\n`;
  }
  return encoder.encode(`${lines}${offset(data.byteLength)}\n`);
}

function offset(at: number): string {
  return at.toString(16).padStart(8, "0");
}

function textOf(data: Uint8Array): string | null {
  try {
    return strict.decode(data);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function base64(data: Uint8Array): string {
  let binary = "";
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < data.byteLength; at += 8192) {
    binary += String.fromCharCode(...data.subarray(at, at + 8192));
  }
  return btoa(binary);
}
