// Knows the Markdown of Slack's markdown block: headings, lists, quotes, fences, emphasis and links. Everything else is text.

import { h } from "./dom.js";
import { withMarks } from "./emoji.js";
import { link } from "./links.js";

const LINE = 4000;

export function markdown(text) {
  const out = [];
  let list = null;
  let fence = null;
  for (const raw of String(text || "").split("\n")) {
    const line = raw.slice(0, LINE);
    if (/^\s*(```|~~~)/.test(line)) {
      if (fence) fence = null;
      else out.push((fence = h("pre")));
      continue;
    }
    if (fence) {
      fence.append(`${line}\n`);
      continue;
    }
    const item = /^\s*(?:[-*+]|(\d+)[.)]) (.*)$/.exec(line);
    if (item) {
      const tag = item[1] ? "ol" : "ul";
      if (list?.localName !== tag) out.push((list = h(tag)));
      list.append(h("li", {}, spans(item[2])));
      continue;
    }
    list = null;
    out.push(block(line));
  }
  return out.filter(Boolean);
}

function block(line) {
  if (!line.trim()) return null;
  if (/^(-{3,}|\*{3,})$/.test(line.trim())) return h("hr");
  const heading = /^(#{1,6}) (.*)$/.exec(line);
  if (heading) return h("p", { class: "heading", role: "heading", "aria-level": Math.min(6, heading[1].length + 2) }, spans(heading[2]));
  if (line.startsWith(">")) return h("blockquote", {}, spans(line.slice(1).trim()));
  return h("p", {}, spans(line));
}

const SPAN = /`([^`]+)`|\*\*([^*]+)\*\*|~~([^~]+)~~|\*([^*\s][^*]*)\*|\b_([^_]+)_\b|\[([^\]]{1,300})\]\(([^()\s]{1,1000})\)/;

function spans(text) {
  const out = [];
  let rest = text;
  for (let found = SPAN.exec(rest); found; found = SPAN.exec(rest)) {
    const [whole, code, bold, strike, star, under, label, address] = found;
    out.push(...withMarks(rest.slice(0, found.index)));
    if (code) out.push(h("code", {}, code));
    else if (bold) out.push(h("strong", {}, spans(bold)));
    else if (strike) out.push(h("s", {}, spans(strike)));
    else if (star || under) out.push(h("em", {}, spans(star || under)));
    else out.push(link(address, withMarks(label)) || whole);
    rest = rest.slice(found.index + whole.length);
  }
  return [...out, ...withMarks(rest)];
}
