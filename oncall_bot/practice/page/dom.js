// Knows how elements are made and how a list of them is kept in step with data, focus included.
// Text always goes in as text: nothing here reads markup.

export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) set(made, name, value);
  add(made, children);
  return made;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") for (const [event, heard] of Object.entries(value)) element.addEventListener(event, heard);
  else if (name === "data") Object.assign(element.dataset, value);
  else if (name === "class") element.className = value;
  else if (name === "value") element.value = value;
  else if (value === true) element.setAttribute(name, "");
  else element.setAttribute(name, String(value));
}

export function add(parent, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child);
  }
  return parent;
}

export function fill(parent, ...children) {
  const key = focusedKey(parent);
  parent.replaceChildren();
  add(parent, children);
  if (key) refocus(parent, key);
  return parent;
}

// Keeps `parent`'s children as `draw(item)` for each item; an element is drawn anew only when `version(item)` changed.
export function keep(parent, items, { key, version, draw }) {
  const old = new Map([...parent.children].map((element) => [element.dataset.kept, element]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const now = version(item);
    let element = old.get(name);
    old.delete(name);
    if (!element || element.keptVersion !== now) {
      const drawn = draw(item);
      drawn.dataset.kept = name;
      drawn.keptVersion = now;
      if (element) {
        const held = focusedKey(element);
        if (before === element) before = drawn;
        element.replaceWith(drawn);
        if (held) refocus(drawn, held);
      }
      element = drawn;
    }
    if (element === before) before = before.nextElementSibling;
    else parent.insertBefore(element, before);
  }
  for (const gone of old.values()) gone.remove();
}

// What holds the focus inside `root`, by a name that outlives a redrawing ("" when it has no name, null when outside).
export function focusedKey(root) {
  const active = document.activeElement;
  if (!active || active === root || !root.contains(active)) return active === root ? "@self" : null;
  return active.dataset.key || "@self";
}

function refocus(root, key) {
  const found = key === "@self" ? null : [...root.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  const target = found && !found.disabled ? found : root;
  if (target === root && !root.hasAttribute("tabindex")) root.setAttribute("tabindex", "-1");
  target.focus({ preventScroll: true });
}

// Arrow keys, Home and End walk over the elements that `selector` finds in `root`.
export function arrows(root, selector, { across = false } = {}) {
  const [back, on] = across ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  root.addEventListener("keydown", (event) => {
    if (![back, on, "Home", "End"].includes(event.key) || event.target.matches("input, textarea, select")) return;
    const all = [...root.querySelectorAll(selector)].filter((one) => one.offsetParent !== null);
    if (!all.length) return;
    const at = all.findIndex((one) => one === document.activeElement || one.contains(document.activeElement));
    const to = { [back]: at < 0 ? all.length - 1 : at - 1, [on]: at + 1, Home: 0, End: all.length - 1 }[event.key];
    const next = all[Math.max(0, Math.min(all.length - 1, to))];
    event.preventDefault();
    next.focus();
  });
}

let lastId = 0;
export const freshId = (stem) => `${stem}-${++lastId}`;

const ICONS = {
  thread: "M4 5h16v11H9l-5 4z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3-7z",
  plus: "M12 5v14M5 12h14",
  phone: "M8 2.5h8a1.5 1.5 0 011.5 1.5v16a1.5 1.5 0 01-1.5 1.5H8A1.5 1.5 0 016.5 20V4A1.5 1.5 0 018 2.5zM11 18.5h2",
  hash: "M9 4L7 20M17 4l-2 16M4 9h17M3 15h17",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 017 0v3",
  list: "M4 6h16M4 12h16M4 18h16",
  story: "M7 4v16l12-8z",
  skip: "M5 5v14l8-7zM13 5v14l8-7z",
  search: "M10.5 4a6.5 6.5 0 110 13 6.5 6.5 0 010-13zM15.5 15.5L20 20",
  down: "M12 5v14M6 13l6 6 6-6",
  caret: "M7 10l5 5 5-5",
  smile: "M12 3.5a8.5 8.5 0 110 17 8.5 8.5 0 010-17zM8.5 14.5c1.8 2.4 5.2 2.4 7 0M9 9.5h.01M15 9.5h.01",
  bell: "M6 17V11a6 6 0 0112 0v6l1.5 1.5h-15zM10 20.5h4",
  mute: "M4 9.5h3.5L12 6v12l-4.5-3.5H4zM16 9.5l5 5M21 9.5l-5 5",
  sound: "M4 9.5h3.5L12 6v12l-4.5-3.5H4zM15.5 9a4.5 4.5 0 010 6M18 6.5a8 8 0 010 11",
  eye: "M2.5 12s3.5-6 9.5-6 9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6zM12 9.5a2.5 2.5 0 110 5 2.5 2.5 0 010-5z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
