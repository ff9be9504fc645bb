// The turns of a run, one after the other: what the model said, and its calls.

import { CallCard, folded } from "./call.js";
import { el } from "./dom.js";
import { readable } from "./output.js";
import { duration, number } from "./words.js";

/** Takes the events of a run and shows them. */
export class Timeline {
  #turns = new Map();
  #calls = new Map();
  #failed = null;
  #lastWords = null;

  constructor() {
    this.element = el("ol", { class: "turns", "aria-label": "Turns" });
  }

  /** One event of the log. */
  take(event) {
    const shown = SHOWN[event.kind];
    if (shown) this[shown](event);
  }

  /** The answer is shown elsewhere, once is enough. */
  answered(text) {
    if (this.#lastWords?.text.trim() !== text.trim()) return;
    this.#lastWords.shown.className = "soft";
    this.#lastWords.shown.textContent = "It gave the answer, which is above.";
  }

  /** The run is over. */
  over() {
    for (const call of this.#calls.values()) call.cutOff();
  }

  replied(event) {
    const turn = this.#turn(event.iteration);
    const { usage } = event;
    const tokens = `${number(usage.prompt_tokens)} → ${number(usage.completion_tokens)} tokens`;
    const took = `${event.model}, ${duration(event.model_ms / 1000)}, ${tokens}`;
    turn.meta.append(el("span", {}, event.is_last_word ? `last word: ${took}` : took));
    if (event.repaired.length) {
      const what = event.repaired.map((each) => el("li", {}, each));
      turn.said.append(el("ul", { class: "repairs", "aria-label": "Repaired in the reply" }, ...what));
    }
    if (event.reasoning) {
      turn.said.append(folded("What the model thought", el("pre", { class: "words" }, readable(event.reasoning))));
    }
    if (event.text) {
      this.#lastWords = { text: event.text, shown: el("p", { class: "words" }, readable(event.text)) };
      turn.said.append(this.#lastWords.shown);
    }
    if (event.finish_reason === "length") {
      turn.said.append(el("p", { class: "wrong" }, "The reply was cut off by the model's token limit."));
    }
  }

  understood(event) {
    for (const call of event.calls) {
      this.#call(event.iteration, call.id).understood(call.name, call.arguments, this.#failed);
    }
  }

  repaired(event) {
    this.#call(event.iteration, event.tool_call_id).repaired(event.repaired);
  }

  started(event) {
    const call = this.#call(event.iteration, event.tool_call_id);
    call.understood(event.name, event.arguments, this.#failed);
    call.started();
  }

  printed(event) {
    this.#call(event.iteration, event.tool_call_id).printed(event.stream, event.text);
  }

  finished(event) {
    const call = this.#call(event.iteration, event.invocation.tool_call_id);
    call.finished(event.invocation);
    this.#failed = call.hasFailed ? call : null;
  }

  observed(event) {
    if (event.tool_call_id !== null) this.#call(event.iteration, event.tool_call_id).observed(event.text);
    else {
      const words = el("p", { class: "words" }, readable(event.text));
      this.#turn(event.iteration).calls.append(el("div", { class: "loop-said" }, el("h4", {}, "The loop said"), words));
    }
  }

  #call(iteration, id) {
    // The ids are the model's own words: two turns may use the same.
    const key = `${iteration} ${id}`;
    if (!this.#calls.has(key)) {
      const card = new CallCard(id, this.#calls.size + 1);
      this.#calls.set(key, card);
      this.#turn(iteration).calls.append(card.element);
    }
    return this.#calls.get(key);
  }

  #turn(iteration) {
    if (!this.#turns.has(iteration)) {
      const turn = { meta: el("p", { class: "soft turn-meta" }), said: el("div", { class: "said" }), calls: el("div") };
      const head = el("div", { class: "turn-head" }, el("h3", {}, `Turn ${iteration}`), turn.meta);
      this.element.append(el("li", { class: "turn" }, head, turn.said, turn.calls));
      this.#turns.set(iteration, turn);
    }
    return this.#turns.get(iteration);
  }
}

const SHOWN = {
  model_replied: "replied",
  calls_understood: "understood",
  call_repaired: "repaired",
  tool_started: "started",
  tool_output: "printed",
  tool_finished: "finished",
  observation: "observed",
};
