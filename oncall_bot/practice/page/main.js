// Knows which part of the page shows what, and draws a part again when what it shows has changed.

import { blocks } from "./blocks.js";
import { composer } from "./composer.js";
import { fill, h, icon } from "./dom.js";
import { act, fetchState, listenAs } from "./feed.js";
import { openMenu } from "./menu.js";
import { draw } from "./messages.js";
import { drawModal } from "./modal.js";
import { spoken } from "./mrkdwn.js";
import { sayNow, sayPolitely } from "./notices.js";
import { drawPhone, sing } from "./phone.js";
import { drawSide, jump, sideKeys } from "./side.js";
import { channelName, changed, fullName, go, listen, markRead, onMoment, ringing, show, shown, state, threadOf, unread } from "./state.js";
import { chooser, drawStrip, tickClock } from "./stories.js";

const $ = (id) => document.getElementById(id);
const REMEMBERED = "oncall-practice-me";

function become(person) {
  sessionStorage.setItem(REMEMBERED, person);
  go({ kind: "none" });
  listenAs(person);
}

// --- the conversation ---

const head = h("header", { class: "chat-head" });
const list = h("div", { class: "messages", tabindex: "0", role: "log", "aria-label": "Messages", "aria-live": "off" });
const write = composer(() => (state.place.kind === "channel" ? { channel: state.place.id } : null));
const whole = h("div", { class: "whole" });
const threadList = h("div", { class: "messages", tabindex: "0", "aria-label": "Thread" });
const threadWrite = composer(() => ({ channel: state.place.id, thread_ts: state.thread }));
const threadHead = h("header", { class: "chat-head" }, h("h2", {}, "Thread"), h("button", { type: "button", class: "icon-button", "aria-label": "Close thread", on: { click: () => go(state.place) } }, icon("close")));
let stood = null;

function settle() {
  const known = state.place.kind === "home" || (state.place.kind === "channel" && state.channels.has(state.place.id));
  if (known) return;
  const first = [...state.channels.values()].find((one) => one.kind === "channel" && one.member) || [...state.channels.values()][0];
  state.place = first ? { kind: "channel", id: first.id } : { kind: "none" };
  state.thread = null;
}

function drawChat() {
  settle();
  const place = state.place;
  const channel = state.channels.get(place.id);
  const welcome = !state.story && place.kind === "channel" && channel?.kind === "channel" && !shown(place.id).some((one) => one.user === state.bot);
  const atHome = place.kind === "home";
  list.hidden = write.hidden = atHome || welcome;
  whole.hidden = !atHome && !welcome;
  drawHead(channel, atHome);
  if (welcome) fill(whole, chooser());
  else if (atHome) drawHome();
  else if (channel) {
    const here = `${state.me}/${channel.id}`;
    draw(list, shown(channel.id), { toEnd: stood !== here });
    stood = here;
    write.label(channel.kind === "dm" ? `Write to ${channelName(channel)}` : `Write to #${channelName(channel)}, or type ${state.command?.name || "/"}`);
    if (document.visibilityState === "visible" && document.body.dataset.pane === "chat") markRead(channel.id);
  }
  drawThread(channel);
}

function drawHead(channel, atHome) {
  const more = h("button", { type: "button", class: "icon-button", "aria-label": "Shortcuts", title: "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false", data: { key: "shortcuts" } }, icon("more"));
  more.addEventListener("click", () => openMenu(more, state.shortcuts.map((one) => ({ text: one.name, description: one.description, pick: () => act({ do: "shortcut", callback_id: one.callback_id }) })), "Shortcuts"));
  const title = atHome ? "oncall-bot" : channel?.kind === "dm" ? channelName(channel) : `#${channelName(channel)}`;
  const join = channel && channel.kind === "channel" && !channel.member ? h("button", { type: "button", class: "button", on: { click: () => act({ do: "join", channel: channel.id }) } }, "Join") : null;
  fill(head, h("h2", {}, title), h("p", { class: "soft" }, atHome ? "Home" : channel?.topic || ""), join, state.shortcuts.length ? more : null);
}

