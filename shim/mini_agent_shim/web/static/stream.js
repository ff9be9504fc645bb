// The events of a run by fetch, which can send a token, as EventSource cannot. A connection that
// breaks is made again from the last number that came.

import { Problem, ask } from "./api.js";

const SILENCE_MS = 30_000;
const PAUSES_MS = [300, 1000, 2000, 5000];
const STEP_MS = 12;

/** Tells each line of a run's log to `told`, up to the last; `isConnected` hears how it stands. */
export async function follow(runId, { told, isConnected, signal }) {
  let last = 0;
  let failures = 0;
  const take = (line) => {
    last = line.seq;
    failures = 0;
    told(line);
    return line.event.kind === "run_ended";
  };
  while (!signal.aborted) {
    let wait = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)];
    try {
      if (await once(runId, last, take, isConnected, signal)) return;
    } catch (wrong) {
      if (signal.aborted) return;
      if (wrong instanceof Problem && wrong.status < 500 && wrong.status !== 429) throw wrong;
      wait = Math.max(wait, 1000 * (wrong.retryAfter ?? 0));
    }
    isConnected(false);
    failures += 1;
    await pause(wait, signal);
  }
}

async function once(runId, after, take, isConnected, signal) {
  const cut = new AbortController();
  const leave = () => cut.abort();
  signal.addEventListener("abort", leave);
  let silence = 0;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(leave, SILENCE_MS);
  };
  try {
    heard();
    const headers = after ? { "Last-Event-ID": String(after) } : {};
    const answer = await ask(`/runs/${runId}/events`, { headers, signal: cut.signal });
    isConnected(true);
    return answer.status === 204 || (await readAll(answer.body, take, heard));
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", leave);
  }
}

async function readAll(body, take, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const messages = new Messages();
  let since = performance.now();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    heard();
    for (const line of messages.in(value)) {
      if (take(JSON.parse(line))) return true;
      // A long log is read in steps, so that the page stays alive meanwhile.
      if (performance.now() - since > STEP_MS) {
        await new Promise((next) => setTimeout(next));
        since = performance.now();
      }
    }
  }
}

/** Takes server-sent events apart; a line that comes in many pieces is joined once. */
export class Messages {
  #pieces = [];

  /** The data of each message that is whole with this piece. */
  *in(text) {
    let start = 0;
    for (let end; (end = text.indexOf("\n", start)) >= 0; start = end + 1) {
      this.#pieces.push(text.slice(start, end));
      const line = this.#pieces.length === 1 ? this.#pieces[0] : this.#pieces.join("");
      this.#pieces = [];
      if (line.startsWith("data: ")) yield line.slice(6);
    }
    if (start < text.length) this.#pieces.push(text.slice(start));
  }
}

function pause(ms, signal) {
  return new Promise((over) => {
    const waiting = setTimeout(over, ms);
    signal.addEventListener("abort", () => (clearTimeout(waiting), over()), { once: true });
  });
}
