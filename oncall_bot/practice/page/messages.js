// Knows how one message looks, how a list of them is kept in step, and where the reader stands in it.

import { arrows, h, icon, keep } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { Values } from "./elements.js";
import { QUICK, emoji, emojiByName } from "./emoji.js";
import { act } from "./feed.js";
import { picture, target } from "./links.js";
import { ask, menuButton } from "./menu.js";
import { mrkdwn, spoken, typed } from "./mrkdwn.js";
import { avatar } from "./people.js";
import { drop, fullName, state } from "./state.js";
import { dayKey, full, longDay, time } from "./when.js";

const TOGETHER = 300;
const chosen = new Map();

function valuesOf(message) {
  const key = `${message.channel}/${message.ts}`;
  if (!chosen.has(key)) chosen.set(key, new Values());
  return chosen.get(key);
}

// The messages into `root`: `{from}` is where unread ones begin; `openThread` is called from a message with answers.
export function drawMessages(root, messages, { from = null, openThread = null, inThread = false } = {}) {
  const items = [];
  let before = null;
  let marked = !from;
  for (const message of messages) {
    const day = dayKey(Number(message.ts));
    if (!inThread && (!before || dayKey(Number(before.ts)) !== day)) items.push({ day, ts: message.ts });
    const fresh = !marked && message.ts > from && message.user !== state.me;
    if (fresh) items.push({ fresh: true });
    marked ||= fresh;
    items.push({ message, follows: !fresh && follows(message, before), place: state.me });
    before = message;
  }
  keep(root, items, {
    key: (one) => (one.message ? one.message.ts : one.day ? `day-${one.day}` : "fresh"),
    version: (one) => (one.message ? stamp(one, openThread) : "line"),
    draw: (one) => (one.message ? article(one.message, one.follows, { openThread, inThread }) : divider(one)),
  });
}

const stamps = new WeakMap();
let lastStamp = 0;
function stamp({ message, follows, place }) {
  if (!stamps.has(message)) stamps.set(message, ++lastStamp);
  return `${stamps.get(message)}${follows ? "f" : ""}${place}`;
}

function follows(message, before) {
  return Boolean(before) && before.user === message.user && !message.blocks && !before.ephemeral === !message.ephemeral && !before.subtype && !message.subtype &&
    Number(message.ts) - Number(before.ts) < TOGETHER && dayKey(Number(message.ts)) === dayKey(Number(before.ts)) && !message.reply_count;
}

function divider(one) {
  if (one.fresh) return h("div", { class: "divider fresh", role: "separator" }, h("span", {}, "New"));
  return h("div", { class: "divider", role: "separator" }, h("span", {}, longDay(Number(one.ts))));
}

const QUIET = new Set(["channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name", "group_join", "pinned_item"]);

function article(message, following, context) {
  const { ts, user } = message;
  const quiet = QUIET.has(message.subtype);
  const classes = ["message", following ? "follows" : "", message.ephemeral ? "ephemeral" : "", quiet ? "quiet" : ""].join(" ");
  const at = h("time", { datetime: new Date(Number(ts) * 1000).toISOString(), title: full(Number(ts)), class: "at" }, time(Number(ts)));
  const head = h("header", {}, h("b", { class: "author" }, author(message)), message.bot_id ? h("span", { class: "app" }, "App") : null, at, message.edited && drawsBlocks(message) ? editedMark() : null);
  return h("article", { class: classes, tabindex: "-1", data: { ts }, "aria-label": `${author(message)}, ${time(Number(ts))}` },
    message.ephemeral ? h("p", { class: "only-you" }, icon("eye"), "Only visible to you", h("button", { type: "button", class: "link", on: { click: () => drop(message.channel, ts) } }, "Dismiss")) : null,
    h("div", { class: "side" }, following ? at.cloneNode(true) : avatar(user || state.bot)),
    h("div", { class: "body" },
      following ? null : head,
      content(message),
      files(message),
      reactions(message),
      replies(message, context)),
    message.ephemeral || quiet ? null : toolbar(message, context));
}

const editedMark = () => h("span", { class: "edited", title: "This message was edited" }, "(edited)");
const author = (message) => message.username || fullName(message.user || (message.bot_id ? state.bot : ""));

function content(message) {
  if (drawsBlocks(message)) {
    const ctx = { where: { channel: message.channel, ts: message.ts }, values: valuesOf(message), names: new Map() };
    return h("div", { class: "blocks" }, drawBlocks(message.blocks, ctx));
  }
  return h("div", { class: "text mrkdwn" }, mrkdwn(message.text), message.edited ? [" ", editedMark()] : null);
}

// Slack adds a rich_text block to what people type; the text says the same and is lighter to draw.
const drawsBlocks = (message) => Boolean(message.blocks?.length) && !isPlain(message);
const isPlain = (message) => !message.bot_id && message.blocks.every((one) => one.type === "rich_text") && Boolean(message.text);

