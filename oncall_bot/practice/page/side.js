// Knows the list at the side: who the reader is, channels, direct messages, the app.

import { arrows, fill, h, icon } from "./dom.js";
import { act } from "./feed.js";
import { openList, openMenu } from "./menu.js";
import { avatar } from "./messages.js";
import { channelName, dmWith, fullName, go, ringing, show, state, unread } from "./state.js";

export function drawSide(root, become) {
  const channels = [...state.channels.values()];
  const of = (kinds) => channels.filter((one) => kinds.includes(one.kind)).sort((a, b) => channelName(a).localeCompare(channelName(b)));
  const appDm = dmWith(state.bot);
  fill(root,
    h("div", { class: "who" }, h("p", { class: "team" }, state.team), whoAmI(become)),
    h("div", { class: "rows" },
      h("h2", {}, "Channels"), of(["channel", "private"]).map(channelRow),
      h("h2", {}, "Direct messages"), of(["dm"]).filter((one) => one.with !== state.bot).map(channelRow), newDm(),
      h("h2", {}, "App"), homeRow(), appDm ? channelRow(appDm) : null));
}

function whoAmI(become) {
  const me = state.people.get(state.me);
  const made = h("button", { type: "button", class: "me", "aria-haspopup": "menu", "aria-expanded": "false", data: { key: "me" } }, avatar(state.me), h("span", {}, h("strong", {}, fullName(state.me)), h("small", {}, me?.title || "Switch person")), icon("caret"));
  made.addEventListener("click", () => openMenu(made, [...state.people.values()].filter((one) => !one.bot).map((one) => ({
    text: one.real_name, description: [one.title, ringing(one.id).length ? "phone rings" : ""].filter(Boolean).join(", "), pick: () => become(one.id),
  })), "Who are you?"));
  return made;
}

function row(id, label, mark, { count = 0, at = false, pick }) {
  return h("button", { type: "button", class: count ? "row new" : "row", "aria-current": at ? "page" : null, data: { key: `row/${id}` }, on: { click: pick } }, mark, h("span", {}, label), count ? h("b", { class: "count", "aria-label": `${count} unread` }, count) : null);
}

const open = (place) => {
  go(place);
  show("chat");
};

function channelRow(one) {
  const at = state.place.kind === "channel" && state.place.id === one.id;
  const mark = one.kind === "dm" ? avatar(one.with) : icon(one.kind === "private" ? "lock" : "hash");
  const label = one.kind === "dm" && one.with === state.bot ? "Messages" : channelName(one);
  return row(one.id, label, mark, { count: unread(one.id), at, pick: () => open({ kind: "channel", id: one.id }) });
}

const homeRow = () => row("home", "oncall-bot home", avatar(state.bot), { at: state.place.kind === "home", pick: () => (open({ kind: "home" }), act({ do: "open_home" })) });

function newDm() {
  const made = h("button", { type: "button", class: "row", "aria-haspopup": "listbox", "aria-expanded": "false", data: { key: "new-dm" } }, icon("plus"), h("span", {}, "Write to somebody"));
  made.addEventListener("click", () => openList(made, {
    label: "Write to", chosen: [], options: (typed) => [...state.people.values()].filter((one) => one.id !== state.me && one.real_name.toLowerCase().includes((typed || "").toLowerCase())).map((one) => ({ text: one.real_name, value: one.id, description: one.title })),
    picked: async ([person]) => {
      const told = await act({ do: "open_dm", with: person });
      if (told.channel) open({ kind: "channel", id: told.channel });
    },
  }));
  return made;
}

export function sideKeys(root) {
  arrows(root, ".row");
}

export function jump(anchor) {
  openList(anchor, {
    label: "Jump to", chosen: [], search: true,
    options: (typed) => [...state.channels.values()].map((one) => ({ text: one.kind === "dm" ? channelName(one) : `#${channelName(one)}`, value: one.id })).filter((one) => one.text.toLowerCase().includes((typed || "").toLowerCase())),
    picked: ([id]) => open({ kind: "channel", id }),
  });
}
