// The list of runs: newest first, searched and filtered, kept up to date while somebody looks.

import { inWords, read, serverTime } from "./api.js";
import { button, el, say } from "./dom.js";
import { pill } from "./facts.js";
import { counted, duration, moment, number } from "./words.js";

const STATES = ["queued", "running", "done", "failed", "cancelled", "interrupted"];
const SINCE = { "": "any time", 3600: "the last hour", 86400: "the last day", 604800: "the last week" };
const EVERY_MS = 2000;
const TYPING_MS = 200;
const A_PAGE = "25";

/** Shows the list in `main` until `signal` ends it. */
export function showList(main, signal) {
  document.title = "Runs · mini-agent";
  const list = new List(signal);
  main.replaceChildren(list.element);
  list.title.focus({ preventScroll: true });
  return list.keep();
}

class List {
  #wanted = new URLSearchParams(location.hash.split("?")[1] ?? "");
  #rows = new Map();
  #next = null;
  #asked = 0;

  constructor(signal) {
    this.signal = signal;
    this.title = el("h1", { tabindex: "-1" }, "Runs");
    this.runs = el("ol", { class: "runs", "aria-label": "Runs, newest first" });
    this.note = el("p", { class: "empty", role: "status" }, "Loading…");
    this.newest = button("← Newest", () => this.#change("before", ""));
    this.older = button("Older →", () => this.#change("before", this.#next));
    const paging = el("nav", { class: "paging", "aria-label": "Pages" }, this.newest, this.older);
    this.element = el("div", { class: "list" }, this.title, this.#filters(), this.note, this.runs, paging);
  }

  /** Keeps it up to date. */
  async keep() {
    while (!this.signal.aborted) {
      const wait = document.hidden ? 0 : await this.#load();
      await new Promise((next) => setTimeout(next, Math.max(EVERY_MS, wait * 1000)));
    }
  }

  #filters() {
    const search = el("input", {
      id: "q",
      type: "search",
      placeholder: "Prompt, answer, error or id",
      value: this.#wanted.get("q") ?? "",
      maxlength: "200",
    });
    let typing = 0;
    search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#change("q", search.value.trim()), TYPING_MS);
    });
    const state = this.#choice("state", [["", "any state"], ...STATES.map((each) => [each, each])]);
    const age = this.#choice("age", Object.entries(SINCE).sort(([a], [b]) => a - b));
    this.model = this.#choice("model", [["", "any model"]]);
    const fields = [["Search", search], ["State", state], ["Model", this.model], ["Begun", age]];
    const labelled = fields.map(([words, field]) => el("p", { class: "field" }, el("label", { for: field.id }, words), field));
    const form = el("form", { class: "filters", role: "search", "aria-label": "Runs" }, ...labelled);
    form.addEventListener("submit", (happened) => happened.preventDefault());
    return form;
  }

  #choice(name, options) {
    const chosen = this.#wanted.get(name) ?? "";
    if (chosen && !options.some(([value]) => value === chosen)) options.push([chosen, chosen]);
    const made = options.map(([value, words]) => el("option", { value, selected: value === chosen }, words));
    const select = el("select", { id: name }, ...made);
    select.addEventListener("change", () => this.#change(name, select.value));
    return select;
  }

  #change(name, value) {
    if (name !== "before") this.#wanted.delete("before");
    if (value) this.#wanted.set(name, value);
    else this.#wanted.delete(name);
    const query = this.#wanted.toString();
    // Kept in the address, so that a link, or a way back, has it; the view stays.
    history.replaceState(null, "", query ? `#/?${query}` : "#/");
    this.#load();
  }

  async #load() {
    const asked = ++this.#asked;
    const query = new URLSearchParams(this.#wanted);
    query.set("limit", A_PAGE);
    if (query.has("age")) query.set("since", Math.floor(serverTime() - Number(query.get("age"))));
    query.delete("age");
    try {
      const page = await read(`/runs?${query}`, { signal: this.signal });
      if (asked === this.#asked) this.#show(page);
    } catch (wrong) {
      if (this.signal.aborted) return 0;
      this.note.hidden = false;
      say(this.note, inWords(wrong));
      return wrong.retryAfter ?? 0;
    }
    return 0;
  }

  #show({ runs, next }) {
    this.#next = next;
    this.older.hidden = next === null;
    this.newest.hidden = !this.#wanted.has("before");
    this.note.hidden = runs.length > 0;
    const isFiltered = ["q", "state", "model", "age"].some((name) => this.#wanted.has(name));
    say(this.note, isFiltered ? "No run is like that." : "No runs yet. “New run” begins one.");
    const rows = runs.map((run) => this.#row(run));
    // An entry that exists keeps its element, and with it the focus.
    rows.forEach((row, at) => {
      if (this.runs.children[at] !== row.element) this.runs.insertBefore(row.element, this.runs.children[at] ?? null);
    });
    while (this.runs.children.length > rows.length) this.runs.lastChild.remove();
    this.#offer(runs);
  }

  #row(run) {
    if (!this.#rows.has(run.id)) this.#rows.set(run.id, new Row(run.id));
    const row = this.#rows.get(run.id);
    row.show(run);
    return row;
  }

  #offer(runs) {
    const known = new Set([...this.model.options].map((option) => option.value));
    for (const { model } of runs) {
      if (known.has(model)) continue;
      known.add(model);
      this.model.append(el("option", { value: model }, model));
    }
  }
}

class Row {
  #seen = "";

  constructor(id) {
    this.link = el("a", { href: `#/runs/${id}` });
    this.state = el("span", { class: "run-state" });
    this.facts = el("span", { class: "soft run-facts" });
    this.answer = el("span", { class: "run-answer" });
    this.element = el("li", {}, this.state, el("div", { class: "run-words" }, this.link, this.answer, this.facts));
  }

  show(run) {
    const took = (run.ended_at ?? serverTime()) - (run.started_at ?? run.created_at);
    const seen = JSON.stringify([run.state, run.iterations, run.answer, run.error, Math.round(took * 2)]);
    if (seen === this.#seen) return;
    this.#seen = seen;
    if (this.state.textContent !== run.state) this.state.replaceChildren(pill(run.state));
    say(this.link, run.prompt.trim().split("\n", 1)[0] || "(no prompt)");
    say(this.answer, run.state === "done" ? plain(run.answer) : (run.error ?? ""));
    this.answer.classList.toggle("is-wrong", run.state !== "done");
    const tokens = run.usage.prompt_tokens + run.usage.completion_tokens;
    const facts = [
      moment(run.created_at),
      run.model,
      duration(took),
      counted(run.iterations, "turn"),
      counted(run.tool_calls, "call"),
      `${number(tokens)} tokens`,
      run.caller && `by ${run.caller}`,
    ];
    say(this.facts, facts.filter(Boolean).join(" · "));
  }
}

/** A beginning of Markdown without its marks. */
function plain(text) {
  const bare = text.replace(/[*`]+/g, "").replace(/[#|]+|-{3,}|(?<=\s)[-+]\s/g, " ");
  return bare.replace(/\s+/g, " ").trim();
}
