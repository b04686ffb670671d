/**
 * This checkout over HTTP, for programs that import it by URL: with no configuration file, no import
 * map, no lock file and an empty cache. Deno alone imports over HTTP.
 */

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { type Finished, run, temporaryFolder } from "./process.ts";
import { execPath, ROOT } from "./runtime.ts";

/** A server of the checkout and an empty place to start programs in; gone at the end of the scope. */
export interface Site extends AsyncDisposable {
  url: string;
  /** The paths that were asked for. */
  served: string[];
  /** Runs TypeScript given as text, with FFI alone. */
  run(code: string, flags?: string[]): Promise<Finished>;
  /** Runs a file of the checkout by its URL, with FFI alone and what npm has to offer. */
  runUrl(path: string, args: string[], flags?: string[]): Promise<Finished>;
}

export function serveCheckout(): Site {
  const served: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
    served.push(path);
    try {
      const text = readFileSync(`${ROOT}${path}`, "utf8");
      return new Response(text, { headers: { "content-type": "application/typescript" } });
    } catch (error) {
      return new Response(String(error), { status: 404 });
    }
  });
  const host = `127.0.0.1:${server.addr.port}`;
  const folder = temporaryFolder(), directory = folder.path;
  mkdirSync(`${directory}/empty`);
  const start = (flags: string[], program: string, args: string[] = []) =>
    run(execPath(), {
      args: [
        ...["run", "--no-config", "--no-lock", "--no-prompt", "--quiet", "--allow-ffi"],
        ...[`--allow-import=${host}`, ...flags, program, ...args],
      ],
      cwd: `${directory}/empty`,
      env: { DENO_DIR: `${directory}/cache` },
    });
  return {
    url: `http://${host}`,
    served,
    async run(code, flags = []) {
      writeFileSync(`${directory}/program.ts`, code);
      return await start(flags, `${directory}/program.ts`);
    },
    async runUrl(path, args, flags = []) {
      // The npm packages are not what is tested here, so they need not be fetched again.
      mkdirSync(`${directory}/cache`, { recursive: true });
      symlinkSync(await npmCache(), `${directory}/cache/npm`);
      return await start(flags, `http://${host}/${path}`, args);
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      folder[Symbol.dispose]();
    },
  };
}

async function npmCache(): Promise<string> {
  const { stdout } = await run(execPath(), { args: ["info", "--json"] });
  const { npmCache } = JSON.parse(stdout) as { npmCache: string };
  return npmCache;
}
