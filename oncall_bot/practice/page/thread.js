// Knows the thread pane: one message with its answers, and the field to answer in.

import { fill, h, icon } from "./dom.js";
import { Composer } from "./composer.js";
import { Scroller, drawMessages } from "./messages.js";
import { channelName, listen, state, threadOf } from "./state.js";

export function drawThread(root, { close }) {
  const head = h("header", { class: "pane-head" });
  const list = h("div", { class: "messages", role: "log", "aria-label": "Thread", "aria-live": "off", tabindex: "0" });
  const composer = new Composer(() => ({ channel: state.thread?.channel, thread_ts: state.thread?.ts, name: "Answer in the thread" }), { commands: false });
  root.append(head, h("div", { class: "messages-box" }, list), h("div", { class: "pane-foot" }, composer.element));
  root.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && close());
  const scroller = new Scroller(list);
  let last = null;

  function draw() {
    root.hidden = !state.thread;
    document.body.classList.toggle("in-thread", Boolean(state.thread));
    if (!state.thread) {
      last = null;
      return;
    }
    const { channel, ts } = state.thread;
    const messages = threadOf(channel, ts);
    const moved = last !== `${state.me}/${channel}/${ts}`;
    last = `${state.me}/${channel}/${ts}`;
    if (moved) list.replaceChildren();
    fill(head, h("h2", {}, "Thread"), h("p", { class: "topic" }, channelName(state.channels.get(channel)) && `#${channelName(state.channels.get(channel))}`),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close the thread", title: "Close (Esc)", data: { key: "close-thread" }, on: { click: close } }, icon("close")));
    drawMessages(list, messages, { inThread: true });
    composer.moved();
    if (moved && messages.length < 3) list.scrollTop = 0;
    else if (moved) scroller.toEnd();
    else scroller.settle();
  }

  listen(["messages", "place", "people", "me"], draw);
  return { focus: () => composer.field.focus() };
}
