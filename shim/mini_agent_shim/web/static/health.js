// The strip at the top: engine, sidecar, model, and how many sandboxes wait.

import { inWords, isSignedIn, read, signOut } from "./api.js";
import { button, el } from "./dom.js";

const EVERY_MS = 10_000;
const MARKS = { ok: "●", off: "✕", unknown: "○" };
const WORDS = { ok: "ok", off: "not there", unknown: "not known" };
const PARTS = ["engine", "sidecar", "model"];

/** Keeps the strip up to date, while somebody looks. */
export function keepHealth(strip) {
  const look = async () => {
    if (!document.hidden) await show(strip);
    setTimeout(look, EVERY_MS);
  };
  document.addEventListener("visibilitychange", () => document.hidden || show(strip));
  look();
}

async function show(strip) {
  let made;
  try {
    made = partsOf(await read("/status"));
  } catch (wrong) {
    made = [part("shim", { state: "off", detail: inWords(wrong) })];
  }
  if (isSignedIn()) made.push(button("Sign out", leave, { class: "link" }));
  const had = strip.querySelector("details[open]")?.dataset.name;
  if (strip.contains(document.activeElement) && had === undefined) return;
  strip.replaceChildren(...made);
  const again = had && strip.querySelector(`details[data-name="${had}"]`);
  if (again) again.open = true;
}

function partsOf(status) {
  const waiting = Object.entries(status.pools).sort();
  const told = waiting.map(([pool, level]) => `${pool} ${level}`).join(", ");
  const total = waiting.reduce((sum, [, level]) => sum + level, 0);
  const made = PARTS.map((name) => part(name, status[name]));
  if (waiting.length) {
    made.push(part("pools", { state: "ok", detail: `Warm sandboxes waiting: ${told}.` }, `${total} warm`));
  }
  return made;
}

function part(name, { state, detail, hint }, words) {
  const mark = el("span", { class: `mark-${state}`, "aria-hidden": "true" }, MARKS[state]);
  const spoken = words ? null : el("span", { class: "unseen" }, `: ${WORDS[state]}`);
  const summary = el("summary", {}, mark, ` ${words ?? name}`, spoken);
  const todo = hint ? el("p", { class: "soft" }, hint) : null;
  const told = el("div", { class: "health-detail" }, el("p", {}, detail || WORDS[state]), todo);
  return el("details", { "data-name": name, name: "health" }, summary, told);
}

function leave() {
  signOut();
  location.reload();
}
