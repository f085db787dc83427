// Knows forms: the view on top of this person's stack, what was typed into it, what is wrong with it.

import { drawBlocks } from "./blocks.js";
import { fill, freshId, h, icon } from "./dom.js";
import { Values } from "./elements.js";
import { act, quietly } from "./feed.js";
import { listen, state } from "./state.js";

let open = null;

export function watchView() {
  listen(["view", "me"], () => {
    const view = state.view;
    if (!view || (open && open.viewer !== state.me)) shut();
    if (!view) return;
    if (!open) open = { viewer: state.me, forms: new Map(), ...makeDialog() };
    if (open.view !== view) draw(view);
  });
}

function shut() {
  const going = open;
  open = null;
  going?.dialog.close();
  going?.dialog.remove();
}

function makeDialog() {
  const titleId = freshId("view-title");
  const form = h("form", { novalidate: true, autocomplete: "off" });
  const dialog = h("dialog", { class: "view", "aria-labelledby": titleId }, form);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismiss();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  document.body.append(dialog);
  return { dialog, form, titleId };
}

function formOf(view) {
  if (!open.forms.has(view.id)) open.forms.set(view.id, { values: new Values(), names: new Map(), missing: {} });
  return open.forms.get(view.id);
}

function draw(view) {
  const form = formOf(view);
  const other = open.view?.id !== view.id;
  open.view = view;
  const errors = { ...view.errors, ...form.missing };
  const ctx = { where: { view: view.id }, values: form.values, names: form.names, errors };
  const body = h("div", { class: "view-body blocks" }, drawBlocks(view.blocks, ctx), strayErrors(errors, view));
  fill(open.form,
    h("header", {}, h("h2", { id: open.titleId }, view.title?.text || "Form"), h("button", { type: "button", class: "icon-button", "aria-label": "Close", data: { key: "x" }, on: { click: dismiss } }, icon("close"))),
    body,
    h("div", { class: "notices", role: "status" }),
    h("footer", {},
      h("button", { type: "button", class: "button", data: { key: "close" }, on: { click: dismiss } }, view.close?.text || (view.submit ? "Cancel" : "Close")),
      view.submit ? h("button", { type: "submit", class: "button primary", data: { key: "submit" } }, view.submit.text) : null));
  if (!open.dialog.open) open.dialog.showModal();
  const wrong = open.form.querySelector("[aria-invalid], .wrong input");
  if (wrong) wrong.focus();
  else if (other) (open.form.querySelector("[autofocus]") || body.querySelector("input, textarea, select, .picker, button") || open.form.querySelector("footer button:last-child")).focus();
}

const strayErrors = (errors, view) => Object.entries(errors)
  .filter(([block]) => !view.blocks.some((one) => one.block_id === block))
  .map(([, text]) => h("p", { class: "error" }, text));

const inputs = (view) => view.blocks.filter((one) => one.type === "input");

function valuesOf(view, form) {
  const values = {};
  for (const block of inputs(view)) {
    const read = form.values.read(block, block.element, null);
    const none = read === "" || read === undefined || (Array.isArray(read) && !read.length);
    values[block.block_id] = { [block.element.action_id]: none ? null : read };
  }
  return values;
}

// Slack's own first look: what is asked for must be there.
function missing(view, values) {
  const wrong = {};
  for (const block of inputs(view)) {
    const value = values[block.block_id][block.element.action_id];
    const shortest = block.element.min_length || 0;
    if (value === null && !block.optional) wrong[block.block_id] = "This is needed.";
    else if (typeof value === "string" && value.length < shortest) wrong[block.block_id] = `At least ${shortest} characters.`;
  }
  return wrong;
}

async function submit() {
  const { view, form: element } = open;
  const form = formOf(view);
  const values = valuesOf(view, form);
  form.missing = missing(view, values);
  if (Object.keys(form.missing).length) return draw(view);
  const button = element.querySelector("[type=submit]");
  button?.setAttribute("aria-busy", "true");
  await act({ do: "submit", view: view.id, values });
  button?.removeAttribute("aria-busy");
  return null;
}

async function dismiss() {
  const { view } = open;
  const answer = await quietly({ do: "close_view", view: view.id });
  if (!answer.ok && open?.view === view) {
    state.view = null;
    shut();
  }
}
