/**
 * The headers of schemas, compared with what C and C++ compilers make of them.
 *
 * Goal: what lies where is the same for C, C++ and us, for every kind of field in every place; what
 * one side writes the other reads; and the record functions keep their promise when writers are
 * killed. Method: random schemas, all their headers in one program that prints every offset and
 * size; and a C program whose readers check every copy while its writers are killed.
 */

import { assert, assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  barrier,
  bool,
  bytes,
  event,
  f32,
  f64,
  type FieldType,
  i16,
  i32,
  i64,
  i8,
  mutex,
  readValue,
  record,
  RECORD_COPIES_OFFSET,
  recordStrideBytes,
  rwLock,
  semaphore,
  type Struct,
  struct,
  text,
  toCHeader,
  u16,
  u32,
  u64,
  u8,
  type Value,
  writeValue,
} from "../../src/layout/mod.ts";
import { compileC, run, runForBytes, temporaryFolder } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { randomSchema } from "../support/schemas.ts";

const Point = struct("point", { x: f64, y: f32 });
const Cells = struct("cells", { a: u8, p: Point, b: array(u8, 70) }, { align: "cacheline" });

/** Every kind of field; two of them are called as a struct in it is. */
const fields = {
  ...{ u8, u16, u32, u64, i8, i16, i32, i64, f32, f64 },
  flag: bool,
  ...{ mutex, rwLock, semaphore, event, barrier },
  name: text(5),
  raw: bytes(9),
  odd: u8,
  grid: array(array(u16, 3), 2),
  names: array(text(3), 2),
  point: Point,
  all_point: array(Point, 2),
  cells: Cells,
  locks: array(mutex, 2),
  last: record({ ratio: f64, tag: text(16), path: array(Point, 2), odd: u8 }),
  lasts: array(record({ x: u8 }), 2),
  home: record(Point),
  homes: array(record(Cells), 2),
};

/** Schemas with headers that can be included together: each has a name of its own. */
function schemas(): Struct[] {
  const all: Struct[] = [struct("all", fields), struct("lines", fields, { align: "cacheline" })];
  const random = new Random(2026);
  while (all.length < scaled(120)) {
    all.push(randomSchema(random, { name: `random${all.length}` }));
  }
  return all;
}

/** A place in a struct, as C names it, and what we say of it. */
interface Place {
  member: string;
  byteOffset: number;
  /** Undefined for what C has no type for. */
  byteLength: number;
}

/** Every field in every struct, record, and first and last element of an array. */
function placesIn(struct: Struct, member: string, byteOffset: number): Place[] {
  return Object.values(struct.fields).flatMap((field) =>
    placesOf(field.type, `${member}${field.name}`, byteOffset + field.byteOffset)
  );
}

function placesOf(type: FieldType, member: string, byteOffset: number): Place[] {
  const here = { member, byteOffset, byteLength: type.byteLength };
  switch (type.kind) {
    case "array": {
      const { element, length } = type, last = length - 1;
      return [
        here,
        ...placesOf(element, `${member}[0]`, byteOffset),
        ...placesOf(element, `${member}[${last}]`, byteOffset + last * element.byteLength),
      ];
    }
    case "struct":
      return [here, ...placesIn(type, `${member}.`, byteOffset)];
    case "record":
      return [
        here,
        ...[0, 1].flatMap((copy) =>
          placesOf(
            type.content,
            `${member}.copies[${copy}].value`,
            byteOffset + RECORD_COPIES_OFFSET + copy * recordStrideBytes(type.content.byteLength),
          )
        ),
      ];
    case "text":
    case "bytes": {
      const { kind, maxBytes } = type;
      const length = { member: `${member}.length`, byteOffset, byteLength: 4 };
      const content = {
        member: `${member}.${kind}`,
        byteOffset: byteOffset + 4,
        byteLength: maxBytes,
      };
      return [here, length, content];
    }
    default:
      return [here];
  }
}

