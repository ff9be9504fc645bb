// The shim's API: every request with the token, where there is one, and every error in words.

const KEY = "mini-agent-token";
// What the Date of an answer, in whole seconds, and the way here can make of two clocks that agree.
const AGREE_MS = 2000;
const AGAIN_MS = 300;
let door = null;
let ahead = 0;
let entering = null;

/** An answer that is an error, in the shim's words. */
export class Problem extends Error {
  constructor(status, said, retryAfter = 0) {
    super(said.message);
    this.status = status;
    this.code = said.code;
    this.hint = said.hint ?? "";
    this.retryAfter = retryAfter;
  }
}

/** `asks` is called where a token is needed; it resolves to one. */
export function whoSignsIn(asks) {
  door = asks;
}

/** Whether there is a token in this tab. */
export function isSignedIn() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Forgets the token. */
export function signOut() {
  sessionStorage.removeItem(KEY);
}

/** The answer to a request; `Problem` where it is an error. Asks for a token where one is wanted. */
export async function ask(path, given = {}) {
  for (;;) {
    const used = sessionStorage.getItem(KEY);
    const answer = await fetched(path, { ...given, headers: headersOf(given, used), cache: "no-store" });
    compareClocks(answer.headers.get("Date"));
    if (answer.ok) return answer;
    if (answer.status !== 401 || door === null) throw await problemIn(answer);
    await answer.body?.cancel();
    // Another request may have brought a better one meanwhile.
    if (used === sessionStorage.getItem(KEY)) await enter(used !== null);
  }
}

/** What time it is for the shim, in seconds. */
export function serverTime() {
  return (Date.now() + ahead) / 1000;
}

/** The JSON of an answer. */
export async function read(path, given) {
  return (await ask(path, given)).json();
}

/** Sends JSON, and reads the JSON that comes back. Sent twice it is done once. */
export function send(path, body) {
  const key = [...crypto.getRandomValues(new Uint32Array(4))].join("-");
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return read(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
}

/** Fetches it with the token and saves it as a file. */
export async function download(path, name) {
  save(await (await ask(path)).blob(), name);
}

/** Saves bytes or a text as a file of this name. */
export function save(content, name) {
  // No type that a browser would open: what a run left is hostile.
  const address = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** What went wrong, in one line. */
export function inWords(wrong) {
  if (!(wrong instanceof Problem)) return "The shim does not answer. Is it running?";
  return wrong.hint ? `${wrong.message} (${wrong.hint})` : wrong.message;
}

// What is asked for here can be asked for twice, and a network that has just changed is there again.
async function fetched(path, given) {
  try {
    return await fetch(path, given);
  } catch (wrong) {
    if (given.signal?.aborted) throw wrong;
    await new Promise((next) => setTimeout(next, AGAIN_MS));
    return fetch(path, given);
  }
}

function compareClocks(date) {
  const difference = Date.parse(date) - Date.now();
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) > AGREE_MS ? difference : 0;
}

function headersOf(given, token) {
  return token ? { ...given.headers, Authorization: `Bearer ${token}` } : given.headers;
}

function enter(wasWrong) {
  entering ??= door(wasWrong)
    .then((token) => sessionStorage.setItem(KEY, token))
    .finally(() => (entering = null));
  return entering;
}

async function problemIn(answer) {
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  try {
    return new Problem(answer.status, (await answer.json()).error, retryAfter);
  } catch {
    const said = { code: "unknown", message: `The shim answered with HTTP ${answer.status}.` };
    return new Problem(answer.status, said, retryAfter);
  }
}
