// Knows which addresses may be followed and which pictures may be loaded: web links open apart, permalinks stay
// inside, and nothing is ever loaded from another machine.

import { h } from "./dom.js";
import { state } from "./state.js";

const PERMALINK = /\/archives\/([CDG][A-Z0-9]+)(?:\/p(\d{10})(\d{6}))?/;

function parsed(address) {
  try {
    return new URL(address, location.href);
  } catch {
    return null;
  }
}

// `#C1/ts` when the address is a message of this workspace, else null.
function inside(url) {
  const found = PERMALINK.exec(url.pathname);
  if (!found || !state.channels.has(found[1])) return null;
  const thread = url.searchParams.get("thread_ts");
  const ts = found[2] ? `${found[2]}.${found[3]}` : "";
  return `#${found[1]}${ts ? `/${thread || ts}` : ""}`;
}

// The attributes of a link to this address; null for what must not be followed.
export function target(address) {
  const url = parsed(address);
  if (!url || !["http:", "https:", "mailto:", "tel:"].includes(url.protocol)) return null;
  const here = inside(url);
  if (here) return { href: here };
  return { href: url.href, target: "_blank", rel: "noopener noreferrer" };
}

export function link(address, children = null, props = {}) {
  const to = /^[a-z]+:/i.test(address) ? target(address) : null;
  return to ? h("a", { ...to, ...props }, children || address) : null;
}

// The picture's address when this server has it; any other is told in words.
export function picture(address) {
  const url = address ? parsed(address) : null;
  return url?.origin === location.origin ? url.href : null;
}
