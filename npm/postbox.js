#!/usr/bin/env node
// The command `postbox` of the npm package: in Node 20 a module cannot see that it is the main one.
import { run } from "../cli/main.js";

// Not by importing node:process: that would make the standard streams, and pipes nonblocking.
const { process } = globalThis;
process.exitCode = await run(process.argv.slice(2));
