// Where the time went: one bar for each thing that took some, and the sums by kind.

import { el, painter, say } from "./dom.js";
import { duration } from "./words.js";

const KINDS = {
  wait: "waiting",
  model: "model",
  queue: "sandbox queue",
  start: "sandbox start",
  compile: "compiling",
  run: "program",
  tool: "rest of the call",
};
const MOST_ROWS = 200;

/** Takes the lines of a log; `tick` moves what is still going on. */
export class Waterfall {
  #bars = [];
  #open = new Map();
  #rows = [];
  #begin = null;
  #now = 0;
  #repaint = painter(() => this.#paint());

  constructor() {
    this.#list = el("ol", { class: "bars" });
    this.#sums = el("ul", { class: "sums" });
    const title = el("h2", { id: "waterfall-title" }, "Where the time went");
    const given = { class: "panel waterfall", "aria-labelledby": "waterfall-title" };
    this.element = el("section", given, title, this.#sums, this.#list);
  }

  #list;
  #sums;

  /** One line of the log. */
  take({ at, event }) {
    this.#begin ??= at;
    this.#now = Math.max(this.#now, at);
    const { kind } = event;
    if (kind === "run_queued") this.#from("queue", "Before the first turn", "wait", at);
    else if (kind === "run_started") this.#to("queue", at);
    else if (kind === "model_asked") this.#asked(event, at);
    else if (kind === "model_replied") this.#to("model", at);
    else if (kind === "tool_started") this.#from(`call ${event.tool_call_id}`, event.name, "tool", at);
    else if (kind === "tool_finished") this.#finished(event.invocation, at);
    else if (kind === "stopped" || kind === "run_ended") this.#ended(at);
    else return;
    this.#repaint();
  }

  /** It is later now. */
  tick(now) {
    if (now <= this.#now || this.#open.size === 0) return;
    this.#now = now;
    this.#repaint();
  }

  #ended(at) {
    for (const key of [...this.#open.keys()]) this.#to(key, at);
    // A run that was over long ago lasted no longer for being read now.
    this.#now = at;
  }

  #asked(event, at) {
    this.#to("model", at);
    this.#from("model", `Turn ${event.iteration}${event.because ? ", asked again" : ""}`, "model", at);
  }

  #finished(call, at) {
    const bar = this.#open.get(`call ${call.tool_call_id}`);
    if (bar && call.execution) bar.parts = partsOf(call.execution.timings_ms);
    this.#to(`call ${call.tool_call_id}`, at);
  }

  #from(key, label, kind, from) {
    const bar = { label, kind, from, to: null, parts: [] };
    this.#bars.push(bar);
    this.#open.set(key, bar);
  }

  #to(key, at) {
    const bar = this.#open.get(key);
    if (bar) bar.to = at;
    this.#open.delete(key);
  }

  #paint() {
    const shown = this.#bars.slice(-MOST_ROWS);
    while (this.#rows.length < shown.length) this.#rows.push(new Row(this.#list));
    const whole = Math.max(this.#now - this.#begin, 0.001);
    shown.forEach((bar, index) => this.#rows[index].show(bar, this.#begin, this.#now, whole));
    this.#sum(whole);
  }

  #sum(whole) {
    const sums = {};
    for (const bar of this.#bars) {
      const took = (bar.to ?? this.#now) - bar.from;
      const inside = bar.parts.reduce((sum, [, s]) => sum + s, 0);
      const kind = kindNow(bar);
      for (const [part, s] of bar.parts) sums[part] = (sums[part] ?? 0) + s;
      sums[kind] = (sums[kind] ?? 0) + Math.max(0, took - inside);
    }
    const told = Object.keys(KINDS).filter((kind) => sums[kind] >= 0.0005);
    const items = told.map((kind) => {
      const share = Math.round((100 * sums[kind]) / whole);
      const dot = el("span", { class: `dot kind-${kind}`, "aria-hidden": "true" });
      return el("li", {}, dot, `${KINDS[kind]} ${duration(sums[kind])} (${share} %)`);
    });
    this.#sums.replaceChildren(...items);
  }
}

class Row {
  constructor(list) {
    this.label = el("span", { class: "bar-label" });
    this.took = el("span", { class: "bar-took" });
    this.bar = el("span", { class: "bar" });
    this.parts = "";
    list.append(el("li", {}, this.label, this.took, el("span", { class: "bar-track", "aria-hidden": "true" }, this.bar)));
  }

  show(bar, begin, now, whole) {
    const took = (bar.to ?? now) - bar.from;
    say(this.label, bar.label);
    say(this.took, duration(took));
    this.bar.style.marginInlineStart = `${(100 * (bar.from - begin)) / whole}%`;
    this.bar.style.inlineSize = `${Math.max(0.4, (100 * took) / whole)}%`;
    const parts = `${kindNow(bar)} ${bar.parts.length}`;
    if (parts === this.parts) return;
    this.parts = parts;
    this.bar.className = `bar kind-${kindNow(bar)}`;
    this.bar.replaceChildren(...bar.parts.map(([kind, s]) => segment(kind, s / Math.max(took, 1e-6))));
  }
}

// Until the timings of a call are known, all of its time counts as its program.
function kindNow(bar) {
  return bar.kind === "tool" && bar.to === null ? "run" : bar.kind;
}

function segment(kind, share) {
  const made = el("span", { class: `kind-${kind}` });
  made.style.inlineSize = `${Math.min(100, 100 * share)}%`;
  return made;
}

function partsOf(took) {
  const parts = ["queue", "start", "compile", "run"].map((kind) => [kind, took[kind] / 1000]);
  return parts.filter(([, seconds]) => seconds > 0);
}
