// Knows the field people write in: Enter sends, `/` shows the command's words, `@` the people; a draft stays with its place.

import { fill, freshId, h, icon } from "./dom.js";
import { act } from "./feed.js";
import { openMenu } from "./menu.js";
import { notice } from "./notices.js";
import { persons } from "./people.js";
import { fullName, personName, state } from "./state.js";

const drafts = new Map();
const HINTS_MAX = 8;
const FILE_MAX = 200_000;

// `where()` is {channel, thread_ts?, name}; the same element serves every place of a pane.
export class Composer {
  constructor(where, { commands = true, ready = async () => where() } = {}) {
    this.where = where;
    this.commands = commands;
    this.ready = ready;
    this.hints = [];
    this.at = 0;
    const listId = freshId("hints");
    this.list = h("div", { class: "hints", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
    this.field = h("textarea", { rows: 1, class: "say", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId, maxlength: 4000, data: { key: "say" } });
    this.sender = h("button", { type: "button", class: "icon-button send", "aria-label": "Send", title: "Send", disabled: true, on: { click: () => this.send() } }, icon("send"));
    this.plus = h("button", { type: "button", class: "icon-button", "aria-label": "Shortcuts and files", title: "Shortcuts and files", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.more() } }, icon("plus"));
    this.file = h("input", { type: "file", hidden: true, accept: "text/*,.md,.log,.json,.yaml,.yml,.csv" });
    this.element = h("div", { class: "composer" }, this.list, h("div", { class: "composer-box" }, this.plus, this.field, this.sender, this.file));
    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => setTimeout(() => this.offer([]), 150));
    this.file.addEventListener("change", () => this.attach());
  }

  // The reader went somewhere else: another draft, another name in the field.
  moved() {
    const { name, channel, thread_ts } = this.where();
    this.slot = `${state.me}/${channel}/${thread_ts || ""}`;
    if (this.shown !== this.slot) {
      this.shown = this.slot;
      this.field.value = drafts.get(this.slot) || "";
      this.grow();
    }
    this.field.placeholder = name;
    this.field.setAttribute("aria-label", name);
  }

  typed() {
    drafts.set(this.slot, this.field.value);
    this.grow();
    this.offer(this.found());
  }

  grow() {
    this.sender.disabled = !this.field.value.trim();
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(180, this.field.scrollHeight)}px`;
  }

  found() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    if (this.commands && before.startsWith("/") && state.command) return commandHints(before);
    const mention = /(^|\s)@([\p{L}\p{N}._-]*)$/u.exec(before);
    return mention ? peopleHints(mention[2], before.length - mention[2].length - 1) : [];
  }

  offer(hints) {
    this.hints = hints.slice(0, HINTS_MAX);
    this.at = 0;
    this.list.hidden = !this.hints.length;
    this.field.setAttribute("aria-expanded", String(Boolean(this.hints.length)));
    fill(this.list, this.hints.map((hint, number) => h("div", { role: "option", id: `${this.list.id}-${number}`, on: { pointerdown: (event) => { event.preventDefault(); this.take(hint); } } }, h("b", {}, hint.text), h("small", {}, hint.about))));
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((row, number) => row.setAttribute("aria-selected", String(number === this.at)));
    if (this.hints.length) this.field.setAttribute("aria-activedescendant", `${this.list.id}-${this.at}`);
    else this.field.removeAttribute("aria-activedescendant");
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  take(hint) {
    const rest = this.field.value.slice(this.field.selectionStart);
    const head = this.field.value.slice(0, hint.from) + hint.puts;
    this.field.value = head + rest;
    this.field.focus();
    this.field.setSelectionRange(head.length, head.length);
    this.typed();
  }

  key(event) {
    if (event.isComposing) return;
    const open = this.hints.length > 0;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (open && step) this.at = (this.at + step + this.hints.length) % this.hints.length;
    else if (open && event.key === "Escape") this.offer([]);
    else if (open && (event.key === "Tab" || (event.key === "Enter" && !this.complete()))) this.take(this.hints[this.at]);
    else if (event.key === "Enter" && !event.shiftKey) this.send();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.mark();
  }

  // Enter sends a command that already says a word, and completes one that does not.
  complete() {
    const hint = this.hints[this.at];
    return this.field.value.trim() === (this.field.value.slice(0, hint.from) + hint.puts).trim();
  }

  async send() {
    const text = this.field.value.trim();
    if (!text) return;
    this.offer([]);
    const place = await this.ready();
    if (!place?.channel) return;
    const slash = text.startsWith("/");
    if (slash && !this.commands) return notice(`${text.split(" ")[0]} does not work in threads. Slack runs commands in the channel only.`, "wrong");
    this.field.value = "";
    this.typed();
    const answer = slash ? await act({ do: "slash", channel: place.channel, text }) : await act({ do: "post", channel: place.channel, text, ...(place.thread_ts ? { thread_ts: place.thread_ts } : {}) });
    if (!answer.ok && !this.field.value) {
      this.field.value = text;
      this.typed();
    }
  }

  more() {
    const shortcuts = state.shortcuts.map((one) => ({ text: one.name, description: one.description, pick: () => act({ do: "shortcut", callback_id: one.callback_id }) }));
    openMenu(this.plus, [...shortcuts, { text: "Attach a text file…", description: "At most 200 kB; the bot may read it", pick: () => this.file.click() }], "Shortcuts and files");
  }

  async attach() {
    const [file] = this.file.files;
    const place = await this.ready();
    this.file.value = "";
    if (!file || !place?.channel) return;
    if (file.size > FILE_MAX) return notice("That file is larger than 200 kB.", "wrong");
    act({ do: "upload", channel: place.channel, name: file.name, content: await file.text() });
  }
}

const WORDS = {
  who: "Who is on call, now and next", declare: "Open an incident and page", ack: "I have it", page: "Page somebody by name",
  silence: "Hold back its pages for a while", why: "Why this page, step by step", help: "Every word it knows", incidents: "What is open",
  resolve: "It is over", mitigated: "Users are fine, keep watching", escalate: "Page the next step now", note: "Add to the work log",
  schedule: "The week ahead", test: "Ring my own phone", contact: "How I am reached", override: "Take a shift", cover: "Ask for cover",
};

// The command's own words, from the hint its manifest gives.
function commandHints(before) {
  const { name, hint, description } = state.command;
  if (!before.includes(" ")) return name.startsWith(before) ? [{ text: name, about: description || "", from: 0, puts: `${name} ` }] : [];
  if (!before.startsWith(`${name} `)) return [];
  const typed = before.slice(name.length + 1);
  return (hint || "").split(/[|…]/).map((one) => one.trim()).filter(Boolean)
    .filter((one) => one.split(" ")[0].startsWith(typed) && typed !== `${one} `)
    .map((one) => ({ text: `${name} ${one}`, about: WORDS[one.split(" ")[0]] || "", from: name.length + 1, puts: one.split(" ")[0] + (one.includes(" ") ? " " : "") }));
}

function peopleHints(typed, from) {
  const asked = typed.toLowerCase();
  const all = [{ id: state.bot, name: personName(state.bot), about: "App" }, ...persons().map((one) => ({ id: one.id, name: one.name, about: [one.real_name, one.title].filter(Boolean).join(", ") }))];
  return all.filter((one) => one.id && (one.name.toLowerCase().startsWith(asked) || fullName(one.id).toLowerCase().startsWith(asked)))
    .map((one) => ({ text: `@${one.name}`, about: one.about, from, puts: `@${one.name} ` }));
}
