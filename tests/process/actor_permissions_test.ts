/**
 * What a launched process may do: what the process that launched it may, and no more.
 *
 * Method: a program with some permissions launches another; both answer the same questions.
 */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { type Finished, run, runProgram } from "../support/process.ts";
import { execPath, linked, NO_DENO, siblingUrl } from "../support/runtime.ts";

const QUESTIONS = siblingUrl("./launch_permissions.ts", import.meta.url);
const CHILD = siblingUrl("./launch_permissions_child.ts", import.meta.url);

const PARENT = `
  import { permissions } from ${JSON.stringify(QUESTIONS)};
  import { launchProcess } from "@postbox/postbox/src/actor/launch/launch.ts";
  async function launch() {
    const entryUrl = ${JSON.stringify(CHILD)};
    const { exited } = launchProcess({
      ...{ system: "shop", run: "1", endpoint: 3, incarnation: 1, actor: 1, label: "child" },
      moduleUrl: entryUrl,
      entryUrl,
    });
    const { kind, error } = await exited;
    console.log("parent | " + JSON.stringify(permissions()));
    if (kind === "threw") console.log("refused | " + JSON.stringify(error.message));
  }
`;

/** What a program prints on a line of somebody's. */
function said<T>(who: string, { stdout, stderr }: Finished): T {
  const line = stdout.split("\n").find((line) => line.startsWith(`${who} | `));
  if (line === undefined) throw new Error(`${who} said nothing: ${stdout}\n${stderr}`);
  return JSON.parse(line.slice(who.length + 3)) as T;
}

interface Case {
  /** The flags of the program; it has --allow-ffi in any case. */
  readonly flags: readonly string[];
  /** Some of the answers, so that it is not all the same to everything. */
  readonly answers: readonly string[];
  /** What the program does before it launches. */
  readonly before?: string;
  /** Its own arguments. */
  readonly args?: readonly string[];
}

const FFI = ["--allow-ffi", "--no-prompt", "--quiet"];

const CASES: Readonly<Record<string, Case>> = {
  "--allow-ffi --allow-run alone": {
    flags: [...FFI, "--allow-run"],
    answers: ["read: prompt", "write: prompt", "net: prompt", "env: prompt", "run: granted"],
  },
  "the executable alone for --allow-run": {
    flags: [...FFI, `--allow-run=${execPath()}`],
    answers: ["run: prompt", `run ${execPath()}: granted`, "run cat: prompt"],
  },
  "values, also in short flags, with commas in them, and more than one flag": {
    flags: [
      ...FFI,
      "--allow-run",
      "-R=/etc,/tmp/a,,b,relative",
      "-W=/tmp",
      "-SN=localhost:80,10.0.0.0/8",
      "--allow-env=HOME,POSTBOX_*",
      "--allow-import=localhost:8000",
    ],
    answers: [
      "read: prompt",
      "read /etc: granted",
      "read /tmp/a,b: granted",
      "read relative: granted",
      "write /tmp: granted",
      "net localhost:80: granted",
      "net localhost:81: prompt",
      "net 10.1.2.3: granted",
      "sys: granted",
      "env POSTBOX_ANY: granted",
      "import localhost:8000: granted",
      "import deno.land: prompt",
    ],
  },
  "everything but what is denied": {
    flags: [
      ...FFI,
      "--allow-run",
      "-RW",
      "--allow-net=localhost",
      "--deny-read=/etc/ssl",
      "--deny-run=cat",
      "--deny-net=localhost:81",
      "--deny-env",
    ],
    answers: [
      "read: partly granted",
      "read /etc: partly granted",
      "read /etc/ssl: denied",
      "write: granted",
      "run cat: denied",
      "net localhost:80: granted",
      "net localhost:81: denied",
      "env: denied",
    ],
  },
  "-A": {
    flags: ["-A", "--quiet"],
    answers: ["read: granted", "net: granted", "sys: granted", "import: granted"],
  },
  "what is left after Deno.permissions.revoke()": {
    flags: [...FFI, "--allow-run", "--allow-read", "--allow-write=/tmp,/etc"],
    before: `
      Deno.permissions.revokeSync({ name: "read" });
      Deno.permissions.revokeSync({ name: "write", path: "/tmp" });
    `,
    answers: ["read: prompt", "read /etc: prompt", "write /tmp: prompt"],
  },
  "no words of the program's own arguments": {
    flags: [...FFI, "--allow-run"],
    args: ["--allow-read=/etc", "-A", "--config=/nowhere.json"],
    answers: ["read: prompt", "read /etc: prompt"],
  },
};

