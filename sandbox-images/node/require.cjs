// Loaded before the snippet: `require` also exists in a snippet that uses `import`.
globalThis.require = require("node:module").createRequire("/workspace/main.js");
