// Loaded before the snippet: what it may count on, whichever kind of module it is.
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");
const { Module, createRequire } = require("node:module");
const { dirname } = require("node:path");
const { Script } = require("node:vm");
const { isMainThread } = require("node:worker_threads");

// What `compile` makes of TypeScript.
const COMPILED = "/tmp/.snippet/main.mjs";
const MARK = "export {}; globalThis[Symbol.for('mini-agent.restore')]?.();";
// The runner starts programs itself; what they start loads this, too, and is left alone.
const isProgram = isMainThread && process.ppid === 1;

// The names of a CommonJS module, for one that uses `import`, or `await` at its top level, beside them.
function defineNames(program) {
  const load = createRequire("/workspace/main.js");
  const main = Object.assign(new Module(program), { filename: program });
  load.main = main;
  const names = { require: load, module: main, exports: main.exports, __filename: program, __dirname: dirname(program) };
  for (const [name, value] of Object.entries(names)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

// Node finds out by itself that a program awaits at its top level, but not of one that does so by `for await` alone.
function markModule(program) {
  const code = readFileSync(program, "utf8");
  const source = code.replace(/^#!/, "//");
  if (!/\bfor\s+await\b/.test(code) || !isRefused(source)) return;
  const restore = () => writeFileSync(program, code);
  Object.defineProperty(globalThis, Symbol.for("mini-agent.restore"), {
    configurable: true,
    value: () => (restore(), delete globalThis[Symbol.for("mini-agent.restore")]),
  });
  process.once("exit", () => globalThis[Symbol.for("mini-agent.restore")]?.());
  writeFileSync(program, MARK + source);
}

function isRefused(source) {
  try {
    return !new Script(Module.wrap(source));
  } catch (refused) {
    return refused.message === "Unexpected reserved word";
  }
}

function prepare() {
  const program = process.argv[1] ?? "/workspace/main.js";
  const isCompiled = program === COMPILED;
  defineNames(isCompiled ? "/workspace/main.ts" : program);
  // What a program of TypeScript says of its own lines is of those that its author knows.
  if (isCompiled) process.setSourceMapsEnabled(true);
  else if (isProgram && process.argv[1]) markModule(program);
}

// What does not fit into a pipe at once would be lost at `process.exit`.
if (isMainThread) for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
// A node that was started ahead of its program does this when it has one.
if (!process.env.MINI_AGENT_CONTROL) prepare();
module.exports = { prepare };
