// One run: followed live, read again, stopped, asked once more.

import { Problem, download, inWords, send, serverTime } from "./api.js";
import { ask as askFor } from "./asking.js";
import { curlOf, promptOf } from "./request.js";
import { announce, button, el, say } from "./dom.js";
import { Facts } from "./facts.js";
import { folded } from "./call.js";
import { markdown } from "./markdown.js";
import { readable } from "./output.js";
import { follow } from "./stream.js";
import { Timeline } from "./timeline.js";
import { Waterfall } from "./waterfall.js";

const TICK_MS = 200;
const TITLE_CHARS = 120;
// What is going on after an event, where that changes.
const TOLD = {
  run_queued: () => "Waiting for a place and a sandbox…",
  run_started: () => "",
  model_asked: ({ model, because }) => `Asking ${model}${because ? ` again: ${because}` : ""}…`,
  model_replied: () => "",
  tool_started: ({ name }) => `Running ${name}…`,
  tool_finished: () => "",
  stopped: () => "",
};

/** Shows the run in `main` until `signal` ends it. */
export function showRun(main, id, signal) {
  const view = new RunView(id);
  main.replaceChildren(view.element);
  view.title.focus();
  const ticking = setInterval(() => view.tick(), TICK_MS);
  signal.addEventListener("abort", () => clearInterval(ticking));
  return view.follow(signal);
}

class RunView {
  facts = new Facts();
  timeline = new Timeline();
  waterfall = new Waterfall();
  request = null;
  #doing = "";
  #since = 0;

  constructor(id) {
    this.id = id;
    this.title = el("h1", { tabindex: "-1" }, "Run");
    this.trouble = el("p", { class: "trouble", role: "alert", hidden: true });
    this.activity = el("p", { class: "activity", hidden: true });
    this.asked = el("div");
    this.answer = el("section", { class: "panel answer", "aria-label": "Answer", hidden: true });
    const back = el("a", { href: "#/" }, "Runs");
    const crumbs = el("nav", { class: "crumbs", "aria-label": "Way back" }, back, " / ", el("code", {}, id));
    const steps = el(
      "section",
      { "aria-labelledby": "steps-title" },
      el("h2", { id: "steps-title" }, "What happened"),
      this.timeline.element,
      this.activity,
    );
    const story = el("div", { class: "story" }, this.answer, steps);
    const times = el("aside", { "aria-label": "Times" }, this.waterfall.element);
    this.element = el(
      "article",
      { class: "run" },
      el("header", {}, crumbs, this.title, this.asked, this.facts.element, this.#actions(), this.trouble),
      el("div", { class: "columns" }, story, times),
    );
  }

  /** Follows the log to its end. */
  async follow(signal) {
    const isConnected = (is) => this.#say(is ? "" : "The connection is lost; trying again…");
    try {
      await follow(this.id, { told: (line) => this.take(line), isConnected, signal });
    } catch (wrong) {
      say(this.title, wrong instanceof Problem && wrong.status === 404 ? "There is no such run" : "This run cannot be shown");
      this.#say(inWords(wrong));
    }
  }

  /** One line of the log. */
  take(line) {
    const { event } = line;
    if (event.kind === "run_queued") this.#begun(event.request);
    this.facts.take(line);
    this.waterfall.take(line);
    this.timeline.take(event);
    this.#now(event, line.at);
    if (event.kind in TOLD) this.tick();
    if (event.kind === "stopped") this.#answered(event.result);
    if (event.kind === "run_ended") this.#over();
  }

  /** Time goes on. */
  tick() {
    if (this.facts.isOver) return;
    const now = serverTime();
    this.facts.tick(now);
    this.waterfall.tick(now);
    const s = Math.max(0, Math.floor(now - this.#since));
    this.activity.hidden = this.#doing === "";
    say(this.activity, s ? `${this.#doing} ${s} s` : this.#doing);
  }

  #actions() {
    this.stop = button("Stop", () => this.#stopped(), { class: "danger" });
    const again = button("Run again…", () => this.request && askFor(this.request));
    const curl = button("Copy as curl", () => this.#copied(curl));
    const bundle = button("Download bundle", () => this.#tried(download(`/runs/${this.id}/bundle`, `run-${this.id}.json`)));
    return el("div", { class: "actions", role: "group", "aria-label": "Actions" }, this.stop, again, curl, bundle);
  }

  #begun(request) {
    this.request = request;
    const prompt = promptOf(request);
    const first = prompt.trim().split("\n", 1)[0];
    say(this.title, first.slice(0, TITLE_CHARS) || "Run");
    document.title = `${first.slice(0, 60) || "Run"} · mini-agent`;
    const earlier = (request.messages?.length ?? 1) - 1;
    const isMore = prompt.trim() !== first || first.length > TITLE_CHARS;
    const said = el("pre", { class: "words", tabindex: "0" }, prompt);
    const before = earlier ? el("p", { class: "soft" }, `${earlier} earlier message${earlier > 1 ? "s" : ""} came with it.`) : null;
    if (isMore || earlier) this.asked.replaceChildren(folded("The whole request", said, before ?? ""));
  }

  #now(event, at) {
    if (!(event.kind in TOLD)) return;
    this.#doing = TOLD[event.kind](event);
    this.#since = at;
    if (event.kind === "tool_started") announce(`Turn ${event.iteration}: ${event.name} runs.`);
    if (event.kind === "tool_finished") announce(`${event.invocation.name} ${event.invocation.ok ? "succeeded" : "failed"}.`);
  }

  #answered(result) {
    const { answer_source: source, final_answer: words } = result;
    const title = { notice: "No answer", tool_output: "The last useful output, in place of an answer" }[source] ?? "Answer";
    // Only the model writes Markdown.
    const shown = source === "tool_output" ? el("pre", { tabindex: "0" }, readable(words)) : markdown(words);
    this.answer.classList.toggle("is-none", source !== "model");
    this.answer.replaceChildren(el("h2", {}, title), shown);
    this.answer.setAttribute("aria-label", title);
    this.answer.hidden = false;
    this.timeline.answered(words);
  }

  #over() {
    this.#doing = "";
    this.activity.hidden = true;
    this.timeline.over();
    if (this.stop === document.activeElement) this.title.focus();
    this.stop.hidden = true;
  }

  async #stopped() {
    // Not disabled, which would take the focus from it.
    if (this.stop.textContent !== "Stop") return;
    say(this.stop, "Stopping…");
    await this.#tried(send(`/runs/${this.id}/cancel`));
    say(this.stop, "Stop");
  }

  async #copied(where) {
    const curl = curlOf(this.request ?? {}, location.origin);
    try {
      await navigator.clipboard.writeText(curl);
      say(where, "Copied");
      announce("Copied as curl.");
      setTimeout(() => say(where, "Copy as curl"), 2000);
    } catch {
      this.asked.append(el("pre", { class: "program", tabindex: "0" }, curl));
    }
  }

  async #tried(doing) {
    try {
      await doing;
      this.#say("");
    } catch (wrong) {
      this.#say(inWords(wrong));
    }
  }

  #say(trouble) {
    this.trouble.hidden = trouble === "";
    say(this.trouble, trouble);
  }
}
