// Knows how to say something short: a line that fades, and what a screen reader is told politely or at once.

import { h } from "./dom.js";

export function notice(text, kind = "plain") {
  const place = document.querySelector("dialog[open] .notices") || document.getElementById("notices");
  const line = h("div", { class: `notice ${kind}` }, text);
  while (place.children.length > 2) place.firstElementChild.remove();
  place.append(line);
  setTimeout(() => line.remove(), Math.max(4000, text.length * 80));
}

export const sayPolitely = (text) => say("polite", text);
export const sayNow = (text) => say("alarm", text);

function say(place, text) {
  const region = document.getElementById(place);
  const line = h("p", {}, text.length > 240 ? `${text.slice(0, 240)}…` : text);
  while (region.children.length > 3) region.firstElementChild.remove();
  region.append(line);
  setTimeout(() => line.remove(), 8000);
}
