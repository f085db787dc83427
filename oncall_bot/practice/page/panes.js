// Knows the bottom bar of phones: one pane at a time, and what waits in the others.

import { fill, h, icon } from "./dom.js";
import { isLoud, listen, ringing, show, state, unread } from "./state.js";

const PANES = [["places", "Channels", "list"], ["chat", "Chat", "thread"], ["phone", "Phone", "phone"], ["story", "Story", "story"]];

export function drawBar(root) {
  const draw = () => {
    document.body.dataset.pane = state.pane;
    const waiting = [...state.channels.values()].filter((one) => one.id !== state.place.id).reduce((sum, one) => sum + unread(one.id), 0);
    const badges = { places: waiting, phone: ringing().length, chat: state.place.id ? unread(state.place.id) : 0 };
    fill(root, PANES.map(([pane, name, drawing]) => h("button", { type: "button", class: pane === "phone" && ringing().some(isLoud) ? "alarm" : "", "aria-pressed": String(state.pane === pane), "aria-label": badges[pane] ? `${name}, ${badges[pane]} new` : name, data: { key: `pane:${pane}`, pane }, on: { click: () => show(pane) } },
      icon(drawing), h("span", {}, name), badges[pane] ? h("span", { class: "badge" }, badges[pane]) : null)));
  };
  listen(["pane", "messages", "channels", "phones", "rings", "place", "me"], draw);
  draw();
}
