// A run's request: what was asked in it, the same with another prompt, and as a line for a shell.

import { isSignedIn } from "./api.js";

/** What the user asked last, as text. */
export function promptOf(request) {
  return textOf(lastOfUser(request.messages ?? [])?.content);
}

/** The request with another prompt; pictures that came with the old one stay. */
export function withPrompt(request, prompt) {
  const messages = [...(request.messages ?? [])];
  const last = lastOfUser(messages);
  const content = Array.isArray(last?.content)
    ? [{ type: "text", text: prompt }, ...last.content.filter((part) => part?.type !== "text")]
    : prompt;
  if (last) messages[messages.lastIndexOf(last)] = { ...last, content };
  else messages.push({ role: "user", content });
  return { ...request, messages };
}

/** The same request from a shell, where the token is in a variable. */
export function curlOf(request, origin) {
  const { background: _background, stream: _stream, ...asked } = request;
  const token = isSignedIn() ? ' \\\n  -H "Authorization: Bearer $MINI_AGENT_SHIM_TOKEN"' : "";
  const body = JSON.stringify(asked).replaceAll("'", String.raw`'\''`);
  return `curl -s ${origin}/agent/run -H 'Content-Type: application/json'${token} \\\n  -d '${body}'`;
}

function lastOfUser(messages) {
  return messages.findLast((message) => message?.role === "user");
}

function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (typeof part?.text === "string" ? part.text : "")).join("\n").trim();
}
