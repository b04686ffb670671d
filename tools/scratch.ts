/**
 * The one folder of a run, and what is made in it once: the tarball, the mirror, the runtimes, the
 * native driver.
 *
 * Rule: nothing of a run is anywhere else, so that an interrupted one can take all of it away.
 */

import { build } from "../npm/build.ts";
import { mirror } from "./mirror.ts";
import { buildNative, whyNotBuildable, writeBindings } from "./native.ts";
import { install, type Runtime, type RuntimeName } from "./runtimes.ts";

/** The folder, and what is in it when it has been asked for. */
export class Scratch implements Disposable {
  readonly #path = Deno.makeTempDirSync({ prefix: "postbox-run-" });
  #tarball: Promise<string> | undefined;
  #mirror: Promise<string> | undefined;
  #native: Promise<string> | undefined;
  readonly #runtimes = new Map<RuntimeName, Promise<Runtime>>();

  constructor() {
    Deno.chmodSync(this.#path, 0o755); // for programs of other users
  }

  /** The path of the package's tarball, of this checkout. */
  tarball(): Promise<string> {
    return this.#tarball ??= (() => {
      console.log("\nBuilding the npm package");
      return build(`${this.#path}/tarball`);
    })();
  }

  /** The folder in which the package is installed, with the tests beside it. */
  mirror(): Promise<string> {
    return this.#mirror ??= (async () => {
      const tarball = await this.tarball();
      console.log("\nInstalling the npm package into an empty folder");
      const folder = `${this.#path}/mirror`;
      await Deno.mkdir(folder);
      await mirror(folder, tarball);
      return folder;
    })();
  }

  /** The path of the native driver, with its bindings beside it; empty where it cannot be built. */
  native(): Promise<string> {
    return this.#native ??= (async () => {
      const missing = await whyNotBuildable();
      if (missing !== undefined) {
        console.log(`\nNo native driver: ${missing}`);
        return "";
      }
      console.log("\nBuilding the native driver");
      const path = `${this.#path}/native/libpostbox_native.so`;
      await Deno.mkdir(`${this.#path}/native`);
      await Deno.copyFile(await buildNative(), path);
      await writeBindings(`${this.#path}/native/bindings.ts`);
      return path;
    })();
  }

  /** A runtime. */
  runtime(name: RuntimeName): Promise<Runtime> {
    const runtime = this.#runtimes.get(name) ?? (async () => {
      const folder = `${this.#path}/${name}`;
      await Deno.mkdir(folder);
      await Deno.chmod(folder, 0o755);
      return await install(name, folder);
    })();
    this.#runtimes.set(name, runtime);
    return runtime;
  }

  /** Removes the folder. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#path, { recursive: true });
  }
}
