/** Choosing the native driver: by a path that the program or its environment gives, and by nothing else. */

import { readFileSync, writeFileSync } from "node:fs";
import { assertEquals, assertStringIncludes, assertThrows } from "../assert.ts";
import { useNative } from "../../mod.ts";
import { test } from "../harness.ts";
import { NATIVE_ABI } from "../../src/sys/native_symbols.ts";
import { NATIVE, NEEDS_NATIVE } from "../support/native.ts";
import { compileC, runProgram, temporaryFolder } from "../support/process.ts";
import { linked, siblingUrl } from "../support/runtime.ts";

const FFI_ALONE = ["--allow-ffi", "--no-prompt", "--quiet"];
const WITH_VARIABLE = [...FFI_ALONE, "--allow-env=POSTBOX_NATIVE"];

/** No choice by the environment, whatever that of the tests says. */
const NO_CHOICE = { POSTBOX_NATIVE: "" };

/** Says whether the driver is in use, or what the first use threw. */
const SAY = `
  import { MessageQueue, useNative } from "@postbox/postbox";
  import { sys } from "@postbox/postbox/src/sys/load.ts";
  const say = () => {
    try {
      MessageQueue.limits();
      console.log(sys().native === undefined ? "plain" : "native");
    } catch (error) {
      console.log(error.message);
    }
  };
`;

/** What a program prints that uses the driver at a path. */
async function said(path: string): Promise<string> {
  const code = `${SAY} useNative(${JSON.stringify(path)}); say();`;
  return (await runProgram(code, { env: NO_CHOICE })).stdout;
}

test("nothing is used when nothing is chosen, with --allow-ffi alone", async () => {
  const { code, stdout, stderr } = await runProgram(`${SAY} say();`, { env: NO_CHOICE });
  assertEquals([code, stdout], [0, "plain\n"], stderr);
});

test("useNative() chooses, with --allow-ffi alone", NEEDS_NATIVE, async () => {
  assertEquals(await said(NATIVE), "native\n");
});

test("POSTBOX_NATIVE chooses where the environment may be read", NEEDS_NATIVE, async () => {
  const env = { POSTBOX_NATIVE: NATIVE };
  const { stdout } = await runProgram(`${SAY} say();`, { env, permissions: WITH_VARIABLE });
  assertEquals(stdout, "native\n");
});

test(
  "POSTBOX_NATIVE is not asked for where the environment may not be read",
  {
    ...NEEDS_NATIVE,
    not: { node: "there is no permission to be without", bun: "there is no permission" },
  },
  async () => {
    const env = { POSTBOX_NATIVE: NATIVE }, permissions = FFI_ALONE;
    const { code, stdout, stderr } = await runProgram(`${SAY} say();`, { env, permissions });
    assertEquals([code, stdout, stderr], [0, "plain\n", ""]);
  },
);

test("POSTBOX_NATIVE chooses for a worker, too", NEEDS_NATIVE, async () => {
  const worker = linked(`
    import { parentPort } from "node:worker_threads";
    import { sys } from "@postbox/postbox/src/sys/load.ts";
    parentPort.postMessage(sys().native === undefined ? "plain" : "native");`);
  const url = `data:text/javascript,${encodeURIComponent(worker)}`;
  const { stdout, stderr } = await runProgram(
    `import { once } from "node:events";
     import { Worker } from "node:worker_threads";
     const worker = new Worker(new URL(${JSON.stringify(url)}));
     console.log((await once(worker, "message"))[0]);`,
    { env: { POSTBOX_NATIVE: NATIVE }, permissions: [...WITH_VARIABLE, "--allow-read"] },
  );
  assertEquals(stdout, "native\n", stderr);
});

test("useNative() chooses for the actors in workers and processes, too", NEEDS_NATIVE, async () => {
  const { stdout, stderr } = await runProgram(
    `${SAY}
     useNative(${JSON.stringify(NATIVE)});
     import { system } from "@postbox/postbox/actor";
     import witness from ${JSON.stringify(siblingUrl("./native_actor.ts", import.meta.url))};
     await using shop = await system("test-" + crypto.randomUUID().slice(0, 13));
     for (const at of ["worker", "process"]) {
       const ref = await shop.spawn(witness, { in: at });
       console.log(at, (await ref.isNative()).isNative);
     }`,
    { env: NO_CHOICE, permissions: ["-A", "--quiet"] },
  );
  assertEquals(stdout, "worker true\nprocess true\n", stderr);
});

test("useNative() says what is wrong with a file at the first use", NEEDS_NATIVE, async () => {
  using folder = temporaryFolder();
  const file = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(`${folder.path}/${name}`, bytes);
    return `${folder.path}/${name}`;
  };
  const library = readFileSync(NATIVE), other = Uint8Array.from(library);
  const AARCH64 = 183, X86_64 = 62;
  other[18] = library[18] === X86_64 ? AARCH64 : X86_64;

  assertStringIncludes(await said(`${folder.path}/missing.so`), "it does not exist (ENOENT)");
  assertStringIncludes(await said("libpostbox_native.so"), "the path is relative");
  assertStringIncludes(await said(file("text.so", "no library at all, and long")), "no library");
  assertStringIncludes(await said(file("empty.so", "")), "no library");
  assertStringIncludes(await said(file("other.so", other)), "it is for the processor");
  assertStringIncludes(await said(file("cut.so", library.subarray(0, 999))), "its end is missing");
  assertStringIncludes(await said(folder.path), "no library");
});

test("useNative() refuses another version, and what is another library", NEEDS_NATIVE, async () => {
  const shared = (text: string) => compileC(text, ["-shared", "-fPIC"]);
  using older = await shared("int postbox_abi(void); int postbox_abi(void) { return 0; }");
  assertStringIncludes(await said(older.path), `its version is 0, expected version ${NATIVE_ABI}`);
  using another = await shared("int other;");
  assertStringIncludes(await said(another.path), "it does not load");
});

test("useNative() after the first use throws, unless it is the same", NEEDS_NATIVE, async () => {
  const { stdout } = await runProgram(
    `${SAY}
     useNative(${JSON.stringify(NATIVE)}); say(); useNative(${JSON.stringify(NATIVE)});
     try { useNative("/other.so"); } catch (error) { console.log(error.message); }`,
    { env: NO_CHOICE },
  );
  const [first, second] = stdout.split("\n");
  assertEquals(first, "native");
  assertStringIncludes(second!, `Cannot use the native driver "/other.so"`);
  assertStringIncludes(second!, "is in use already");
});

test(
  "useNative() takes the URL of a file, and another after one that cannot be used",
  NEEDS_NATIVE,
  async () => {
    const { stdout, stderr } = await runProgram(
      `${SAY}
     import { pathToFileURL } from "node:url";
     useNative("/no such file.so"); say();
     useNative(pathToFileURL(${JSON.stringify(NATIVE)})); say();
     useNative(pathToFileURL(${JSON.stringify(NATIVE)}).href);`,
      { env: NO_CHOICE },
    );
    const [first, second] = stdout.split("\n");
    assertStringIncludes(first!, "it does not exist (ENOENT)");
    assertEquals(second, "native", stderr);
  },
);

test("useNative() throws TypeError for what is no text", () => {
  assertThrows(() => useNative(1 as unknown as string), TypeError, "Cannot use 1 as native driver");
});
