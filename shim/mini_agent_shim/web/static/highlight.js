// Code in colours: comments, strings, numbers and keywords of the languages that snippets have.

import { el } from "./dom.js";

const LONGEST = 100_000;
const words = (text) => new Set(text.split(" "));
const C_COMMENTS = String.raw`\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)`;
const QUOTED = String.raw`"(?:\\[^]|[^"\\\n])*"?`;
const SINGLE = String.raw`'(?:\\[^]|[^'\\\n])*'?`;
const NUMBER = String.raw`\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)`;

const LANGUAGES = {
  python: {
    comment: String.raw`#[^\n]*`,
    string: String.raw`\b[rRbBuUfF]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|${QUOTED}|${SINGLE})|"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|${QUOTED}|${SINGLE}`,
    keywords: words("False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield"),
  },
  bash: {
    comment: String.raw`(?<=^|[\s;])#[^\n]*`,
    string: String.raw`"(?:\\[^]|[^"\\])*"?|'[^']*'?|\$\{[^}\n]*\}?|\$[\w@#?$!*-]+`,
    keywords: words("if then elif else fi for in do done while until case esac function return exit export local readonly set unset echo cd source trap shift eval exec"),
  },
  js: {
    comment: C_COMMENTS,
    string: String.raw`${QUOTED}|${SINGLE}|${"`"}(?:\\[^]|[^${"`"}\\])*${"`"}?`,
    keywords: words("async await break case catch class const continue debugger default delete do else export extends false finally for from function get if import in instanceof let new null of return set static super switch this throw true try typeof undefined var void while with yield"),
  },
  go: {
    comment: C_COMMENTS,
    string: String.raw`${QUOTED}|${SINGLE}|${"`"}[^${"`"}]*${"`"}?`,
    keywords: words("break case chan const continue default defer else fallthrough false for func go goto if import interface iota map nil package range return select struct switch true type var any bool byte error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 make len cap append"),
  },
  rust: {
    comment: C_COMMENTS,
    // A quote may also begin a lifetime.
    string: String.raw`\bb?r#*"[^]*?(?:"#*|$)|\bb?${QUOTED}|${QUOTED}|'(?:\\[^\n]{1,10}?|[^'\\\n])'`,
    keywords: words("as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize String Vec Option Result"),
  },
  json: { comment: String.raw`(?!)`, string: QUOTED, keywords: words("true false null") },
};
const ALIASES = {
  py: "python", python3: "python", sh: "bash", shell: "bash", zsh: "bash",
  javascript: "js", node: "js", ts: "js", typescript: "js", mjs: "js", golang: "go", rs: "rust",
};
const OF_TOOLS = {
  exec_python: "python", exec_shell: "bash", exec_node: "js", exec_go: "go", exec_rust: "rust",
};
const readers = new Map();

/** The language that a tool's program is in, by the tool's name. */
export function languageOf(tool) {
  return OF_TOOLS[tool] ?? "";
}

/** A `<code>` element; code in a language that is not known, or too long, is plain. */
export function highlighted(code, named) {
  const language = ALIASES[named] ?? named;
  const made = el("code", { "data-language": language || undefined });
  if (!Object.hasOwn(LANGUAGES, language) || code.length > LONGEST) made.textContent = code;
  else made.append(...coloured(code, LANGUAGES[language], language));
  return made;
}

function* coloured(code, { keywords }, language) {
  const reader = readerOf(language);
  let plain = 0;
  for (const found of code.matchAll(reader)) {
    const kind = kindOf(found.groups, keywords);
    if (kind === null) continue;
    if (found.index > plain) yield code.slice(plain, found.index);
    yield el("span", { class: `code-${kind}` }, found[0]);
    plain = found.index + found[0].length;
  }
  yield code.slice(plain);
}

function kindOf(groups, keywords) {
  if (groups.comment !== undefined) return "comment";
  if (groups.string !== undefined) return "string";
  if (groups.number !== undefined) return "number";
  if (keywords.has(groups.word ?? groups.call)) return "keyword";
  return groups.call === undefined ? null : "call";
}

function readerOf(language) {
  if (!readers.has(language)) {
    const { comment, string } = LANGUAGES[language];
    const word = String.raw`(?<call>[A-Za-z_]\w*(?=\())|(?<word>[A-Za-z_]\w*)`;
    const all = `(?<comment>${comment})|(?<string>${string})|(?<number>${NUMBER})|${word}`;
    readers.set(language, new RegExp(all, "gm"));
  }
  return readers.get(language);
}