function drawHome() {
  const context = { where: { home: true }, give: (element, block, value) => act({ do: "click", home: true, block_id: block.block_id, action_id: element.action_id, ...(element.type === "button" ? {} : { selected: value }) }) };
  fill(whole, h("div", { class: "home" }, state.home?.blocks ? blocks(state.home.blocks, context) : h("p", { class: "soft" }, "The bot draws this page when it is opened.")));
}

function drawThread(channel) {
  const pane = $("thread");
  pane.hidden = !state.thread || state.place.kind !== "channel";
  document.body.classList.toggle("with-thread", !pane.hidden);
  if (pane.hidden || !channel) return;
  draw(threadList, threadOf(channel.id, state.thread), { inThread: true });
  threadWrite.label("Reply");
}

// --- small parts ---

const TABS = [["side", "Channels", "list"], ["chat", "Chat", "thread"], ["phone", "Phone", "phone"], ["story", "Story", "story"]];

function drawTabs() {
  const marks = { side: [...state.channels.keys()].filter(unread).length, phone: ringing().length };
  document.body.dataset.pane = state.pane;
  fill($("tabs"), TABS.map(([pane, label, mark]) => h("button", { type: "button", "aria-current": state.pane === pane ? "page" : null, data: { key: `tab/${pane}` }, on: { click: () => show(pane) } }, icon(mark), h("span", {}, label), marks[pane] ? h("b", { class: "count" }, marks[pane]) : null)));
}

function drawLink() {
  $("link").textContent = state.link === "lost" ? "The connection is lost. Trying again…" : "";
}

function tellTitle() {
  const rings = ringing(state.me).length;
  document.title = rings ? "📞 Your phone rings" : "oncall-bot, practice workspace";
}

onMoment((kind, data, before) => {
  if (kind === "ring" && data.state === "ringing" && !before) {
    sayNow(`${fullName(data.owner)}'s phone rings: ${data.title}`);
    if (data.owner === state.me) sing();
  }
  if (kind === "message" && !before && data.user !== state.me) sayPolitely(`${fullName(data.user)}: ${spoken(data.text || "")}`);
  if (kind === "story" && data?.step !== before?.step && data) sayPolitely(`${data.step} ${data.hint || ""}`);
});

function fromAddress() {
  const [channel, ts] = location.hash.slice(1).split("/");
  if (!state.channels.has(channel)) return;
  go({ kind: "channel", id: channel }, ts || null);
  show("chat");
  history.replaceState(null, "", location.pathname);
}

function keys(event) {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    jump($("side").querySelector(".me"));
  } else if (event.key === "Escape" && state.thread && !document.querySelector("dialog[open]") && !event.defaultPrevented) {
    go(state.place);
  }
}

function start() {
  $("chat").append(head, whole, list, write);
  $("thread").append(threadHead, threadList, threadWrite);
  sideKeys($("side"));
  listen(["people", "channels", "messages", "place", "me", "phones"], () => drawSide($("side"), become));
  listen(["messages", "channels", "place", "me", "home", "story", "stories", "pane", "people"], drawChat);
  listen(["phones", "me", "people"], () => (drawPhone($("phone"), become), tellTitle()));
  listen(["story", "stories", "clock", "bot", "me"], () => drawStrip($("strip")));
  listen(["view", "me"], drawModal);
  listen(["pane", "phones", "channels", "messages"], drawTabs);
  listen(["link"], drawLink);
  addEventListener("hashchange", fromAddress);
  addEventListener("keydown", keys);
  document.addEventListener("visibilitychange", () => changed("place"));
  setInterval(tickClock, 1000);
  fetchState(sessionStorage.getItem(REMEMBERED)).then(async (found) => {
    if (!found) await fetchState(null);
    if (state.me) listenAs(state.me);
  });
}

start();
