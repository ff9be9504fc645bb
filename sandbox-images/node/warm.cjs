// Loaded by a node that was started ahead of its program: waits until the runner says what to run.
// The arguments and variables come as JSON on a descriptor of their own; then node goes on by itself.
"use strict";
const { closeSync, readFileSync } = require("node:fs");
const Module = require("node:module");
const { isMainThread } = require("node:worker_threads");

// The program's workers load this again: they have nothing to wait for.
if (isMainThread) {
  // Made on first use otherwise, which takes longer than many a program.
  process.stdout.writable && require("node:util").inspect([{}]);
  const { prepare } = require("./require.cjs");
  const control = Number(process.env.MINI_AGENT_CONTROL);
  delete process.env.MINI_AGENT_CONTROL;
  const { program, args, env } = JSON.parse(readFileSync(control, "utf8"));
  closeSync(control);
  process.argv.splice(1, 1, program, ...args);
  // Node has decided by now what it runs, and lets this be decided anew.
  Module.runMain = Module.runMain.bind(undefined, program);
  process.execArgv.splice(process.execArgv.indexOf(__filename) - 1, 2);
  Object.assign(process.env, env);
  prepare();
}
