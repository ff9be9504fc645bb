// The node image: require, import and top-level await all work in one file.
import { readFileSync } from "node:fs";
const path = require("node:path");
const text = await Promise.resolve(readFileSync("main.js", "utf8"));
if (path.extname("main.js") === ".js" && text.includes("smoke")) console.log("smoke ok");
