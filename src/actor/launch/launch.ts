/** The door of this folder: how an endpoint is launched, ended, and why it may be impossible. */

export type { ChildOutput, Launched, LaunchedAs, LaunchOptions, WorkerLimits } from "./launched.ts";
export { launchProcess } from "./launch_process.ts";
export { launchWorker } from "./launch_worker.ts";
export { type LaunchFacts, launchFacts, whyNotLaunchable } from "./why_not_launchable.ts";
