// The head of a run: where it stands, what it has used, and in words why it stopped.

import { announce, el, say } from "./dom.js";
import { duration, money, number, whyStopped } from "./words.js";

const NAMES = ["State", "Model", "Turn", "Time", "Tokens", "Cost"];
const OVER = new Set(["done", "failed", "cancelled", "interrupted"]);

/** What is known of a run, gathered from its log, and shown. */
export class Facts {
  run = {
    state: "queued",
    model: "",
    turn: 0,
    maxTurns: 0,
    maxSeconds: 0,
    usage: [0, 0, 0],
    cost: 0,
    reason: null,
    source: null,
    error: null,
  };
  begin = 0;
  end = 0;

  constructor() {
    this.#shown = Object.fromEntries(NAMES.map((name) => [name, el("dd")]));
    const pairs = NAMES.map((name) => el("div", {}, el("dt", {}, name), this.#shown[name]));
    this.#why = el("p", { class: "why", hidden: true });
    this.element = el("div", {}, el("dl", { class: "facts" }, ...pairs), this.#why);
    this.#show();
  }

  #shown;
  #why;

  /** Whether nothing follows. */
  get isOver() {
    return OVER.has(this.run.state);
  }

  /** One line of the log. */
  take({ at, event }) {
    const { run } = this;
    if (this.begin === 0) this.begin = at;
    if (event.kind === "run_queued") run.model = event.request.model ?? "";
    else if (event.kind === "run_started") this.#started(event, at);
    else if (event.kind === "model_asked") run.turn = Math.max(run.turn, Math.min(event.iteration, run.maxTurns));
    else if (event.kind === "model_replied") this.#replied(event);
    else if (event.kind === "stopped") this.#stopped(event.result);
    else if (event.kind === "run_ended") this.#ended(event, at);
    else return;
    this.#show();
  }

  /** It is later now. */
  tick(now) {
    const spent = Math.max(0, (this.end || now) - this.begin);
    const limit = this.run.maxSeconds ? ` of ${duration(this.run.maxSeconds)}` : "";
    if (this.begin) say(this.#shown.Time, this.isOver ? duration(spent) : `${duration(spent)}${limit}`);
  }

  #started(event, at) {
    Object.assign(this.run, {
      state: "running",
      model: event.model,
      maxTurns: event.max_iterations,
      maxSeconds: event.max_wallclock_seconds,
    });
    this.begin = at;
    announce("The run has begun.");
  }

  #replied({ iteration, model, usage }) {
    const { run } = this;
    run.turn = Math.max(run.turn, iteration);
    run.model = model;
    run.usage = [usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens].map((n, i) => n + run.usage[i]);
    run.cost += usage.cost;
  }

  #stopped(result) {
    const { stopped_reason: reason, answer_source: source, error } = result;
    Object.assign(this.run, { reason, source, error });
    this.run.turn = Math.max(this.run.turn, result.iterations.length);
  }

  #ended(event, at) {
    this.run.state = event.state;
    this.run.error ??= event.error?.message ?? null;
    this.end = at;
    this.tick(at);
    announce(`The run is ${event.state}. ${whyStopped(this.run)}`);
  }

  #show() {
    const { run } = this;
    const [prompt, completion, cached] = run.usage;
    this.#shown.State.replaceChildren(pill(run.state));
    say(this.#shown.Model, run.model || "–");
    say(this.#shown.Turn, run.maxTurns ? `${run.turn} of ${run.maxTurns}` : "–");
    say(this.#shown.Tokens, `${number(prompt)} in${cached ? ` (${number(cached)} cached)` : ""}, ${number(completion)} out`);
    say(this.#shown.Cost, money(run.cost));
    const why = whyStopped(run);
    this.#why.hidden = why === "";
    const isCut = run.state !== "failed" && run.reason !== "success";
    this.#why.className = `why why-${isCut ? "cut" : run.state}`;
    say(this.#why, why);
  }
}

/** A state as a coloured word. */
export function pill(state) {
  return el("span", { class: `pill pill-${state}` }, state);
}
