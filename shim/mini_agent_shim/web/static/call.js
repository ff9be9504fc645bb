// One tool call: its program, what it prints while it runs, how it ended, what it left.

import { difference } from "./diff.js";
import { button, el, say } from "./dom.js";
import { highlighted, languageOf } from "./highlight.js";
import { hasTable, leftBy } from "./left.js";
import { Output, readable } from "./output.js";
import { bytes, duration, howItEnded } from "./words.js";

const CODE_FIELDS = ["code", "cmd"];
const FOLDED_LINES = 24;

/** The card of a call. `before` is the program of the failed call that this one repairs. */
export class CallCard {
  constructor(id, number) {
    this.id = id;
    this.number = number;
    this.name = "";
    this.program = "";
    this.hasFailed = false;
    this.#title = el("h4");
    this.#state = el("span", { class: "state" });
    this.#took = el("span", { class: "soft" });
    this.#repairs = el("ul", { class: "repairs", "aria-label": "Repaired before it was run" });
    this.#asked = el("div", { class: "asked" });
    this.#streams = el("div", { class: "streams" });
    this.#after = el("div", { class: "after" });
    const head = el("div", { class: "call-head" }, this.#title, this.#state, this.#took);
    this.element = el("section", { class: "call" }, head, this.#repairs, this.#asked, this.#streams, this.#after);
  }

  #title;
  #state;
  #took;
  #repairs;
  #asked;
  #streams;
  #after;
  #outputs = {};

  /** What is asked of which tool. */
  understood(name, given, failed) {
    if (this.name) return;
    this.name = name;
    this.element.setAttribute("aria-label", `Call ${this.number}: ${name}`);
    say(this.#title, name);
    this.#show("waiting", "waiting");
    const field = CODE_FIELDS.find((each) => typeof given[each] === "string");
    const { [field]: program, ...others } = given;
    this.program = program ?? "";
    if (this.program) this.#asked.append(programOf(this.program, languageOf(name), name));
    if (Object.keys(others).length || !this.program) this.#asked.append(argumentsOf(others));
    const changed = failed?.name === name && this.program ? difference(failed.program, this.program) : null;
    if (changed) this.#asked.append(folded("Changed since the failed attempt", changed));
    for (const stream of ["stdout", "stderr"]) {
      this.#outputs[stream] = new Output(stream, `${name}, call ${this.number}`);
      this.#streams.append(this.#outputs[stream].element);
    }
  }

  /** It runs. */
  started() {
    this.#show("running", "running");
  }

  /** It prints. */
  printed(stream, text) {
    this.#outputs[stream]?.add(text);
  }

  /** What was put right in it. */
  repaired(what) {
    this.#repairs.append(...what.map((each) => el("li", {}, each)));
  }

  /** It has ended. */
  finished(call) {
    this.understood(call.name, call.arguments, null);
    this.hasFailed = !call.ok;
    const wasCut = this.element.dataset.state === "running" && call.rc === null && !call.ok;
    const run = call.execution;
    const hitLimit = ["timeout", "oom", "output_limit", "killed"].includes(run?.status);
    this.#show(call.ok ? "ok" : hitLimit ? "limit" : "bad", wasCut ? "no result" : howItEnded(call));
    say(this.#took, duration(call.duration_ms / 1000));
    for (const stream of ["stdout", "stderr"]) {
      this.#outputs[stream].settle(call[stream], run?.truncated[stream], run?.[`${stream}_bytes`]);
    }
    if (call.error) this.#after.append(el("p", { class: "wrong" }, call.error));
    // What is drawn as a table is not shown as text as well.
    if (run?.result_repr && !hasTable(run.rich)) this.#after.append(valueOf(run.result_repr));
    const left = leftBy(call);
    if (left.length) this.#after.append(el("div", { class: "left" }, ...left));
    if (run) this.#after.append(folded("Limits and times of its sandbox", factsOf(run)));
  }

  /** What the model is told of it. */
  observed(text) {
    this.#after.append(folded("What the model was told", el("pre", { tabindex: "0" }, readable(text))));
  }

  /** The run is over: what has not ended by itself was ended. */
  cutOff() {
    if (/^(waiting|running)$/.test(this.#state.textContent)) this.#show("limit", "ended with the run");
  }

  #show(kind, words) {
    this.element.dataset.state = kind;
    say(this.#state, words);
  }
}

/** Something to open. */
export function folded(title, ...inside) {
  return el("details", {}, el("summary", {}, title), ...inside);
}

function programOf(program, language, name) {
  const given = { class: "program", tabindex: "0", role: "group", "aria-label": `Program of ${name}` };
  const made = el("pre", given, highlighted(program, language));
  if (program.split("\n").length <= FOLDED_LINES) return made;
  made.classList.add("long");
  const all = button("Show the whole program", () => {
    const isLong = made.classList.toggle("long");
    say(all, isLong ? "Show the whole program" : "Show its beginning");
  });
  all.className = "link";
  return el("div", {}, made, all);
}

function argumentsOf(given) {
  const made = highlighted(JSON.stringify(given, null, 2), "json");
  return el("pre", { class: "program", tabindex: "0", role: "group", "aria-label": "Arguments" }, made);
}

function valueOf(text) {
  const shown = el("pre", { tabindex: "0", role: "group", "aria-label": "Value" }, readable(text));
  return el("div", { class: "stream" }, el("div", { class: "stream-head" }, el("h5", {}, "value")), shown);
}

function factsOf(run) {
  const { limits, timings_ms: took, sandbox } = run;
  const facts = {
    Time: `${duration(took.run / 1000)} of ${duration(limits.timeout_s)}`,
    Memory: `at most ${limits.memory_mb} MiB${run.oom_events ? `, reached ${run.oom_events} times` : ""}`,
    Processors: `${limits.cpus}`,
    Processes: `at most ${limits.pids}`,
    Output: `at most ${bytes(limits.output_bytes)} a stream`,
    Workspace: `at most ${limits.workspace_mb} MiB`,
    Network: sandbox.network,
    Image: sandbox.image,
    Runtime: sandbox.runtime,
    "Waiting, starting, compiling": [took.queue, took.start, took.compile].map((ms) => duration(ms / 1000)).join(", "),
    Ended: run.signal ? `by signal ${run.signal}` : `with ${run.exit_code}`,
  };
  const made = Object.entries(facts).map(([name, fact]) => el("div", {}, el("dt", {}, name), el("dd", {}, fact)));
  return el("dl", { class: "small-facts" }, ...made);
}
