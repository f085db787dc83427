// Knows Block Kit's interactive elements: buttons, choosers, pickers, boxes and text fields, in messages and in forms.
// In a form a value is kept under its block and action, so that an update of the view loses nothing that was typed.

import { freshId, h, icon } from "./dom.js";
import { withMarks } from "./emoji.js";
import { picture, target } from "./links.js";
import { openList, openMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { press, suggest } from "./press.js";
import { channelName, fullName, state } from "./state.js";
import { fromWall, toWall } from "./when.js";

export const textOf = (object) => {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : withMarks(object.text || "");
};

// Values of a form, and of what was chosen in a message while it stays.
export class Values {
  #kept = new Map();
  static key = (block, element) => `${block.block_id || ""}\n${element.action_id || ""}`;
  read(block, element, initial) {
    const key = Values.key(block, element);
    if (!this.#kept.has(key)) this.#kept.set(key, initial);
    return this.#kept.get(key);
  }
  write(block, element, value) {
    this.#kept.set(Values.key(block, element), value);
  }
}

// The element as a node. `named` is {id, describedby} of a label that stands beside it.
export function drawElement(element, block, ctx, named = {}) {
  const draw = ELEMENTS[element.type];
  if (!draw) return h("span", { class: "unknown" }, `This page can't draw “${element.type}”.`);
  const node = draw(element, block, ctx, named);
  const field = node.matches("button, input, select, textarea, a") ? node : node.querySelector("button, input, select, textarea");
  if (field && !field.dataset.key) field.dataset.key = `${block.block_id}:${element.action_id}`;
  return node;
}

const isInput = (block) => block.type === "input";
const label = (element, named, fallback) => ({
  id: named.id, "aria-describedby": named.describedby,
  "aria-label": named.id ? null : element.accessibility_label || element.placeholder?.text || fallback,
  "aria-invalid": named.wrong || null,
});

// A choice: kept for the form, or told to the bot.
function choose(element, block, ctx, value, node) {
  ctx.values?.write(block, element, value);
  if (!isInput(block) || block.dispatch_action) press(ctx, block, element, { selected: value }, node);
}

function button(element, block, ctx) {
  const style = { primary: "button primary", danger: "button danger" }[element.style] || "button";
  const props = { class: style, "aria-label": element.accessibility_label || null, data: { action: element.action_id || "" } };
  const to = element.url ? target(element.url) : null;
  const node = to ? h("a", { ...props, ...to }, textOf(element.text)) : h("button", { ...props, type: "button" }, textOf(element.text));
  node.addEventListener("click", (event) => {
    if (node.getAttribute("aria-busy")) return event.preventDefault();
    return press(ctx, block, element, { value: element.value ?? "" }, node);
  });
  return node;
}

function overflow(element, block, ctx) {
  const node = h("button", { type: "button", class: "button dots", "aria-label": element.accessibility_label || "More", "aria-haspopup": "menu", "aria-expanded": "false", data: { action: element.action_id } }, icon("more"));
  node.addEventListener("click", () => openMenu(node, (element.options || []).map((option) => ({
    text: textOf(option.text), description: option.description?.text,
    href: option.url ? target(option.url) : null,
    pick: () => press(ctx, block, element, { selected: option.value }, node),
  })), "More"));
  return node;
}

const optionsOf = (element) => [
  ...(element.options || []).map((one) => ({ text: one.text.text, value: one.value, description: one.description?.text })),
  ...(element.option_groups || []).flatMap((group) =>
    group.options.map((one) => ({ text: one.text.text, value: one.value, description: one.description?.text, group: group.label.text }))),
];

// One of a list, as the system's own list: good on phones, known to every reader.
function select(element, block, ctx, named) {
  const options = listFor(element);
  const chosen = ctx.values?.read(block, element, initialOne(element)) ?? initialOne(element);
  const node = h("select", { class: "select", ...label(element, named, "Choose") },
    h("option", { value: "", disabled: block.optional ? null : true, selected: chosen ? null : true }, element.placeholder?.text || "Choose"),
    byGroup(options).map(([group, members]) => {
      const drawn = members.map((one) => h("option", { value: one.value, selected: one.value === chosen || null }, one.text));
      return group ? h("optgroup", { label: group }, drawn) : drawn;
    }));
  if (element.focus_on_load) node.autofocus = true;
  node.addEventListener("change", () => choose(element, block, ctx, node.value || null, node));
  return node;
}

function byGroup(options) {
  const groups = new Map();
  for (const one of options) groups.set(one.group || "", [...(groups.get(one.group || "") || []), one]);
  return [...groups];
}

const people = () => [...state.people.values()].filter((one) => !one.bot && one.id !== state.bot).map((one) => ({ text: fullName(one.id), value: one.id, description: one.title }));
const channels = () => [...state.channels.values()].filter((one) => one.kind !== "dm").map((one) => ({ text: `#${one.name}`, value: one.id }));
const conversations = () => [...channels(), ...[...state.channels.values()].filter((one) => one.kind === "dm").map((one) => ({ text: channelName(one), value: one.id }))];

function listFor(element) {
  if (element.type.includes("users")) return people();
  if (element.type.includes("channels")) return channels();
  if (element.type.includes("conversations")) return conversations();
  return optionsOf(element);
}

const initialOne = (element) => element.initial_option?.value ?? element.initial_user ?? element.initial_channel ?? element.initial_conversation ?? null;
const initialMany = (element) => element.initial_options?.map((one) => one.value) ?? element.initial_users ?? element.initial_channels ?? element.initial_conversations ?? [];

// Several of a list, or one of a list that the bot is asked for while typing.
function picker(element, block, ctx, named) {
  const multi = element.type.startsWith("multi_");
  const outside = element.type.includes("external");
  const names = new Map([element.initial_option, ...(element.initial_options || [])].filter(Boolean).map((one) => [one.value, one.text.text]));
  const local = outside ? [] : listFor(element);
  for (const one of local) names.set(one.value, one.text);
  const first = multi ? initialMany(element) : initialOne(element);
  let value = ctx.values?.read(block, element, first) ?? first;
  const node = h("button", { type: "button", class: "select picker", "aria-haspopup": "listbox", "aria-expanded": "false", ...label(element, named, "Choose") });
  const show = () => {
    const told = [value].flat().filter(Boolean).map((one) => names.get(one) || ctx.names?.get(one) || one);
    node.replaceChildren(...(told.length ? told.map((text) => h("span", { class: multi ? "chip" : "" }, text)) : [h("span", { class: "soft" }, element.placeholder?.text || "Choose")]));
  };
  const options = async (typed) => {
    const found = outside ? (await suggest(ctx, block, element, typed)).map((one) => ({ text: one.text.text, value: one.value, description: one.description?.text, group: one.group })) : local;
    for (const one of found) names.set(one.value, one.text);
    return found.filter((one) => outside || one.text.toLowerCase().includes(typed.toLowerCase()));
  };
  node.addEventListener("click", () => openList(node, {
    label: element.placeholder?.text || "Choose", options, multi, most: element.max_selected_items, search: outside || null,
    chosen: [value].flat().filter(Boolean),
    picked(values) {
      value = multi ? values : values[0];
      for (const one of values) ctx.names?.set(one, names.get(one));
      show();
      choose(element, block, ctx, value, node);
    },
  }));
  show();
  return node;
}

function dated(type, read) {
  return (element, block, ctx, named) => {
    const first = read(element);
    const node = h("input", { type, class: "field dated", ...label(element, named, "Date and time") });
    const value = ctx.values?.read(block, element, first) ?? first;
    if (value) node.value = type === "datetime-local" ? toWall(Number(value)) : value;
    node.addEventListener("change", () => {
      const told = type === "datetime-local" && node.value ? String(fromWall(node.value)) : node.value;
      choose(element, block, ctx, told || null, node);
    });
    return node;
  };
}

function boxes(element, block, ctx, named) {
  const single = element.type === "radio_buttons";
  const first = single ? initialOne(element) : initialMany(element);
  const value = ctx.values?.read(block, element, first) ?? first;
  const name = freshId("choice");
  const group = h("div", { class: "choices", role: single ? "radiogroup" : "group", "aria-labelledby": named.labelId, "aria-label": named.labelId ? null : "Choose", "aria-describedby": named.describedby });
  for (const option of element.options || []) {
    const on = single ? value === option.value : value.includes(option.value);
    const box = h("input", { type: single ? "radio" : "checkbox", name, value: option.value, data: { key: `${block.block_id}:${element.action_id}:${option.value}` } });
    box.checked = on;
    group.append(h("label", { class: "choice" }, box, h("span", {}, h("span", {}, textOf(option.text)), option.description ? h("small", {}, textOf(option.description)) : null)));
  }
  group.addEventListener("change", () => {
    const chosen = [...group.querySelectorAll("input:checked")].map((one) => one.value);
    choose(element, block, ctx, single ? chosen[0] ?? null : chosen, group);
  });
  return group;
}

function textField(element, block, ctx, named) {
  const first = element.initial_value ?? "";
  const kind = { number_input: "text", email_text_input: "email", url_text_input: "url" }[element.type] || "text";
  const props = { class: "field", placeholder: element.placeholder?.text, maxlength: element.max_length, autocomplete: "off", ...label(element, named, "Text") };
  const node = element.multiline ? h("textarea", { ...props, rows: 4 }) : h("input", { ...props, type: kind, inputmode: element.type === "number_input" ? "decimal" : null });
  node.value = ctx.values?.read(block, element, first) ?? first;
  if (element.focus_on_load) node.autofocus = true;
  node.addEventListener("input", () => ctx.values?.write(block, element, node.value));
  if (block.dispatch_action || !isInput(block)) {
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || element.multiline) return;
      event.preventDefault();
      press(ctx, block, element, { value: node.value }, node);
    });
  }
  return node;
}

function imageElement(element) {
  const from = picture(element.image_url);
  return from ? h("img", { class: "thumb", src: from, alt: element.alt_text || "" }) : h("span", { class: "soft" }, element.alt_text || "");
}

function feedback(element, block, ctx) {
  const one = (given) => given && button({ ...given, action_id: element.action_id, accessibility_label: given.accessibility_label }, block, ctx);
  return h("span", { class: "pair" }, one(element.positive_button), one(element.negative_button));
}

const ELEMENTS = {
  button, overflow, workflow_button: button, feedback_buttons: feedback,
  icon_button: button,
  static_select: select, users_select: select, channels_select: select, conversations_select: select,
  external_select: picker, multi_static_select: picker, multi_users_select: picker, multi_channels_select: picker,
  multi_conversations_select: picker, multi_external_select: picker,
  datepicker: dated("date", (one) => one.initial_date || null),
  timepicker: dated("time", (one) => one.initial_time || null),
  datetimepicker: dated("datetime-local", (one) => (one.initial_date_time ? String(one.initial_date_time) : null)),
  radio_buttons: boxes, checkboxes: boxes,
  plain_text_input: textField, number_input: textField, email_text_input: textField, url_text_input: textField,
  image: imageElement,
};
