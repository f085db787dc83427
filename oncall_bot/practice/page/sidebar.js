// Knows the list of places: channels, direct messages, the bot; what is unread; and the quick way to one (Ctrl+K).

import { arrows, fill, h, icon } from "./dom.js";
import { avatar, persons, whoAmI } from "./people.js";
import { channelName, dmWith, fullName, listen, state, unread } from "./state.js";

const byName = (one, other) => channelName(one).localeCompare(channelName(other));

export function drawSidebar(root, { visit, become }) {
  arrows(root, "button");
  const draw = () => {
    if (!state.me) return;
    const channels = [...state.channels.values()].filter((one) => one.kind !== "dm").sort(byName);
    const mine = channels.filter((one) => one.member !== false);
    const others = channels.filter((one) => one.member === false);
    fill(root,
      h("header", { class: "team" }, h("strong", {}, state.team), h("button", { type: "button", class: "icon-button", "aria-label": "Find a channel or person (Ctrl+K)", title: "Find a channel or person (Ctrl+K)", data: { key: "find" }, on: { click: () => openSwitcher(visit) } }, icon("search"))),
      whoAmI(become),
      h("div", { class: "places" },
        group("Channels", mine.map((one) => row(one, visit))),
        others.length ? group("More channels", others.map((one) => row(one, visit))) : null,
        group("Direct messages", persons().filter((one) => one.id !== state.me).map((one) => person(one, visit))),
        group("App", [bot(visit)])));
  };
  listen(["channels", "people", "me", "place", "messages", "phones"], draw);
  draw();
}

const group = (name, rows) => h("section", { "aria-label": name }, h("h2", {}, name), rows);

const isHere = (place) => (place.id ? state.place.id === place.id : state.place.kind === place.kind && state.place.with === place.with);

function entry(place, drawn, name, count, visit) {
  const said = [name, count ? `${count} unread` : ""].filter(Boolean).join(", ");
  const classes = ["place", count ? "unread" : "", isHere(place) ? "here" : ""].join(" ");
  return h("button", { type: "button", class: classes, "aria-label": said, "aria-current": isHere(place) ? "page" : null, data: { key: `place:${place.id || place.kind + (place.with || "")}` }, on: { click: () => visit(place) } },
    drawn, h("span", { class: "name" }, name), count ? h("span", { class: "badge" }, count) : null);
}

function row(channel, visit) {
  return entry({ kind: "channel", id: channel.id }, icon(channel.kind === "private" ? "lock" : "hash"), channel.name, unread(channel.id), visit);
}

function person(one, visit) {
  const dm = dmWith(one.id);
  return entry(dm ? { kind: "channel", id: dm.id } : { kind: "dm", with: one.id }, avatar(one.id, "tiny"), fullName(one.id), dm ? unread(dm.id) : 0, visit);
}

function bot(visit) {
  const dm = dmWith(state.bot);
  const waiting = dm ? unread(dm.id) : 0;
  const place = waiting && dm ? { kind: "channel", id: dm.id } : { kind: "home" };
  const row = entry(place, avatar(state.bot, "tiny"), fullName(state.bot), waiting, visit);
  if (state.place.kind === "home" || state.place.id === dm?.id) row.classList.add("here");
  row.dataset.key = "place:bot";
  return row;
}

// Every place by name, in the order in which one probably wants them.
function destinations() {
  const channels = [...state.channels.values()].filter((one) => one.kind !== "dm").map((one) => ({ name: `#${one.name}`, place: { kind: "channel", id: one.id }, count: unread(one.id) }));
  const people = persons().filter((one) => one.id !== state.me).map((one) => {
    const dm = dmWith(one.id);
    return { name: fullName(one.id), place: dm ? { kind: "channel", id: dm.id } : { kind: "dm", with: one.id }, count: dm ? unread(dm.id) : 0 };
  });
  const dm = dmWith(state.bot);
  const bots = [{ name: `${fullName(state.bot)} home`, place: { kind: "home" }, count: 0 }, dm ? { name: `${fullName(state.bot)} messages`, place: { kind: "channel", id: dm.id }, count: unread(dm.id) } : null];
  return [...channels, ...bots.filter(Boolean), ...people].sort((one, other) => Boolean(other.count) - Boolean(one.count));
}

export function openSwitcher(visit) {
  if (document.querySelector("dialog.switcher")) return;
  const field = h("input", { type: "text", class: "field", role: "combobox", "aria-expanded": "true", "aria-controls": "switch-list", "aria-label": "Go to a channel or person", placeholder: "Go to a channel or person", autocomplete: "off", spellcheck: "false" });
  const rows = h("div", { role: "listbox", id: "switch-list", "aria-label": "Places" });
  const dialog = h("dialog", { class: "switcher", "aria-label": "Go to" }, field, rows);
  let at = 0;
  let found = [];
  const take = (one) => {
    dialog.close();
    visit(one.place);
  };
  const mark = () => [...rows.children].forEach((row, number) => {
    row.setAttribute("aria-selected", number === at);
    if (number === at) field.setAttribute("aria-activedescendant", row.id), row.scrollIntoView({ block: "nearest" });
  });
  const draw = () => {
    const typed = field.value.replace(/^[#@]/, "").trim().toLowerCase();
    found = destinations().filter((one) => one.name.toLowerCase().includes(typed));
    at = 0;
    rows.replaceChildren(...found.map((one, number) => h("div", { role: "option", id: `switch-${number}`, on: { click: () => take(one) } }, one.name, one.count ? h("span", { class: "badge" }, one.count) : null)));
    mark();
  };
  field.addEventListener("input", draw);
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) at = (at + step + found.length) % found.length;
    else if (event.key === "Enter" && found[at]) take(found[at]);
    else return;
    event.preventDefault();
    mark();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  draw();
  dialog.showModal();
}
