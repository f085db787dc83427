// Knows Slack's rich_text: sections, lists, quotes and preformatted text with their inline elements.

import { h } from "./dom.js";
import { emoji, withMarks } from "./emoji.js";
import { link } from "./links.js";
import { broadcast, channelMention, mention } from "./mrkdwn.js";
import { dateToken } from "./when.js";

export const richText = (block) => (block.elements || []).map(part);

function part(element) {
  const inner = () => (element.elements || []).map(inline);
  if (element.type === "rich_text_list") return list(element);
  if (element.type === "rich_text_quote") return h("blockquote", {}, inner());
  if (element.type === "rich_text_preformatted") return h("pre", {}, inner());
  return h("p", {}, inner());
}

function list(element) {
  const tag = element.style === "ordered" ? "ol" : "ul";
  const indent = Math.max(0, Math.min(4, element.indent || 0));
  const start = tag === "ol" && element.offset ? element.offset + 1 : null;
  return h(tag, { class: `indent-${indent}`, start }, (element.elements || []).map((one) => h("li", {}, (one.elements || []).map(inline))));
}

const INLINE = {
  text: (one) => text(one.text),
  link: (one) => link(one.url || "", one.text ? withMarks(one.text) : null) || one.text || one.url,
  user: (one) => mention(one.user_id),
  usergroup: (one) => broadcast(one.usergroup_id),
  channel: (one) => channelMention(one.channel_id),
  broadcast: (one) => broadcast(one.range),
  emoji: (one) => (one.unicode ? withMarks(fromCodes(one.unicode)) : emoji(one.name || "")),
  date: (one) => h("time", {}, dateToken(one.timestamp, one.format || "{date} {time}")),
  color: (one) => h("code", {}, one.value),
};

const text = (words) => String(words || "").split("\n").flatMap((line, at) => [...(at ? [h("br")] : []), ...withMarks(line)]);

function fromCodes(codes) {
  const points = codes.split("-").map((code) => Number.parseInt(code, 16));
  return points.every((point) => point > 0 && point < 0x110000) ? String.fromCodePoint(...points) : "";
}

function inline(one) {
  const drawn = INLINE[one.type] ? INLINE[one.type](one) : one.text || "";
  return Object.entries({ code: "code", bold: "strong", italic: "em", strike: "s", underline: "u" })
    .filter(([style]) => one.style?.[style])
    .reduce((inner, [, tag]) => h(tag, {}, inner), drawn);
}
