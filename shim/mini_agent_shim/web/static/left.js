// What a call left: figures and tables in place, files to save. Pictures are shown from their own
// bytes, tables from JSON; HTML is never drawn.

import { save } from "./api.js";
import { button, el } from "./dom.js";
import { bytes } from "./words.js";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const JSON_TYPE = "application/json";
const MOST_ROWS = 50;
const MOST_COLUMNS = 30;
const LONGEST_CELL = 200;

/** The elements for an invocation: attachments, files, and values that are worth seeing. */
export function leftBy(call) {
  const { artifacts = [], rich = [], artifacts_skipped: skipped = [] } = call.execution ?? {};
  const made = [
    ...(call.attachments ?? []).map((each) => fileOf(each.name, each.media_type, bytesOf(each.base64))),
    ...artifacts.map((each) => fileOf(each.path.split("/").pop(), each.media_type, bytesOf(each.base64))),
    ...values(rich),
  ];
  if (skipped.length) made.push(el("p", { class: "soft" }, `Not collected: ${skipped.join("; ")}`));
  return made;
}

/** Whether a value is among them that is drawn as a table. */
export function hasTable(rich) {
  return rich.some((each) => each.media_type === JSON_TYPE && tableOf(each.text) !== null);
}

function* values(rich) {
  // A table comes twice, as HTML and as JSON; the one that is data is drawn.
  const isDrawn = hasTable(rich);
  for (const [index, each] of rich.entries()) {
    const table = each.media_type === JSON_TYPE ? tableOf(each.text) : null;
    if (table) yield table;
    else if (!(isDrawn && each.media_type === "text/html")) {
      const content = each.base64 == null ? (each.text ?? "") : bytesOf(each.base64);
      yield fileOf(`shown-${index + 1}${endingOf(each.media_type)}`, each.media_type, content);
    }
  }
}

function endingOf(mediaType) {
  const known = { "text/html": ".html", "application/json": ".json", "image/svg+xml": ".svg" };
  return known[mediaType] ?? `.${/^image\/(\w{1,5})$/.exec(mediaType)?.[1] ?? "txt"}`;
}

function fileOf(name, mediaType, content) {
  const size = bytes(content.length);
  const saved = () => save(content, name);
  if (PICTURES.has(mediaType)) return figure(name, mediaType, content, size, saved);
  const facts = el("span", { class: "soft" }, `${mediaType || "file"}, ${size}`);
  return el("p", { class: "file" }, button(`Save ${name}`, saved, { class: "small" }), " ", facts);
}

function figure(name, mediaType, content, size, saved) {
  const address = URL.createObjectURL(new Blob([content], { type: mediaType }));
  const picture = el("img", { src: address, alt: `Figure ${name}` });
  const larger = button(picture, () => enlarge(address, name), { class: "figure", "aria-label": `Enlarge ${name}` });
  const caption = el("figcaption", {}, `${name}, ${size} `, button("Save", saved, { class: "link", "aria-label": `Save ${name}` }));
  return el("figure", {}, larger, caption);
}

function enlarge(address, name) {
  const shown = el("dialog", { class: "enlarged", "aria-label": name }, el("img", { src: address, alt: `Figure ${name}` }));
  const close = button("Close", () => shown.close());
  shown.append(el("p", {}, close));
  shown.addEventListener("close", () => shown.remove());
  shown.addEventListener("click", (happened) => happened.target === shown && shown.close());
  document.body.append(shown);
  shown.showModal();
}

/** A table, if the JSON is one as pandas writes it (`orient="split"`); else null. */
export function tableOf(text) {
  const frame = parsed(text);
  const isTable =
    Array.isArray(frame?.data) && (frame.data.every(Array.isArray) || Array.isArray(frame.index));
  if (!isTable) return null;
  const rows = frame.data.map((row) => (Array.isArray(row) ? row : [row]));
  const index = Array.isArray(frame.index) ? frame.index : rows.map((_, at) => at);
  const columns = Array.isArray(frame.columns) ? frame.columns : [frame.name ?? "value"];
  const made = el("table", { class: "frame" }, head(columns), body(rows, index));
  const shown = [
    rows.length > MOST_ROWS && `the first ${MOST_ROWS} of ${rows.length} rows`,
    columns.length > MOST_COLUMNS && `the first ${MOST_COLUMNS} of ${columns.length} columns`,
  ].filter(Boolean);
  const wide = el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" }, made);
  const saved = button("Save as JSON", () => save(text, "table.json"), { class: "link" });
  return el("div", { class: "table" }, wide, el("p", { class: "soft" }, shown.join(", "), shown.length ? " · " : "", saved));
}

function head(columns) {
  const cells = columns.slice(0, MOST_COLUMNS).map((name) => el("th", { scope: "col" }, cell(name)));
  return el("thead", {}, el("tr", {}, el("td"), ...cells));
}

function body(rows, index) {
  const made = rows.slice(0, MOST_ROWS).map((row, at) => {
    const cells = row.slice(0, MOST_COLUMNS).map((value) => {
      return el("td", { class: typeof value === "number" ? "number" : undefined }, cell(value));
    });
    return el("tr", {}, el("th", { scope: "row" }, cell(index[at])), ...cells);
  });
  return el("tbody", {}, ...made);
}

function cell(value) {
  const text = value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}…` : text;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