for (const [name, { flags, answers, before = "", args = [] }] of Object.entries(CASES)) {
  test(`launchProcess gives: ${name}`, { not: NO_DENO }, async () => {
    const finished = await runProgram(`${PARENT} ${before} await launch();`, {
      permissions: flags,
      args: [...args],
    });
    const ours = said<string[]>("parent", finished), its = said<string[]>("child", finished);
    assertEquals(its, ours);
    assertEquals(answers.filter((answer) => !its.includes(answer)), []);
  });
}

test("System.spawn() in a process needs --allow-ffi and --allow-run alone, and reads no module", {
  not: NO_DENO,
}, async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    import { system, uniqueName } from "@postbox/postbox";
    import greeter from ${JSON.stringify(siblingUrl("./greeter.ts", import.meta.url))};
    await using shop = await system(uniqueName("alone").slice(1));
    const ref = await shop.spawn(greeter, { in: "process" });
    console.log(await ref.greet("Ada", { timeoutMs: 20_000 }));
  `,
    { permissions: [...FFI, "--allow-run"] },
  );
  assertEquals([code, stdout, stderr], [0, "hello Ada from file:\n", ""]);
});

test("launchProcess refuses when a denied path is relative to somewhere else", {
  not: NO_DENO,
}, async () => {
  const finished = await runProgram(`${PARENT} Deno.chdir("/"); await launch();`, {
    permissions: [...FFI, "--allow-run", "--allow-read", "--deny-read=relative"],
  });
  assertEquals(
    said<string>("refused", finished),
    'Cannot launch "child": what "relative" in --deny-read=relative means is not known any more, ' +
      "since the working directory was changed, expected an absolute path",
  );
});

test("launchProcess without --allow-run says what is missing", { not: NO_DENO }, async () => {
  const finished = await runProgram(`${PARENT} await launch();`, { permissions: FFI });
  assertStringIncludes(said<string>("refused", finished), "--allow-run");
});

test("deno eval launches a module that is a file", { not: NO_DENO }, async () => {
  const args = ["eval", "--quiet", linked(`${PARENT} await launch();`)];
  const finished = await run(execPath(), { args });
  assertEquals(said<string[]>("child", finished), said<string[]>("parent", finished));
});

test("whyNotLaunchable() finds a worker without --allow-read, and a text of deno eval", {
  not: NO_DENO,
}, async () => {
  const code = (moduleUrl: string) =>
    linked(`
      import { launchFacts, whyNotLaunchable } from "@postbox/postbox/src/actor/launch/launch.ts";
      const moduleUrl = ${moduleUrl};
      for (const kind of ["process", "worker"]) {
        console.log(kind + " | " + JSON.stringify(whyNotLaunchable(moduleUrl, launchFacts(kind, moduleUrl)) ?? null));
      }
    `);
  const file = await runProgram(code(`"file:///there/actor.ts"`));
  assertEquals(said<unknown>("process", file), null);
  assertStringIncludes(said<string>("worker", file), "a worker may not read /there/actor.ts");
  const text = await run(execPath(), { args: ["eval", "--quiet", code("import.meta.url")] });
  assertStringIncludes(said<string>("process", text), "a text that the runtime was given");
});
