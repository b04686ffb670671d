/** LabelledLines: what a child prints, in lines with its label. */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { LabelledLines, MAX_LINE_BYTES } from "../../src/actor/launch/labelled_lines.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What comes out for what goes in by these chunks. */
function passed(chunks: readonly Uint8Array[]): string {
  const lines = new LabelledLines("a");
  return chunks.map((chunk) => decode(lines.push(chunk))).join("") + decode(lines.end());
}

test("LabelledLines gives the same wherever the chunks are cut", () => {
  const bytes = encode("one\n\ntwø\r\nthree");
  for (let first = 0; first <= bytes.byteLength; first++) {
    for (let second = first; second <= bytes.byteLength; second++) {
      const chunks = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
      assertEquals(passed(chunks), "a | one\na | \na | twø\r\na | three\n", `${first} ${second}`);
    }
  }
});

test("LabelledLines gives a line as soon as it is complete, and no sooner", () => {
  const lines = new LabelledLines("a");
  assertEquals(decode(lines.push(encode("on"))), "");
  assertEquals(decode(lines.push(encode("e\ntwo"))), "a | one\n");
  assertEquals(decode(lines.end()), "a | two\n");
  assertEquals(decode(lines.end()), "");
});

test("LabelledLines gives a line that is too long in pieces, wherever the chunks are cut", () => {
  for (const more of [-1, 0, 1]) {
    const length = 2 * MAX_LINE_BYTES + more;
    const text = "x".repeat(length) + "\nend\n";
    const one = passed([encode(text)]);
    const lines = one.split("\n").map((line) => line.replace(/^a \| /, ""));
    assertEquals(lines.join(""), text.replaceAll("\n", ""));
    assertEquals(Math.max(...lines.map(({ length }) => length)), MAX_LINE_BYTES);
    for (const at of [1, MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, length]) {
      assertEquals(
        passed([encode(text.slice(0, at)), encode(text.slice(at))]),
        one,
        `${more} ${at}`,
      );
    }
  }
});

test("LabelledLines keeps nothing of a chunk that is used again", () => {
  const lines = new LabelledLines("a");
  const chunk = encode("one");
  lines.push(chunk);
  chunk.fill(0x20);
  assertEquals(decode(lines.end()), "a | one\n");
});
