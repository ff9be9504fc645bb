// What a program prints, as it comes: the end of it is shown, the whole of it can be saved.

import { save } from "./api.js";
import { button, el, painter, say } from "./dom.js";
import { bytes } from "./words.js";

const SHOWN = 30_000;
const AT_BOTTOM = 24;
// Colours and other wishes to a terminal, and characters that are none.
const ESCAPES = /\u001b(?:\[[\d;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** One stream of one call. */
export class Output {
  #pieces = [];
  #tail = "";
  #written = document.createTextNode("");
  #length = 0;
  #cut = "";

  constructor(stream, owner) {
    const name = `${stream} of ${owner}`;
    this.#pre = el("pre", { tabindex: "0", role: "group", "aria-label": name }, this.#written);
    this.#note = el("span", { class: "soft" });
    this.#all = button("Save all of it", () => save(this.#pieces.join(""), `${stream}.txt`), {
      class: "link",
      hidden: true,
      "aria-label": `Save all of ${name}`,
    });
    const head = el("div", { class: "stream-head" }, el("h5", {}, stream), this.#note, this.#all);
    this.element = el("div", { class: `stream ${stream}`, hidden: true }, head, this.#pre);
    this.#repaint = painter(() => this.#paint());
  }

  #pre;
  #note;
  #all;
  #repaint;

  /** The next piece. */
  add(text) {
    if (text === "") return;
    this.#pieces.push(text);
    this.#length += text.length;
    this.#tail += text;
    // Cut now and then, so that a piece costs no more than itself.
    if (this.#tail.length > 4 * SHOWN) this.#tail = this.#tail.slice(-SHOWN);
    this.#repaint();
  }

  /** It is over: `text` is what is kept of it; `written` bytes there were, where it was cut. */
  settle(text, isCut, written) {
    if (isCut) this.#cut = `cut by the output limit; the program wrote ${bytes(written)}`;
    // What came in pieces may be more than what is kept.
    if (text.length > this.#length) {
      [this.#pieces, this.#length, this.#tail] = [[text], text.length, text.slice(-SHOWN)];
    }
    this.#repaint();
  }

  #paint() {
    this.element.hidden = this.#length === 0;
    const isLong = this.#length > SHOWN;
    const wasAtBottom = this.#pre.scrollHeight - this.#pre.scrollTop - this.#pre.clientHeight < AT_BOTTOM;
    this.#written.data = readable(isLong ? fromLineStart(this.#tail.slice(-SHOWN)) : this.#tail);
    this.#all.hidden = !isLong;
    const shown = isLong ? `the end of ${bytes(this.#length)}` : "";
    say(this.#note, [shown, this.#cut].filter(Boolean).join(" · "));
    if (wasAtBottom) this.#pre.scrollTop = this.#pre.scrollHeight;
  }
}

/** A text without what only a terminal, or a trick, has use for. */
export function readable(text) {
  return text.replace(ESCAPES, "").replace(/\r\n/g, "\n").replace(CONTROLS, "\ufffd");
}

function fromLineStart(text) {
  const end = text.indexOf("\n");
  return end >= 0 && end < 2000 ? text.slice(end + 1) : text;
}