function files(message) {
  if (!message.files?.length) return null;
  return h("div", { class: "files" }, message.files.map((file) => {
    const from = picture(file.thumb || file.url);
    const to = target(file.url || "") || {};
    const title = file.title || file.name;
    if (from && file.mimetype?.startsWith("image/")) {
      return h("figure", {}, h("figcaption", {}, title), h("a", { ...to, class: "picture" }, h("img", { src: from, alt: file.alt_txt || title, loading: "lazy" })));
    }
    return h("a", { ...to, class: "file", download: to.href ? file.name || true : null }, h("b", {}, title), h("small", {}, file.mimetype || "file"));
  }));
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions", role: "group", "aria-label": "Reactions" }, message.reactions.map((one) => {
    const own = one.users?.includes(state.me);
    const names = (one.users || []).map(fullName).join(", ");
    return h("button", { type: "button", class: own ? "reaction own" : "reaction", title: `${names}: :${one.name}:`, "aria-pressed": String(Boolean(own)), "aria-label": `${one.name}, ${one.users?.length || 0}: ${names}`, data: { key: `react:${one.name}` }, on: { click: () => react(message, one.name, own) } }, emoji(one.name), h("span", {}, String(one.users?.length || one.count || 0)));
  }));
}

const react = (message, name, off = false) => act({ do: "react", channel: message.channel, ts: message.ts, name, ...(off ? { off: true } : {}) });

function replies(message, { openThread, inThread }) {
  if (inThread || !message.reply_count || !openThread) return null;
  const count = message.reply_count;
  const last = message.latest_reply ? `, last ${time(Number(message.latest_reply))}` : "";
  return h("button", { type: "button", class: "replies", data: { key: "replies" }, on: { click: () => openThread(message) } }, icon("thread"), h("b", {}, `${count} ${count === 1 ? "reply" : "replies"}`), h("span", {}, last));
}

function toolbar(message, { openThread, inThread }) {
  const answer = openThread && !inThread ? h("button", { type: "button", class: "icon-button wide-only", "aria-label": "Answer in the thread", title: "Answer in the thread", data: { key: "answer" }, on: { click: () => openThread(message) } }, icon("thread")) : null;
  const pin = h("button", { type: "button", class: "icon-button wide-only", "aria-label": "React with a pin", title: "React with 📌 (keeps it in the work log)", on: { click: () => react(message, "pushpin") } }, emoji("pushpin"));
  const more = menuButton("More for this message", () => moreFor(message, openThread && !inThread ? () => openThread(message) : null), { "data-key": "more" });
  return h("div", { class: "toolbar" }, answer, pin, more);
}

function moreFor(message, openThread) {
  const own = message.user === state.me;
  return [
    openThread ? { text: "Answer in the thread", pick: openThread } : null,
    ...QUICK.map((name) => ({ text: [emojiByName(name) ? emoji(name) : "", ` React with :${name}:`], pick: () => react(message, name) })),
    own ? { text: "Edit", pick: () => edit(message) } : null,
    own ? { text: "Delete", danger: true, pick: () => remove(message) } : null,
  ].filter(Boolean);
}

async function edit(message) {
  const field = h("textarea", { class: "field", rows: 4, "aria-label": "The message" });
  field.value = typed(message.text);
  const wanted = await ask({ title: "Edit the message", text: field, yes: "Save", no: "Cancel" });
  if (wanted && field.value.trim()) act({ do: "edit", channel: message.channel, ts: message.ts, text: field.value });
}

async function remove(message) {
  const sure = await ask({ title: "Delete this message?", text: spoken(message.text).slice(0, 200), yes: "Delete", no: "Cancel", danger: true });
  if (sure) act({ do: "delete", channel: message.channel, ts: message.ts });
}

// A list that stays at its end while the reader is there, and shows a tall last message from its top.
export class Scroller {
  #auto = 0;
  #following = true;
  constructor(box, onMove) {
    this.box = box;
    box.addEventListener("scroll", () => {
      if (Math.abs(box.scrollTop - this.#auto) > 4) this.#following = this.atEnd();
      onMove?.();
    });
    box.addEventListener("load", () => this.settle(), true);
    arrows(box, "article.message");
  }
  get following() {
    return this.#following;
  }
  atEnd() {
    return this.box.scrollHeight - this.box.clientHeight - this.box.scrollTop < 48;
  }
  // After something changed: follow the newest, or stay.
  settle() {
    if (this.box.scrollHeight <= this.box.clientHeight) this.#following = true;
    if (!this.#following) return;
    const last = this.box.querySelector("article.message:last-of-type");
    const end = this.box.scrollHeight - this.box.clientHeight;
    const top = last ? last.offsetTop - 12 : end;
    this.#auto = Math.max(0, Math.min(end, top));
    this.box.scrollTop = this.#auto;
    this.#auto = this.box.scrollTop;
  }
  toEnd() {
    this.#following = true;
    this.settle();
  }
  toElement(element) {
    this.#following = false;
    element.scrollIntoView({ block: "start" });
    this.#auto = -100;
  }
}
