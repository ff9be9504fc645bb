// Elements made of values. Texts become text nodes, never markup: what a run printed stays inert.

const PROPERTIES = new Set(["hidden", "disabled", "open", "value", "checked", "selected", "tabIndex"]);
const WEB = /^(https?:|mailto:)/i;

/** An element; `on` holds listeners, `aria-...`, `class` and the like are attributes. */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [kind, told] of Object.entries(value)) made.addEventListener(kind, told);
    else if (PROPERTIES.has(name)) made[name] = value;
    else if (/^(on|style|srcdoc)/i.test(name)) throw new Error(`${name} is no attribute for el()`);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A button with words on it. */
export function button(words, told, given = {}) {
  return el("button", { type: "button", on: { click: told }, ...given }, words);
}

/** A link to elsewhere, if `address` is one of the web; else its words alone. */
export function outward(address, ...children) {
  if (!WEB.test(address)) return el("span", {}, ...children);
  const given = { href: address, target: "_blank", rel: "noopener noreferrer nofollow", title: address };
  return el("a", given, ...children);
}

/** Words that only a screen reader says. */
export function unseen(words) {
  return el("span", { class: "unseen" }, words);
}

/** Sets the text, if it is another one: what does not change is not told again. */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Tells it to screen readers, when they have a moment. */
export function announce(words) {
  say(document.getElementById("said"), words);
}

/** Calls `paint` once before the next frame, however often it is asked. */
export function painter(paint) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      paint();
    });
  };
}
