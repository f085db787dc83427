// Knows menus and lists that open beside a button: arrow keys, typing to search, Escape, a sheet on phones.

import { add, freshId, h, icon } from "./dom.js";

const SEARCH_FROM = 8;

// A box beside `anchor` that goes away by Escape, by a press elsewhere, or by `close()`; focus returns to the anchor.
function open(anchor, props) {
  const box = h("div", { ...props, popover: "auto" });
  (anchor.closest("dialog") || document.body).append(box);
  anchor.setAttribute("aria-expanded", "true");
  const close = () => box.matches(":popover-open") && box.hidePopover();
  box.addEventListener("toggle", (event) => {
    if (event.newState === "open") return;
    anchor.setAttribute("aria-expanded", "false");
    const back = document.activeElement === document.body || box.contains(document.activeElement);
    box.remove();
    if (back && anchor.isConnected) anchor.focus();
  });
  return { box, close, show: () => (box.showPopover(), place(box, anchor)) };
}

function place(box, anchor) {
  if (matchMedia("(max-width: 899px)").matches) return;
  const at = anchor.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = at.bottom + 4 + height <= innerHeight || at.top < height;
  box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  box.style.top = `${below ? Math.min(at.bottom + 4, innerHeight - height - 8) : at.top - height - 4}px`;
}

function walk(box, selector) {
  box.addEventListener("keydown", (event) => {
    const all = [...box.querySelectorAll(selector)];
    const at = all.indexOf(document.activeElement);
    const step = { ArrowDown: at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1 }[event.key] ?? { Home: 0, End: all.length - 1 }[event.target.localName === "input" ? "" : event.key];
    if (step === undefined || !all.length) return;
    event.preventDefault();
    all[(step + all.length) % all.length].focus();
  });
}

// items: {text, description?, danger?, href?, pick()}; opened by a button.
export function openMenu(anchor, items, label) {
  const { box, close, show } = open(anchor, { class: "menu", role: "menu", "aria-label": label });
  for (const item of items) {
    const words = [h("span", {}, item.text), item.description ? h("small", {}, item.description) : null];
    const props = { role: "menuitem", class: item.danger ? "danger" : null, tabindex: "-1" };
    const row = item.href ? h("a", { ...props, ...item.href }, words) : h("button", { ...props, type: "button" }, words);
    row.addEventListener("click", () => {
      close();
      item.pick?.();
    });
    box.append(row);
  }
  walk(box, "[role=menuitem]");
  show();
  box.firstElementChild?.focus();
}

// A list to choose from. `options(typed)` gives [{text, value, description?, group?}], perhaps later.
// `multi` keeps it open; `picked(values)` is called after each choice.
export function openList(anchor, { label, options, chosen, multi = false, most = Infinity, search = null, picked }) {
  const { box, close, show } = open(anchor, { class: "menu list" });
  const values = new Set(chosen);
  const rows = h("div", { role: "listbox", "aria-label": label, "aria-multiselectable": multi || null, id: freshId("list") });
  const typed = h("input", { type: "search", class: "find", placeholder: "Search", "aria-label": `Search: ${label}`, autocomplete: "off" });
  const choose = (option) => {
    if (!multi) {
      close();
      return picked([option.value], [option]);
    }
    if (values.has(option.value)) values.delete(option.value);
    else if (values.size < most) values.add(option.value);
    for (const row of rows.querySelectorAll("[role=option]")) row.setAttribute("aria-selected", values.has(row.dataset.value));
    return picked([...values]);
  };
  const draw = async () => {
    const found = await options(typed.value.trim());
    rows.replaceChildren();
    if (!found.length) rows.append(h("p", { class: "soft pad" }, "Nothing found."));
    add(rows, grouped(found, values, choose));
  };
  if (multi) add(box, h("div", { class: "list-head" }, h("span", {}, label), h("button", { type: "button", class: "small", on: { click: close } }, "Done")));
  box.append(rows);
  walk(box, "[role=option]");
  Promise.resolve(options("")).then((found) => {
    if (search ?? found.length > SEARCH_FROM) rows.before(typed);
    typed.addEventListener("input", draw);
    add(rows, found.length ? grouped(found, values, choose) : h("p", { class: "soft pad" }, "Nothing found."));
    show();
    const first = rows.querySelector("[aria-selected=true]") || rows.querySelector("[role=option]");
    (typed.isConnected ? typed : first)?.focus();
  });
}

function grouped(options, values, choose) {
  let group = null;
  return options.flatMap((option) => {
    const head = option.group && option.group !== group ? [h("p", { class: "group" }, option.group)] : [];
    group = option.group;
    const row = h("button", { type: "button", role: "option", tabindex: "-1", "aria-selected": values.has(option.value), data: { value: option.value } },
      h("span", {}, option.text), option.description ? h("small", {}, option.description) : null);
    row.addEventListener("click", () => choose(option));
    return [...head, row];
  });
}

// A question with two answers; resolves to true when the person says yes.
export function ask({ title, text, yes, no, danger = false }) {
  return new Promise((resolve) => {
    const id = freshId("ask");
    const answer = (said) => () => {
      dialog.close();
      resolve(said);
    };
    const dialog = h("dialog", { class: "ask", "aria-labelledby": id },
      h("h2", { id }, title),
      h("div", { class: "ask-body" }, text),
      h("footer", {}, h("button", { type: "button", class: "button", on: { click: answer(false) } }, no),
        h("button", { type: "button", class: danger ? "button danger" : "button primary", on: { click: answer(true) } }, yes)));
    dialog.addEventListener("cancel", () => resolve(false));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("footer button:last-child").focus();
  });
}

export const menuButton = (label, items, props = {}) => {
  const button = h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, "aria-haspopup": "menu", "aria-expanded": "false", ...props }, icon("more"));
  button.addEventListener("click", () => openMenu(button, items(), label));
  return button;
};
