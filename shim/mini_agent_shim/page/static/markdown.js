// Markdown as elements: built node by node from texts, so that nothing in it can become markup.

import { el } from "./dom.js";
import { highlighted } from "./highlight.js";
import { inline } from "./inline.js";

const LONGEST = 200_000;
const DEEPEST = 6;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:\s+|$)/;
const TABLE_LINE = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** An element with the text as it is meant; a text that is too long is shown as it is. */
export function markdown(text) {
  const made = el("div", { class: "prose" });
  if (text.length > LONGEST) made.append(el("pre", {}, text));
  else made.append(...blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0));
  return made;
}

function blocks(lines, depth) {
  if (depth > DEEPEST) return [el("p", {}, lines.join("\n"))];
  const made = [];
  const rest = new Lines(lines);
  while (!rest.isOver) {
    const block = fence(rest) ?? heading(rest) ?? rule(rest) ?? quote(rest, depth) ?? list(rest, depth);
    const next = block ?? table(rest) ?? paragraph(rest);
    if (next !== "") made.push(next);
  }
  return made;
}

class Lines {
  constructor(lines) {
    this.lines = lines;
    this.at = 0;
  }

  get isOver() {
    return this.at >= this.lines.length;
  }

  get now() {
    return this.lines[this.at];
  }

  /** The lines from here on for which `belongs` is true. */
  while(belongs) {
    const from = this.at;
    while (!this.isOver && belongs(this.now, this.at - from)) this.at += 1;
    return this.lines.slice(from, this.at);
  }
}

function fence(rest) {
  const opening = FENCE.exec(rest.now);
  if (!opening) return null;
  rest.at += 1;
  const [, marks, language] = opening;
  const isEnd = (line) => new RegExp(`^ {0,3}${marks[0]}{${marks.length},}\\s*$`).test(line);
  const code = rest.while((line) => !isEnd(line));
  rest.at += 1;
  const given = { tabindex: "0", role: "group", "aria-label": `Code${language && `, ${language}`}` };
  return el("pre", given, highlighted(code.join("\n"), language.toLowerCase()));
}

function heading(rest) {
  const found = HEADING.exec(rest.now);
  if (!found) return null;
  rest.at += 1;
  // The page has its own first and second headings.
  return el(`h${Math.min(6, found[1].length + 2)}`, {}, ...inline(found[2]));
}

function rule(rest) {
  if (!RULE.test(rest.now)) return null;
  rest.at += 1;
  return el("hr");
}

function quote(rest, depth) {
  if (!QUOTE.test(rest.now)) return null;
  const inside = rest.while((line) => QUOTE.test(line)).map((line) => line.replace(QUOTE, ""));
  return el("blockquote", {}, ...blocks(inside, depth + 1));
}

function list(rest, depth) {
  const first = ITEM.exec(rest.now);
  if (!first) return null;
  const isOrdered = /\d/.test(first[2]);
  const items = [];
  while (!rest.isOver) {
    const mark = ITEM.exec(rest.now);
    if (!mark || /\d/.test(mark[2]) !== isOrdered || RULE.test(rest.now)) break;
    items.push(item(rest, mark[0].length, depth));
  }
  const start = isOrdered && parseInt(first[2], 10) !== 1 ? parseInt(first[2], 10) : undefined;
  return el(isOrdered ? "ol" : "ul", { start }, ...items);
}

function item(rest, width, depth) {
  const inside = rest.while((line, count) => {
    if (count === 0) return true;
    if (line.trim() === "") return /^\s{2,}\S/.test(rest.lines[rest.at + 1] ?? "");
    if (/^\s{2,}/.test(line)) return true;
    return !startsBlock(line) && rest.lines[rest.at - 1].trim() !== "";
  });
  const own = inside.map((line, index) => (index ? line.replace(/^ {1,4}/, "") : line.slice(width)));
  const made = blocks(own, depth + 1);
  const isTight = made.length > 0 && made[0].tagName === "P";
  return el("li", {}, ...(isTight ? [...made[0].childNodes, ...made.slice(1)] : made));
}

function table(rest) {
  const isTable = rest.now.includes("|") && TABLE_LINE.test(rest.lines[rest.at + 1] ?? "");
  if (!isTable) return null;
  const [head, , ...body] = rest.while((line) => line.includes("|")).map(cells);
  const row = (tag, texts) => el("tr", {}, ...texts.map((text) => el(tag, {}, ...inline(text))));
  const made = el("table", {}, el("thead", {}, row("th", head)));
  made.append(el("tbody", {}, ...body.map((texts) => row("td", texts))));
  return el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" }, made);
}

function cells(line) {
  const inside = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function paragraph(rest) {
  const lines = rest.while((line, count) => line.trim() !== "" && (count === 0 || !startsBlock(line)));
  if (lines.length === 0) {
    rest.at += 1;
    return "";
  }
  return el("p", {}, ...inline(lines.map((line) => line.trimStart()).join("\n").trimEnd()));
}

function startsBlock(line) {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((begins) => begins.test(line));
}
