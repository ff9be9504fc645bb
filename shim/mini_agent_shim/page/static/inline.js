// The inside of a paragraph of Markdown: code, emphasis, links. Never HTML: a tag is its letters.

import { el, outward } from "./dom.js";

const DEEPEST = 8;
// Marks that find no end are looked for up to the end: a longer stretch stays plain.
const LONGEST = 10_000;
const MARKS = new RegExp(
  [
    String.raw`\\(?<escaped>[\\${"`"}*_{}[\]()#+\-.!|~<>])`,
    String.raw`(?<ticks>${"`"}+)(?<code>[^]+?)(?<!${"`"})\k<ticks>(?!${"`"})`,
    String.raw`!?\[(?<label>(?:\\.|[^[\]\\]|\[[^[\]]*\])*)\]\(\s*<?(?<address>[^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)`,
    String.raw`<(?<plain>https?:\/\/[^\s<>]+)>`,
    String.raw`(?<!\w)(?<bare>https?:\/\/[^\s<>()${"`"}"']+[^\s<>()${"`"}"'.,;:!?])`,
    String.raw`\*\*(?=\S)(?<strong>[^]*?\S)\*\*`,
    String.raw`(?<!\w)__(?=\S)(?<strong2>[^]*?\S)__(?!\w)`,
    String.raw`\*(?=[^\s*])(?<em>[^*]*?[^\s*])\*(?!\*)`,
    String.raw`(?<!\w)_(?=[^\s_])(?<em2>[^_]*?[^\s_])_(?!\w)`,
    String.raw`~~(?=\S)(?<gone>[^]*?\S)~~`,
    String.raw`(?<lines>(?: {2,}|\\)\n)`,
  ].join("|"),
  "g",
);

/** The nodes of a stretch of text. */
export function inline(text, depth = 0) {
  const nodes = [];
  let plain = 0;
  const isPlain = depth >= DEEPEST || text.length > LONGEST;
  for (const found of isPlain ? [] : text.matchAll(MARKS)) {
    if (found.index > plain) nodes.push(text.slice(plain, found.index));
    nodes.push(nodeOf(found.groups, depth + 1));
    plain = found.index + found[0].length;
  }
  if (plain < text.length) nodes.push(text.slice(plain));
  return nodes;
}

function nodeOf(found, depth) {
  const strong = found.strong ?? found.strong2;
  const em = found.em ?? found.em2;
  const bare = found.plain ?? found.bare;
  if (found.escaped !== undefined) return found.escaped;
  if (found.code !== undefined) return el("code", {}, found.code.replace(/^ (.*) $/s, "$1"));
  if (found.address !== undefined) return outward(found.address, ...inline(found.label, depth));
  if (bare !== undefined) return outward(bare, bare);
  if (strong !== undefined) return el("strong", {}, ...inline(strong, depth));
  if (em !== undefined) return el("em", {}, ...inline(em, depth));
  if (found.gone !== undefined) return el("del", {}, ...inline(found.gone, depth));
  return el("br");
}
