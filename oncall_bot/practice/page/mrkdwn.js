// Knows Slack's mrkdwn: emphasis, code, quotes, links, mentions, dates, entities and emoji names.
// Reads outside text, so it looks ahead a bounded way and makes only elements it names itself.

import { h } from "./dom.js";
import { emoji, emojiByName, withMarks } from "./emoji.js";
import { link } from "./links.js";
import { channelName, personName, state } from "./state.js";
import { dateToken, full } from "./when.js";

const FAR = 3000;
const TAGS = { "*": "strong", _: "em", "~": "s" };

// The text as nodes: paragraphs are lines, as in Slack.
export function mrkdwn(text) {
  const out = [];
  const parts = String(text || "").split("```");
  parts.forEach((part, at) => {
    const fenced = at % 2 === 1 && at < parts.length - 1;
    if (fenced) out.push(h("pre", {}, tokens(part.replace(/^\n/, "").replace(/\n$/, ""))));
    else out.push(...lines(at % 2 ? `\`\`\`${part}` : trimAround(part, at, parts.length)));
  });
  return out;
}

const trimAround = (part, at, count) => {
  const head = at > 0 ? part.replace(/^\n/, "") : part;
  return at < count - 1 ? head.replace(/\n$/, "") : head;
};

const quoted = (line) => (line.startsWith("&gt;") ? line.slice(4) : line.startsWith(">") ? line.slice(1) : null);

function lines(text) {
  const out = [];
  let quote = null;
  text.split("\n").forEach((line, at, all) => {
    const inside = quoted(line);
    if (inside !== null) {
      if (!quote) out.push((quote = h("blockquote")));
      else quote.append(h("br"));
      quote.append(...inline(inside.replace(/^ /, "")));
      return;
    }
    if (quote && line === "" && at < all.length - 1) return;
    if (at > 0 && !quote) out.push(h("br"));
    quote = null;
    out.push(...inline(line));
  });
  return out;
}

const isWord = (char) => char !== undefined && /[\p{L}\p{N}]/u.test(char);

function inline(text) {
  const out = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push(...words(plain));
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const found = piece(text, at);
    if (found) {
      flush();
      out.push(...found.nodes);
      at = found.next;
    } else plain += text[at++];
  }
  flush();
  return out;
}

function piece(text, at) {
  const char = text[at];
  if (char === "<") return angle(text, at);
  if (char === "`") return span(text, at, "`", (inner) => [h("code", {}, tokens(inner))]);
  if (!TAGS[char] || isWord(text[at - 1]) || text[at + 1] === " ") return null;
  return span(text, at, char, (inner) => [h(TAGS[char], {}, inline(inner))]);
}

function span(text, at, mark, make) {
  const limit = Math.min(text.length, at + FAR);
  for (let end = text.indexOf(mark, at + 2); end > 0 && end < limit; end = text.indexOf(mark, end + 1)) {
    if (mark !== "`" && (text[end - 1] === " " || isWord(text[end + 1]))) continue;
    return { nodes: make(text.slice(at + 1, end)), next: end + 1 };
  }
  return null;
}

function angle(text, at) {
  const end = text.indexOf(">", at);
  if (end < 0 || end - at > FAR || end === at + 1) return null;
  const node = token(text.slice(at + 1, end));
  return node ? { nodes: [node], next: end + 1 } : null;
}

// Text in code: only tokens and entities mean something there.
function tokens(text) {
  const out = [];
  let from = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at + 1)) {
    const found = angle(text, at);
    if (!found) continue;
    out.push(...withMarks(entities(text.slice(from, at))), ...found.nodes);
    from = found.next;
    at = found.next - 1;
  }
  return [...out, ...withMarks(entities(text.slice(from)))];
}

function token(inner) {
  const bar = inner.indexOf("|");
  const [target, label] = bar < 0 ? [inner, ""] : [inner.slice(0, bar), entities(inner.slice(bar + 1))];
  if (target.startsWith("@")) return mention(target.slice(1), label);
  if (target.startsWith("#")) return channelMention(target.slice(1), label);
  if (target.startsWith("!date^")) return date(target.split("^"), label);
  if (target.startsWith("!")) return broadcast(target.slice(1), label);
  return link(entities(target), label ? withMarks(label) : null);
}

export function mention(id, label = "") {
  const own = id === state.me;
  return h("span", { class: own ? "mention own" : "mention" }, `@${state.people.has(id) ? personName(id) : label || id}`);
}

export function channelMention(id, label = "") {
  const name = channelName(state.channels.get(id)) || label || id;
  return h("a", { class: "mention", href: `#${id}` }, `#${name}`);
}

function date([, seconds, pattern, address], fallback) {
  const at = Number(seconds);
  if (!Number.isFinite(at) || !pattern) return document.createTextNode(fallback);
  const shown = h("time", { datetime: new Date(at * 1000).toISOString(), title: full(at) }, dateToken(at, pattern));
  return address ? link(entities(address), [shown]) || shown : shown;
}

export function broadcast(name, label = "") {
  const known = ["here", "channel", "everyone"].includes(name.split("|")[0]);
  return h("span", { class: "mention own" }, known ? `@${name}` : label || `@${name.split("^").pop()}`);
}

// Plain words: entities decoded, :names: turned into emoji.
function words(text) {
  return text.split(/(:[a-z0-9_+-]{1,40}:)/).flatMap((part) => {
    const name = /^:([a-z0-9_+-]+):$/.exec(part)?.[1];
    if (name && emojiByName(name)) return [emoji(name)];
    return withMarks(entities(part));
  });
}

export const entities = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

// The same text for ears and for one line: no marks, no tokens.
export function spoken(text) {
  const box = h("div", {}, mrkdwn(text));
  return box.textContent.replace(/\s+/g, " ").trim();
}

// What the writer would see in the field when editing: names for mentions, no entities.
export function typed(text) {
  const named = text.replace(/<([^<>\n]{1,300})>/g, (whole, inner) => {
    const [target, label] = inner.split("|");
    if (target.startsWith("@")) return `@${personName(target.slice(1))}`;
    if (target.startsWith("#")) return `#${channelName(state.channels.get(target.slice(1))) || label || target}`;
    return target.startsWith("!") ? `@${target.slice(1)}` : target;
  });
  return entities(named);
}
