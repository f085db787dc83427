// Knows how people look: initials on a colour of their own, the bot's mark; and how one becomes somebody else.

import { h, icon } from "./dom.js";
import { openMenu } from "./menu.js";
import { fullName, ringing, state } from "./state.js";

const COLOURS = 8;

export function avatar(id, size = "") {
  if (id === state.bot) return h("span", { class: `avatar bot ${size}`, "aria-hidden": "true" });
  const name = fullName(id);
  const initials = name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((part) => [...part][0].toUpperCase()).join("");
  const sum = [...id].reduce((total, char) => (total * 31 + char.codePointAt(0)) % 9973, 7);
  const order = [...state.people.keys()].indexOf(id);
  return h("span", { class: `avatar c${(order >= 0 ? order : sum) % COLOURS} ${size}`, "aria-hidden": "true" }, initials);
}

export const persons = () => [...state.people.values()].filter((one) => !one.bot && one.id !== state.bot);

// The button that says who I am and opens the list of others.
export function whoAmI(become) {
  const me = state.people.get(state.me);
  const button = h("button", { type: "button", class: "who", "aria-haspopup": "menu", "aria-expanded": "false", title: "Be somebody else", data: { key: "who" } },
    avatar(state.me, "small"),
    h("span", { class: "who-words" }, h("small", {}, "You are"), h("b", {}, fullName(state.me))),
    icon("caret"));
  button.setAttribute("aria-label", `You are ${fullName(state.me)}${me?.title ? `, ${me.title}` : ""}. Be somebody else`);
  button.addEventListener("click", () => openMenu(button, persons().map((one) => ({
    text: [avatar(one.id, "small"), one.real_name || one.name],
    description: [one.title, ringing(one.id).length ? "phone is ringing" : "", one.id === state.me ? "that's you now" : ""].filter(Boolean).join(" · "),
    pick: () => become(one.id),
  })), "Be somebody else"));
  return button;
}
