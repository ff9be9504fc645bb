// Markdown as elements: the tokens of markdown-it, each made a node, so that nothing in them can become markup.

import { el, outward } from "./dom.js";
import { highlighted } from "./highlight.js";
import MarkdownIt from "./vendor/markdown-it.js";

const LONGEST = 200_000;
const reader = new MarkdownIt({ html: false, linkify: true, maxNesting: 24 });
// What is no link says so by its letters; where it leads is for `outward` to judge, which knows the web's schemes alone.
reader.validateLink = () => true;
reader.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
reader.disable(["entity"]);

/** An element with the text as it is meant; a text that is too long is shown as it is. */
export function markdown(text) {
  const made = el("div", { class: "prose" });
  if (text.length > LONGEST) made.append(el("pre", {}, text));
  else made.append(...nodes(reader.parse(text, {})));
  return made;
}

/** The nodes of a flat list of tokens; one that opens holds all up to the one that closes. */
function nodes(tokens) {
  const open = [{ children: [] }];
  for (const token of tokens) {
    if (token.nesting === 1) open.push({ token, children: [] });
    else if (token.nesting === -1) {
      const { token: opening, children } = open.pop();
      open.at(-1).children.push(...element(opening, children));
    } else open.at(-1).children.push(...single(token));
  }
  return open[0].children;
}

function element(token, children) {
  if (token.hidden) return children;
  if (token.type === "link_open") return [outward(token.attrGet("href"), ...children)];
  if (token.type === "heading_open") return [el(`h${Math.min(6, Number(token.tag[1]) + 2)}`, {}, ...children)];
  const made = el(token.tag, { start: token.attrGet("start") }, ...children);
  // A wide table is moved within its frame, by keys too.
  if (token.type !== "table_open") return [made];
  return [el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" }, made)];
}

function single(token) {
  if (token.type === "inline") return nodes(token.children);
  if (token.type === "fence" || token.type === "code_block") return [code(token)];
  // Nothing is fetched from elsewhere: a picture is a link to it.
  if (token.type === "image") return [outward(token.attrGet("src"), ...nodes(token.children))];
  if (token.type === "code_inline") return [el("code", {}, token.content)];
  if (token.type === "hardbreak") return [el("br")];
  if (token.type === "hr") return [el("hr")];
  return [token.type === "softbreak" ? "\n" : token.content];
}

function code(token) {
  const [language] = /^[\w+-]*/.exec(token.info ?? "");
  const given = { tabindex: "0", role: "group", "aria-label": `Code${language && `, ${language}`}` };
  return el("pre", given, highlighted(token.content.replace(/\n$/, ""), language.toLowerCase()));
}