/** A program that prints offset and size of every place, and what it should print. */
function layoutProgram(all: Struct[]): { source: string; expected: string[] } {
  const lines: string[] = [], expected: string[] = [];
  for (const schema of all) {
    const type = `struct ${schema.name}`;
    lines.push(`printf("${type} %zu\\n", sizeof(${type}));`);
    expected.push(`${type} ${schema.byteLength}`);
    for (const { member, byteOffset, byteLength } of placesIn(schema, "", 0)) {
      const size = `sizeof(((${type} *)0)->${member})`;
      lines.push(
        `printf("${schema.name}.${member} %zu %zu\\n", offsetof(${type}, ${member}), ${size});`,
      );
      expected.push(`${schema.name}.${member} ${byteOffset} ${byteLength}`);
    }
  }
  // Twice, as headers that include each other do.
  const headers = [...all, ...all].map((schema) => toCHeader(schema)).join("\n");
  const functions = lines.map((line, index) =>
    index % 500 === 0
      ? `}\nvoid print${index}(void);\nvoid print${index}(void) {\n  ${line}`
      : `  ${line}`
  ).join("\n").slice(2);
  const calls = lines.flatMap((_, index) => index % 500 === 0 ? [`print${index}();`] : []);
  const source = `${headers}
#include <stdio.h>
${functions}
}
int main(void) { ${calls.join(" ")} return 0; }
`;
  return { source, expected };
}

const STRICT = ["-Wall", "-Wextra", "-Werror"];

/** The compilers, each as its command and what it needs to take the program from its input. */
const COMPILERS: [language: string, command: string, flags: string[]][] = [
  ["C11", "cc", ["-std=c11", "-Wpedantic", "-x", "c"]],
  ["C23", "cc", ["-std=gnu2x", "-x", "c"]],
  ["C++11", "g++", ["-std=c++11", "-x", "c++"]],
  ["C++17", "g++", ["-std=c++17", "-x", "c++"]],
];

async function whyNot(command: string): Promise<string | undefined> {
  const { code } = await run("sh", { args: ["-c", `command -v ${command}`] });
  return code === 0 ? undefined : `there is no ${command}`;
}

const withoutCpp = await whyNot("g++");

for (const [language, command, flags] of COMPILERS) {
  const missing = command === "g++" ? withoutCpp : undefined;
  test(`toCHeader() says where ${language} puts every field`, { missing }, async () => {
    const { source, expected } = layoutProgram(schemas());
    using folder = temporaryFolder();
    const program = `${folder.path}/program`;
    const compiled = await run(command, {
      args: [...flags, ...STRICT, "-o", program, "-"],
      stdin: source,
    });
    assertEquals([compiled.code, compiled.stderr], [0, ""]);
    const { code, stdout } = await run(program);
    assertEquals(code, 0);
    assertEquals(stdout.trimEnd().split("\n"), expected);
    assertGreater(expected.length, scaled(5000));
  });
}

const ARM64 = "aarch64-linux-gnu-gcc";

test("toCHeader()'s own checks hold on arm64", { missing: await whyNot(ARM64) }, async () => {
  const source = schemas().map((schema) => toCHeader(schema)).join("\n");
  const { code, stderr } = await run(ARM64, {
    args: ["-std=c11", ...STRICT, "-x", "c", "-S", "-o", "/dev/null", "-"],
    stdin: source,
  });
  assertEquals([code, stderr], [0, ""]);
});

