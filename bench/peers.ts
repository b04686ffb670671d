/**
 * Packages of npm that do the same and still install, compiled for the Node that runs them where
 * they are not JavaScript alone.
 *
 * Rule: what is installed is what stands here, and a package that does not install never fails a
 * run: the run says so and goes on.
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { type Command, execute, kept } from "./program.ts";
import type { Node } from "./runtimes.ts";

const VERSIONS = {
  "posix-mq": "1.1.3",
  "shm-typed-array": "0.1.1",
  comedy: "2.1.7",
  comlink: "4.4.2",
  nact: "7.6.2",
  tarant: "3.1.40",
  xstate: "5.33.3",
} as const;

/** What the first two are compiled with. posix-mq asks for nan 2.14.0, which knows no Node from 20 on. */
const NAN_VERSION = "2.30.0";

/** A package that is measured beside Postbox. */
export type PeerName = keyof typeof VERSIONS;

/** An installed package. */
export interface Peer {
  /** Its name and version. */
  label: string;
  /** The command for bench/ts/NAME.ts on Node; its first argument is where the package is. */
  loop(name: string, ...args: string[]): Command;
}

/** Installs a package, unless it is there already. */
export async function peer(name: PeerName, node: Node): Promise<Peer> {
  const version = VERSIONS[name];
  const { node: nodeVersion } = /Node (?<node>[\d.]+)/.exec(node.version)!.groups!;
  const folder = await kept(
    `${name}-${version}-nan-${NAN_VERSION}-node-${nodeVersion}`,
    (fresh) => install(name, node, fresh),
  );
  return {
    label: `${name} ${version}`,
    loop: (loop, ...args) => node.loop(loop, folder, ...args),
  };
}

function install(name: PeerName, { home }: Node, folder: string): void {
  console.error(`Installing ${name} (kept in bench/build)`);
  const manifest = {
    private: true,
    dependencies: { [name]: VERSIONS[name] },
    overrides: { nan: NAN_VERSION },
    allowScripts: { [name]: true }, // npm 11 and later run none that is not named
  };
  writeFileSync(`${folder}/package.json`, JSON.stringify(manifest));
  const env = {
    PATH: `${home}/bin:${process.env.PATH}`, // npm, and what it compiles for
    npm_config_nodedir: home,
    NO_UPDATE_NOTIFIER: "1",
  };
  execute(["npm", "install", "--no-audit", "--no-fund"], { cwd: folder, env });
  execute([`${home}/bin/node`, "-e", `require(${JSON.stringify(name)})`], { cwd: folder });
}

/** The line of a failed installation that says why. */
export function firstErrorLine(error: unknown): string {
  const lines = String(error instanceof Error ? error.message : error).split("\n")
    .map((line) => line.replace(/^npm (error|ERR!)/, "").trim())
    .filter((line) => line !== "");
  return lines.find((line) => /\b(fatal )?error: /i.test(line)) ??
    lines.find((line) => /^(cannot (?!run)|\w*error\b)/i.test(line)) ?? lines[0] ??
    "no word of why";
}
