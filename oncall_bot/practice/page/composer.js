// Knows the line people write on: messages, slash commands with hints, mentions.

import { h, icon } from "./dom.js";
import { act } from "./feed.js";
import { state } from "./state.js";

const words = () => (state.command?.hint || "").split("|").map((word) => word.trim()).filter((word) => word && !word.includes("…"));

function hints(text) {
  const command = state.command?.name;
  if (command && text.startsWith("/")) {
    if (command.startsWith(text)) return [{ put: `${command} `, show: command, about: state.command.description }];
    if (text.startsWith(`${command} `)) {
      const typed = text.slice(command.length + 1);
      return words().filter((word) => word.startsWith(typed) && word !== typed).map((word) => ({ put: `${command} ${word.split(" ")[0]} `, show: `${command} ${word}`, about: "" }));
    }
    return [];
  }
  const asked = /(^|\s)@([\w-]*)$/.exec(text);
  if (!asked) return [];
  const head = text.slice(0, text.length - asked[2].length);
  const names = ["oncall-bot", ...[...state.people.values()].filter((one) => !one.bot).map((one) => one.name)];
  return names.filter((name) => name.startsWith(asked[2])).map((name) => ({ put: `${head}${name} `, show: `@${name}`, about: "" }));
}

// `place()` gives {channel, thread_ts?, label}.
export function composer(place) {
  const field = h("textarea", { rows: 1, class: "field", "aria-label": "Message", autocomplete: "off", data: { key: "composer" } });
  const list = h("div", { class: "hints", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const send = h("button", { type: "submit", class: "icon-button send", "aria-label": "Send" }, icon("send"));
  const form = h("form", { class: "composer" }, list, field, send);
  let chosen = 0;

  const draw = () => {
    const all = document.activeElement === field ? hints(field.value).slice(0, 8) : [];
    chosen = Math.min(chosen, Math.max(0, all.length - 1));
    list.hidden = !all.length;
    list.replaceChildren(...all.map((one, at) => h("button", {
      type: "button", role: "option", tabindex: "-1", "aria-selected": String(at === chosen), on: { mousedown: (event) => (event.preventDefault(), take(one)) },
    }, h("span", {}, one.show), one.about ? h("small", {}, one.about) : null)));
    return all;
  };
  const take = (one) => {
    field.value = one.put;
    field.focus();
    grow();
    draw();
  };
  const grow = () => {
    field.rows = Math.min(6, field.value.split("\n").length);
  };
  const submit = async () => {
    const text = field.value.trim();
    const to = place();
    if (!text || !to) return;
    field.value = "";
    grow();
    draw();
    const answer = text.startsWith("/") && !to.thread_ts ? await act({ do: "slash", channel: to.channel, text }) : await act({ do: "post", channel: to.channel, text, ...(to.thread_ts ? { thread_ts: to.thread_ts } : {}) });
    if (!answer.ok && !field.value) field.value = text;
  };

  field.addEventListener("input", () => (grow(), draw()));
  field.addEventListener("blur", () => draw());
  field.addEventListener("keydown", (event) => {
    const all = list.hidden ? [] : hints(field.value).slice(0, 8);
    if (all.length && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length;
      draw();
    } else if (all.length && event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      take(all[chosen]);
    } else if (event.key === "Escape" && all.length) {
      list.hidden = true;
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  form.addEventListener("submit", (event) => (event.preventDefault(), submit()));
  form.label = (text) => {
    field.placeholder = text;
    field.setAttribute("aria-label", text);
  };
  return form;
}
