// The MCP servers of ~/.codex/config.toml or a .mcp.json over HTTP: GET /tools, POST /invoke, GET /health.
// For local development: it listens on 127.0.0.1 alone. `mini-agent gateway` is the one with everything.
//   npm install && node server.mjs [--config FILE] [--port 8787]

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { parse as parseToml } from "smol-toml";

const ALLOWED = ["LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"];
const LARGEST_BODY = 32 << 20;
const { values: flags } = parseArgs({ options: { config: { type: "string" }, port: { type: "string", default: "8787" } } });

function configured() {
  const path = flags.config ?? join(process.env.CODEX_HOME ?? join(homedir(), ".codex"), "config.toml");
  const text = readFileSync(path, "utf8");
  const read = path.endsWith(".json") ? JSON.parse(text) : parseToml(text);
  for (const name of Object.keys(read.servers ?? {})) {
    console.error(`[servers.${name}] is the old way to write [mcp_servers.${name}]`);
  }
  return { ...read.servers, ...read.mcp_servers, ...read.mcpServers };
}

function expanded(value, where) {
  return value.replace(/\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g, (_, name, usual) => variable(name, where, usual));
}

function variable(name, where, usual) {
  const value = process.env[name] || usual;
  if (value === undefined) throw new Error(`${where}: the variable ${name} is not set`);
  return value;
}

function expandedValues(table, where) {
  return Object.fromEntries(Object.entries(table ?? {}).map(([key, value]) => [key, expanded(value, `${where}.${key}`)]));
}

function transportTo(name, table) {
  if (table.command && table.url) throw new Error(`${name}: there is both command and url; a server has one of them`);
  if (!table.command && !table.url) throw new Error(`${name}: there is neither command nor url`);
  if (table.url) {
    const headers = expandedValues(table.http_headers ?? table.headers, `${name}.http_headers`);
    for (const [header, from] of Object.entries(table.env_http_headers ?? {})) headers[header] = variable(from, name);
    if (table.bearer_token_env_var) headers.Authorization = `Bearer ${variable(table.bearer_token_env_var, name)}`;
    return new StreamableHTTPClientTransport(new URL(expanded(table.url, `${name}.url`)), { requestInit: { headers } });
  }
  const forwarded = [...ALLOWED, ...(table.env_vars ?? []).map((each) => each.name ?? each)];
  const passed = Object.fromEntries(forwarded.filter((key) => process.env[key]).map((key) => [key, process.env[key]]));
  return new StdioClientTransport({
    command: expanded(table.command, `${name}.command`),
    args: (table.args ?? []).map((value, place) => expanded(value, `${name}.args[${place}]`)),
    env: { ...getDefaultEnvironment(), ...passed, ...expandedValues(table.env, `${name}.env`) },
    cwd: table.cwd && expanded(table.cwd, `${name}.cwd`),
  });
}

class KeptServer {
  tools = [];
  failures = 0;
  error = "";

  constructor(name, table) {
    this.name = name;
    this.table = table;
    this.state = table.enabled === false || table.disabled ? "disabled" : "starting";
    this.tried = this.state === "disabled" ? Promise.resolve() : this.start();
  }

  async start() {
    const client = new Client({ name: "mini-agent-gateway", version: "0.1.0" });
    try {
      client.onclose = () => this.failed(client, "the server is gone");
      const timeout = (this.table.startup_timeout_sec ?? 30) * 1000;
      await client.connect(transportTo(this.name, this.table), { timeout });
      const { tools } = await client.listTools({}, { timeout });
      const { enabled_tools: enabled, disabled_tools: disabled } = this.table;
      this.tools = tools.filter(({ name }) => (enabled?.includes(name) ?? true) && !disabled?.includes(name));
      [this.client, this.state, this.error, this.failures] = [client, "running", "", 0];
    } catch (why) {
      this.failed(client, why.message);
      await client.close().catch(() => {});
    }
  }

  failed(client, why) {
    if (stopping || client.isOver) return;
    client.isOver = true;
    [this.state, this.error, this.tools] = ["failed", why, []];
    const pause = Math.min(1000 * 2 ** this.failures++, 60_000);
    setTimeout(() => stopping || this.start(), pause).unref();
  }

