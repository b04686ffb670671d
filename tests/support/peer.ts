/** A peer that is told by lines what to do and answers each with one line (tests/process/*.c, .py). */

import { Buffer } from "node:buffer";
import { Child } from "./process.ts";

/** A running peer. It is killed at the end of the scope. */
export class Peer extends Child {
  /** Gives a command and waits for the answer. */
  async ask(command: string): Promise<string> {
    await this.write(`${command}\n`);
    return await this.line();
  }

  /** Gives a command whose answer is {@linkcode Child.line}, when it comes. */
  async tell(command: string): Promise<void> {
    await this.write(`${command}\n`);
  }
}

/** Bytes as the peers write them. */
export function hex(data: Uint8Array | string): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return bytes.byteLength === 0 ? "-" : Buffer.from(bytes).toString("hex");
}

/** Bytes as the peers print them. */
export function fromHex(text: string): Uint8Array {
  return text === "-" ? new Uint8Array(0) : Uint8Array.from(Buffer.from(text, "hex"));
}