test("toCHeader()'s own checks fail where a field is elsewhere", async () => {
  const header = toCHeader(struct("s", { a: u8, b: record({ x: u32, y: u8, z: i8 }) }));
  const changes = [
    header.replace("uint8_t a;", "uint8_t a[65];"),
    header.replace("s_b_record b;", "s_b_record b; uint8_t more;"),
    header.replace("uint32_t x;", "uint64_t x;"),
    header.replace("int8_t z;\n}", "int8_t z;\n} __attribute__((aligned(8)))"),
    header.replace("uint8_t y;\n  int8_t z;", "int8_t z;\n  uint8_t y;"),
    header.replace("uint32_t begun;", "uint64_t begun;"),
    header.replace("event_count[16]", "event_count[17]"),
    header.replace("mutex_bytes[64]", "mutex_bytes[65]"),
  ];
  for (const [index, changed] of changes.entries()) {
    assert(changed !== header, `change ${index} changes nothing`);
    const args = ["-std=c11", "-x", "c", "-fsyntax-only", "-"];
    const { code } = await run("cc", { args, stdin: changed });
    assertEquals([index, code], [index, 1]);
  }
});

test("toCHeader() has a place for more headers and more text", () => {
  const header = toCHeader(struct("s", { a: u8 }), {
    includes: ["time.h", "stdint.h"],
    text: "struct more { struct s s; };\n",
  });
  assertEquals(header.match(/#include.*/g), [
    "#include <stddef.h>",
    "#include <stdint.h>",
    "#include <time.h>",
  ]);
  assert(header.endsWith("\n\nstruct more { struct s s; };\n\n#endif\n"));
});

// --- Values --------------------------------------------------------------------------------------

const Sample = struct("sample", {
  ...{ u8, u16, u32, u64, i8, i16, i32, i64, f32, f64 },
  flag: bool,
  name: text(7),
  raw: bytes(3),
  grid: array(array(u16, 3), 2),
  path: array(Point, 2),
});

const sample: Value<typeof Sample> = {
  ...{ u8: 200, u16: 60_000, u32: 4e9, u64: 2n ** 63n + 1n },
  ...{ i8: -100, i16: -30_000, i32: -2e9, i64: -(2n ** 62n) - 1n },
  ...{ f32: -0.5, f64: 0.1 },
  flag: true,
  name: "h€y",
  raw: Uint8Array.of(255, 0),
  grid: [[1, 2, 3], [4, 5, 60_000]],
  path: [{ x: 1.25, y: 2.5 }, { x: -1, y: -2 }],
};

const WRITES_SAMPLE = `
#include <stdio.h>
int main(void) {
  static struct sample sample; /* all zero, what lies between fields too */
  sample.u8 = 200; sample.u16 = 60000; sample.u32 = 4000000000u;
  sample.u64 = (UINT64_C(1) << 63) + 1;
  sample.i8 = -100; sample.i16 = -30000; sample.i32 = -2000000000;
  sample.i64 = -(INT64_C(1) << 62) - 1;
  sample.f32 = -0.5f; sample.f64 = 0.1; sample.flag = 1;
  const char name[] = "h\\xe2\\x82\\xacy";
  sample.name.length = sizeof name - 1;
  for (size_t i = 0; i < sizeof name - 1; i++) sample.name.text[i] = name[i];
  sample.raw.length = 2;
  sample.raw.bytes[0] = 255;
  for (int i = 0; i < 6; i++) sample.grid[i / 3][i % 3] = (uint16_t)(i + 1);
  sample.grid[1][2] = 60000;
  sample.path[0].x = 1.25; sample.path[0].y = 2.5f;
  sample.path[1].x = -1; sample.path[1].y = -2;
  return fwrite(&sample, sizeof sample, 1, stdout) == 1 ? 0 : 1;
}
`;

test("a value is byte for byte what C has of it", async () => {
  using program = await compileC(toCHeader(Sample) + WRITES_SAMPLE);
  const { code, stdout } = await runForBytes(program.path);
  assertEquals(code, 0);
  const view = new DataView(stdout.buffer, stdout.byteOffset, stdout.byteLength);
  assertEquals(readValue(Sample, view, 0), sample);
  const written = new Uint8Array(Sample.byteLength);
  writeValue(Sample, new DataView(written.buffer), 0, sample);
  assertEquals([...stdout], [...written]);
});