  async call(name, args, signal) {
    const timeout = (this.table.tool_timeout_sec ?? 60) * 1000;
    return this.client.callTool({ name, arguments: args }, undefined, { signal, timeout });
  }
}

let stopping = false;
let servers = [];

function catalog() {
  const found = new Map();
  for (const server of servers) {
    for (const tool of server.tools) {
      const name = `${server.name}__${tool.name}`.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 64);
      if (!found.has(name)) found.set(name, { server, tool });
    }
  }
  return found;
}

async function invoke(asked, signal) {
  const all = catalog();
  const bare = [...all.values()].filter(({ tool }) => tool.name === asked.name);
  const place = all.get(asked.name) ?? (bare.length === 1 ? bare[0] : undefined);
  if (!place) return problem(404, "unknown_tool", `there is no tool '${asked.name}'`, [...all.keys()].join(", "));
  const args = typeof asked.arguments === "string" ? JSON.parse(asked.arguments || "{}") : asked.arguments ?? {};
  const { content, isError, structuredContent } = await place.server.call(place.tool.name, args, signal);
  const text = content.map((block) => block.text ?? block.resource?.text ?? `(attached: ${block.mimeType ?? block.type})`).join("\n");
  const attachments = content.filter(({ data }) => data).map((block, place) => (
    { name: `${block.type}-${place + 1}`, media_type: block.mimeType, base64: block.data }));
  return [200, { [isError ? "error" : "text"]: text, data: structuredContent, ...(attachments.length && { attachments }) }];
}

async function answer(request, signal) {
  const { host = "", origin } = request.headers;
  const isHere = (url) => ["127.0.0.1", "localhost"].includes(URL.canParse(url) && new URL(url).hostname);
  if (!isHere(`http://${host}`) || (origin && !isHere(origin))) return problem(403, "forbidden", "only programs on this machine may call");
  await Promise.race([Promise.all(servers.map(({ tried }) => tried)), new Promise((done) => setTimeout(done, 10_000).unref())]);
  switch (`${request.method} ${request.url}`) {
    case "GET /tools":
      return [200, [...catalog()].map(([name, { tool }]) => (
        { type: "function", function: { name, description: tool.description ?? "", parameters: tool.inputSchema } }))];
    case "GET /health":
      return [200, { ok: servers.every(({ state }) => ["running", "disabled"].includes(state)), servers: servers.map(
        ({ name, state, tools, error }) => ({ name, state, tools: tools.length, error })) }];
    case "POST /invoke":
      return body(request).then((asked) => invoke(asked, signal));
    default:
      return problem(404, "not_found", "there are GET /tools, POST /invoke and GET /health");
  }
}

async function body(request) {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
    if (text.length > LARGEST_BODY) throw new Error("the body is too large");
  }
  return JSON.parse(text);
}

function problem(status, code, message, hint = "") {
  return [status, { error: { code, message, hint, request_id: crypto.randomUUID(), retryable: status === 503 } }];
}

function problemOf(why) {
  if (why instanceof SyntaxError) return problem(400, "malformed_json", why.message);
  if (why.code === -32001) return problem(504, "tool_timeout", why.message);
  return problem(503, "tools_unavailable", why.message);
}

const http = createServer(async (request, response) => {
  const leaving = new AbortController();
  response.on("close", () => leaving.abort());
  const [status, said] = await answer(request, leaving.signal).catch(problemOf);
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(said));
});

async function stop(status) {
  stopping = true;
  http.close();
  await Promise.all(servers.map(({ client }) => client?.close().catch(() => {})));
  process.exit(status === 1 ? 1 : 0);
}

try {
  servers = Object.entries(configured()).map(([name, table]) => new KeptServer(name, table));
} catch (why) {
  console.error(`mini-agent gateway: ${why.message}`);
  process.exit(1);
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, stop);
http.on("error", (why) => {
  console.error(`mini-agent gateway: ${why.message}; --port takes another`);
  stop(1);
});
http.listen(Number(flags.port), "127.0.0.1", () => console.error(`${servers.length} MCP servers at http://127.0.0.1:${http.address().port}/tools`));
