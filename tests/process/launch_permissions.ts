/** What a process may do, in the same questions for whoever launches and whoever is launched. */

/** Whole permissions, and values that the tests give and that they do not. */
const QUESTIONS: readonly Deno.PermissionDescriptor[] = [
  { name: "read" },
  { name: "read", path: "/etc" },
  { name: "read", path: "/etc/ssl" },
  { name: "read", path: "/tmp/a,b" },
  { name: "read", path: "relative" },
  { name: "write" },
  { name: "write", path: "/tmp" },
  { name: "net" },
  { name: "net", host: "localhost:80" },
  { name: "net", host: "localhost:81" },
  { name: "net", host: "10.1.2.3" },
  { name: "env" },
  { name: "env", variable: "HOME" },
  { name: "env", variable: "POSTBOX_ANY" },
  { name: "run" },
  { name: "run", command: Deno.execPath() },
  { name: "run", command: "cat" },
  { name: "ffi" },
  { name: "sys" },
  { name: "sys", kind: "hostname" },
  { name: "sys", kind: "uid" },
  { name: "import" },
  { name: "import", host: "localhost:8000" },
  { name: "import", host: "deno.land" },
];

/** Question and answer, in a line each: `read /etc: granted`. */
export function permissions(): string[] {
  return QUESTIONS.map((question) => {
    const { state, partial } = Deno.permissions.querySync({ ...question });
    return `${Object.values(question).join(" ")}: ${partial ? "partly " : ""}${state}`;
  });
}
