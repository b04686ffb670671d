#!/usr/bin/env node
// The command `postbox` of the npm package: in Node 20 a module cannot see that it is the main one.
import process from "node:process";
import { run } from "../cli/main.js";

process.exitCode = await run(process.argv.slice(2));
