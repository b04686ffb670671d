/**
 * Which flags another process of Deno gets. What Deno makes of them: tests/process/actor_permissions_test.ts.
 */

import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { denoFlags, type PermissionAnswer } from "../../src/sys/deno_flags.ts";

/** What is granted, partly granted and denied, as `read` or `read /etc`; all else would be asked. */
interface Answers {
  granted?: readonly string[];
  partly?: readonly string[];
  denied?: readonly string[];
}

function flags(
  words: readonly string[],
  { granted = [], partly = [], denied = [] }: Answers = {},
  { files = [], v8Flags = [], mainUrl = "file:///home/app/src/main.ts" }: {
    files?: string[];
    v8Flags?: string[];
    mainUrl?: string;
  } = {},
): string[] {
  return denoFlags({
    words,
    query(question): PermissionAnswer {
      const asked = Object.values(question).join(" ");
      if (partly.includes(asked)) return { state: "granted", partial: true };
      return {
        state: granted.includes(asked) ? "granted" : denied.includes(asked) ? "denied" : "prompt",
      };
    },
    mainUrl,
    isFile: (path) => files.includes(path),
  }, v8Flags).filter((flag) => flag !== "--no-prompt" && flag !== "--quiet");
}

const ALL = ["read", "write", "net", "env", "sys", "run", "ffi", "import"];
const NO_CONFIG = ["--no-config"];

/** Without what says which configuration file there is. */
function permissionsOf(words: readonly string[], answers: Answers): string[] {
  return flags(words, answers).filter((flag) => flag !== "--no-config");
}

test("denoFlags() asks nobody, and gives nothing that is not granted", () => {
  const given = denoFlags({
    words: ["--allow-read", "--allow-net=localhost"],
    query: () => ({ state: "prompt" }),
    mainUrl: "data:text/javascript,",
    isFile: () => false,
  }, []);
  assertEquals(given, ["--no-prompt", "--quiet"]);
});

test("denoFlags() gives --allow-all only where it was given and nothing was taken back", () => {
  assertEquals(permissionsOf(["-A"], { granted: ALL }), ["--allow-all"]);
  const each = ALL.map((kind) => `--allow-${kind}`);
  assertEquals(permissionsOf(["--allow-read"], { granted: ALL }), each);
  const [, ...rest] = ALL;
  assertEquals(permissionsOf(["--allow-all"], { granted: rest }), each.slice(1));
  assertEquals(permissionsOf(["-A"], { granted: rest, partly: ["read"] }), each.slice(1));
});

test("denoFlags() gives the values that hold, of every flag that has some", () => {
  assertEquals(
    permissionsOf(["--allow-read=/a,/b,,c", "-SR=/d,/e", "--allow-write=/a"], {
      granted: ["read /a", "read /b,c", "read /e"],
    }),
    ["--allow-read=/a,/b,,c,/e"],
  );
});

test("denoFlags() gives a network if its address holds", () => {
  const answers = { granted: ["net 10.0.0.0"] };
  assertEquals(permissionsOf(["-N=10.0.0.0/8,11.0.0.0/8"], answers), ["--allow-net=10.0.0.0/8"]);
});

test("denoFlags() gives no value that Deno does not understand", () => {
  const given = denoFlags({
    words: ["--allow-net=:80"],
    query(question) {
      if (question.host !== undefined) throw new TypeError("no host");
      return { state: "prompt" };
    },
    mainUrl: "data:text/javascript,",
    isFile: () => false,
  }, []);
  assertEquals(given.filter((flag) => flag.includes("net")), []);
});

test("denoFlags() passes on what is denied or ignored", () => {
  assertEquals(
    permissionsOf(["--allow-read", "--deny-read=/a", "--ignore-env=HOME"], { partly: ["read"] }),
    ["--allow-read", "--deny-read=/a", "--ignore-env=HOME"],
  );
});

test("denoFlags() does not give what is denied in part by no flag: a permission set, a revocation", () => {
  assertEquals(permissionsOf(["-P"], { partly: ["read"], granted: ["net"] }), ["--allow-net"]);
  assertEquals(permissionsOf(["--allow-read=/a"], { partly: ["read /a"] }), []);
});

test("denoFlags() throws when a denied path means another file by now", () => {
  const words = ["--allow-read", "--deny-read=secret"];
  assertEquals(permissionsOf(words, { partly: ["read"], denied: ["read secret"] }), words);
  assertThrows(() => flags(words, { granted: ["read"] }), Error, "working directory");
});

test("denoFlags() passes on what decides which modules are found, and nothing else", () => {
  const words = [
    "run",
    "--no-lock",
    "--config",
    "/there/deno.json",
    "--import-map=map.json",
    "--watch",
    "--inspect=127.0.0.1:0",
    "--cached-only",
    "--unstable-kv",
    "--preload",
    "before.ts",
    "--cert",
    "ca.pem",
    "--reload",
    "main.ts",
  ];
  assertEquals(flags(words), [
    ...["--no-lock", "--config", "/there/deno.json", "--import-map=map.json"],
    ...["--cached-only", "--unstable-kv", "--cert", "ca.pem"],
  ]);
});

test("denoFlags() names the configuration file that Deno found above the main module", () => {
  const files = ["/home/deno.json", "/home/app/deno.jsonc"];
  assertEquals(flags([], {}, { files }), ["--config", "/home/app/deno.jsonc"]);
  assertEquals(flags([], {}, { files: ["/deno.json"] }), ["--config", "/deno.json"]);
  assertEquals(flags([], {}), NO_CONFIG);
  assertEquals(flags(["--no-config"], {}, { files }), NO_CONFIG);
  assertEquals(flags([], {}, { files: ["/home/app/package.json"] }), []);
  assertEquals(flags([], {}, { mainUrl: "https://deno.land/x/main.ts" }), []);
});

test("denoFlags() gives V8 its flags in one", () => {
  const given = flags(["--v8-flags=--expose-gc,--stack-size=900"], {}, { v8Flags: ["--jitless"] });
  assertEquals(given, [...NO_CONFIG, "--v8-flags=--expose-gc,--stack-size=900,--jitless"]);
});
