// Knows the middle pane: the channel or direct message the reader looks at, its head, its messages, its field.

import { fill, h, icon } from "./dom.js";
import { Composer } from "./composer.js";
import { act, quietly } from "./feed.js";
import { drawHome } from "./home.js";
import { Scroller, drawMessages } from "./messages.js";
import { avatar } from "./people.js";
import { channelName, dmWith, fullName, listen, markRead, shown, state, unread } from "./state.js";

export function drawConversation(root, { visit, openThread, back }) {
  const head = h("header", { class: "pane-head" });
  const list = h("div", { class: "messages", role: "log", "aria-label": "Messages", "aria-live": "off", tabindex: "0" });
  const jump = h("button", { type: "button", class: "jump", hidden: true, on: { click: () => { scroller.toEnd(); read(); draw(); } } });
  const foot = h("div", { class: "pane-foot" });
  const home = h("div", { class: "home", hidden: true });
  const composer = new Composer(where, { ready: async () => (await channelReady(visit)) && where() });
  root.append(head, home, h("div", { class: "messages-box" }, list, jump), foot);
  const scroller = new Scroller(list, () => { if (scroller.atEnd()) read(); showJump(); });
  let from = null;
  let last = null;

  function where() {
    const channel = here();
    const name = channel ? `Message ${channel.kind === "dm" ? fullName(channel.with) : `#${channel.name}`}` : `Message ${fullName(state.place.with)}`;
    return { channel: channel?.id, name };
  }

  function read() {
    const channel = here();
    if (channel && document.visibilityState === "visible" && scroller.following && markRead(channel.id)) quietly({ do: "read", channel: channel.id });
  }

  function showJump() {
    const count = here() ? unread(here().id) : 0;
    jump.hidden = scroller.following || !count;
    if (!jump.hidden) fill(jump, icon("down"), `${count} new ${count === 1 ? "message" : "messages"}`);
  }

  function draw() {
    const channel = here();
    const key = `${state.me}/${channel?.id || state.place.kind + (state.place.with || "")}`;
    const moved = key !== last;
    if (moved) {
      last = key;
      from = channel && unread(channel.id) ? state.readTo.get(channel.id) || "0" : null;
      list.replaceChildren();
    }
    const atHome = state.place.kind === "home";
    home.hidden = !atHome;
    list.parentElement.hidden = atHome;
    drawHead(head, channel, { visit, back });
    if (atHome) {
      foot.replaceChildren();
      return drawHome(home);
    }
    const messages = channel ? shown(channel.id) : [];
    if (messages.length) list.querySelector(".empty")?.remove();
    drawMessages(list, messages, { from, openThread });
    if (!messages.length) list.replaceChildren(empty(channel));
    drawFoot(foot, channel, composer);
    if (moved || !messages.length) scroller.toEnd();
    else scroller.settle();
    read();
    return showJump();
  }

  listen(["messages", "place", "channels", "people", "me", "home"], draw);
  document.addEventListener("visibilitychange", read);
  return { focus: () => composer.field.focus(), reveal: (ts) => reveal(list, scroller, ts) };
}

export const here = () => state.channels.get(state.place.id) || null;

function reveal(list, scroller, ts) {
  const found = list.querySelector(`article[data-ts="${CSS.escape(ts)}"]`);
  if (!found) return;
  const [at, box] = [found.getBoundingClientRect(), list.getBoundingClientRect()];
  if (at.top >= box.top - 8 && at.top < box.bottom - 80) return;
  scroller.toElement(found);
  found.classList.add("found");
  setTimeout(() => found.classList.remove("found"), 2500);
}

// A direct message that was never opened is opened by its first word.
async function channelReady(visit) {
  if (here()) return true;
  if (state.place.kind !== "dm") return false;
  const answer = await act({ do: "open_dm", with: state.place.with });
  if (answer.channel) {
    if (!state.channels.has(answer.channel)) state.channels.set(answer.channel, { id: answer.channel, kind: "dm", with: state.place.with, member: true, unread: 0 });
    visit({ kind: "channel", id: answer.channel }, { quiet: true });
  }
  return Boolean(answer.channel);
}

function drawHead(head, channel, { visit, back }) {
  const backTo = h("button", { type: "button", class: "icon-button back", "aria-label": "All channels", on: { click: back }, data: { key: "back" } }, icon("list"));
  const withBot = state.place.kind === "home" || channel?.with === state.bot;
  if (withBot) return fill(head, backTo, avatar(state.bot, "small"), h("h1", {}, fullName(state.bot)), tabs(channel, visit));
  const other = channel?.with || state.place.with;
  const name = other ? [avatar(other, "small"), h("h1", {}, fullName(other))] : [icon(channel?.kind === "private" ? "lock" : "hash"), h("h1", {}, channelName(channel) || "…")];
  const about = channel?.topic || state.people.get(other)?.title || "";
  return fill(head, backTo, name, h("p", { class: "topic", title: about }, about));
}

function tabs(channel, visit) {
  const dm = dmWith(state.bot);
  const waiting = dm ? unread(dm.id) : 0;
  const tab = (name, on, place, badge) => h("button", { type: "button", class: "tab", "aria-pressed": String(on), data: { key: `tab:${name}` }, on: { click: () => visit(place) } }, name, badge ? h("span", { class: "badge" }, badge) : null);
  return h("nav", { class: "tabs", "aria-label": "App" },
    tab("Home", state.place.kind === "home", { kind: "home" }, 0),
    tab("Messages", Boolean(channel), dm ? { kind: "channel", id: dm.id } : { kind: "dm", with: state.bot }, waiting));
}

function drawFoot(foot, channel, composer) {
  if (channel && channel.member === false) {
    const join = h("button", { type: "button", class: "button primary", on: { click: () => act({ do: "join", channel: channel.id }) } }, "Join");
    return fill(foot, h("div", { class: "join" }, h("span", {}, `You are not in #${channel.name}.`), join));
  }
  composer.moved();
  if (composer.element.parentElement !== foot) foot.replaceChildren(composer.element);
  return foot;
}

function empty(channel) {
  const name = channel?.kind === "dm" || !channel ? fullName(channel?.with || state.place.with) : `#${channel.name}`;
  return h("div", { class: "empty" }, h("b", {}, `Nothing said yet: ${name}`), h("p", {}, channel?.topic || "Write the first word below."));
}
