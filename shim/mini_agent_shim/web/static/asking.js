// The form for a new run, or for the same one with another prompt.

import { inWords, read, send } from "./api.js";
import { button, el, say } from "./dom.js";
import { promptOf, withPrompt } from "./request.js";

const LIMITS = [
  ["max_iterations", "Turns", "8", "1", "1000", "1"],
  ["max_wallclock_seconds", "Seconds", "300", "1", "86400", "any"],
];

/** Opens the form; what was `asked` before, if anything, is filled in. */
export function ask(asked = {}) {
  const prompt = el("textarea", { id: "prompt", rows: "8", required: true, value: promptOf(asked) });
  const model = el("input", {
    id: "model",
    autocomplete: "off",
    spellcheck: "false",
    value: asked.model ?? "",
    placeholder: "the default model",
  });
  const numbers = LIMITS.map(([name, , usual, min, max, step]) =>
    el("input", { id: name, type: "number", min, max, step, placeholder: usual, value: asked[name] ?? "" }),
  );
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  const start = el("button", { type: "submit", class: "primary" }, "Start");
  const form = el(
    "form",
    {},
    labelled("Prompt", prompt),
    el("div", { class: "fields" }, labelled("Model", model), ...numbers.map((input, at) => labelled(LIMITS[at][1], input))),
    trouble,
    el("div", { class: "actions" }, start, button("Cancel", () => shown.close())),
  );
  const title = el("h2", { id: "asking-title" }, asked.messages ? "Run again" : "New run");
  const shown = el("dialog", { class: "asking", "aria-labelledby": "asking-title" }, title, form);
  shown.addEventListener("close", () => shown.remove());
  form.addEventListener("submit", (happened) => {
    happened.preventDefault();
    begin(requestOf(asked, prompt.value, model.value, numbers), { shown, start, trouble });
  });
  prompt.addEventListener("keydown", (pressed) => {
    if (pressed.key === "Enter" && (pressed.ctrlKey || pressed.metaKey)) form.requestSubmit();
  });
  document.body.append(shown);
  shown.showModal();
  prompt.focus();
  nameDefault(model);
}

function requestOf(asked, prompt, model, numbers) {
  const { stream: _stream, ...kept } = withPrompt(asked, prompt);
  const request = { ...kept, model: model.trim(), background: true };
  numbers.forEach((input) => {
    if (input.value === "") delete request[input.id];
    else request[input.id] = Number(input.value);
  });
  return request;
}

async function begin(request, { shown, start, trouble }) {
  start.disabled = true;
  try {
    const run = await send("/agent/run", request);
    shown.close();
    location.hash = `#/runs/${run.id}`;
  } catch (wrong) {
    trouble.hidden = false;
    say(trouble, inWords(wrong));
  }
  start.disabled = false;
}

async function nameDefault(model) {
  try {
    const status = await read("/status");
    if (status.default_model) model.placeholder = status.default_model;
  } catch {
    // The form does without it.
  }
}

function labelled(words, input) {
  return el("p", { class: "field" }, el("label", { for: input.id }, words), input);
}
