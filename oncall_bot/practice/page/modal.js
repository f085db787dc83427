// Knows the form that is open for this person: its fields, what was put into them, its errors, and how it ends.

import { blocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { initial, words } from "./elements.js";
import { act } from "./feed.js";
import { state } from "./state.js";

let open = null; // {id, dialog, values}

export function drawModal() {
  const view = state.view;
  if (!view) {
    const was = open;
    open = null;
    was?.dialog.close();
    return;
  }
  if (open && open.id !== view.id) {
    const was = open;
    open = null;
    was.dialog.close();
  }
  if (!open) show(view);
  fill(view);
}

function show(view) {
  const dialog = h("dialog", { class: "modal", "aria-label": view.title?.text || "Form" });
  open = { id: view.id, dialog, values: {} };
  dialog.addEventListener("cancel", (event) => (event.preventDefault(), act({ do: "close_view", view: view.id })));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function fill(view) {
  const { dialog, values } = open;
  const focus = document.activeElement?.dataset?.key;
  const context = {
    where: { view: view.id },
    errors: view.errors,
    kept: (block, one) => values[block.block_id]?.[one.action_id],
    give: (element, block, value) => {
      (values[block.block_id] ||= {})[element.action_id] = value;
      if (block.type !== "input" || block.dispatch_action) {
        return act({ do: "click", view: view.id, block_id: block.block_id, action_id: element.action_id, ...(element.type === "button" ? {} : { selected: value }) });
      }
      return null;
    },
  };
  for (const block of view.blocks || []) {
    if (block.type === "input" && values[block.block_id]?.[block.element.action_id] === undefined) {
      (values[block.block_id] ||= {})[block.element.action_id] = initial(block.element);
    }
  }
  const form = h("form", { method: "dialog" },
    h("header", {}, h("h2", {}, words(view.title)), h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: () => act({ do: "close_view", view: view.id }) } }, icon("close"))),
    h("div", { class: "modal-body" }, blocks(view.blocks, context)),
    h("div", { class: "notices" }),
    h("footer", {}, h("button", { type: "button", class: "button", on: { click: () => act({ do: "close_view", view: view.id }) } }, words(view.close).length ? words(view.close) : "Cancel"),
      view.submit ? h("button", { type: "submit", class: "button primary", data: { key: "submit" } }, words(view.submit)) : null));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = form.querySelector("[type=submit]");
    if (submit) submit.disabled = true;
    await act({ do: "submit", view: view.id, values });
    if (submit) submit.disabled = false;
  });
  dialog.replaceChildren(form);
  const first = (focus && [...form.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focus)) || form.querySelector(".wrong [data-key], .modal-body [data-key]") || form.querySelector("[type=submit]");
  first?.focus();
}
