// What was changed in a program between a failed attempt and the next one.

import { el, unseen } from "./dom.js";

const MOST_LINES = 400;
const AROUND = 2;

/** The changed lines with some around them; null where nothing changed, or it is too long to tell. */
export function difference(before, after) {
  const [old, now] = [before.split("\n"), after.split("\n")];
  if (before === after || old.length > MOST_LINES || now.length > MOST_LINES) return null;
  const told = steps(old, now);
  const isNear = told.map((_, at) => told.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(isChange));
  const made = el("pre", { class: "diff", tabindex: "0", role: "group", "aria-label": "Changed lines" });
  told.forEach((step, at) => {
    if (isNear[at]) made.append(lineOf(step));
    else if (isNear[at - 1]) made.append(el("span", { class: "diff-gap" }, "⋯\n"));
  });
  return made;
}

function isChange([kind]) {
  return kind !== "same";
}

function lineOf([kind, text]) {
  const marks = { same: ["  ", ""], gone: ["- ", "removed: "], new: ["+ ", "added: "] };
  const [mark, spoken] = marks[kind];
  return el(
    "span",
    { class: `diff-${kind}` },
    spoken ? unseen(spoken) : null,
    el("span", { "aria-hidden": "true" }, mark),
    `${text}\n`,
  );
}

/** The longest common lines, and what is between them. */
function steps(old, now) {
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const skip = Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
      common[i * width + j] = old[i] === now[j] ? common[(i + 1) * width + j + 1] + 1 : skip;
    }
  }
  const told = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) told.push(["same", old[i++], j++]);
    else if (j >= now.length || (i < old.length && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      told.push(["gone", old[i++]]);
    } else told.push(["new", now[j++]]);
  }
  return told;
}
