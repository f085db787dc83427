// Knows the App Home: the view the bot published for this person, or why there is none yet.

import { drawBlocks } from "./blocks.js";
import { fill, h } from "./dom.js";
import { Values } from "./elements.js";
import { quietly } from "./feed.js";
import { state } from "./state.js";

let drawn = null;
let asked = null;

export function drawHome(root) {
  if (asked !== state.me) openHome();
  const blocks = state.home?.blocks;
  const version = blocks ? state.home : `${state.me}-empty`;
  if (drawn === version && root.childElementCount) return;
  drawn = version;
  if (blocks?.length) fill(root, h("div", { class: "blocks" }, drawBlocks(blocks, { where: { home: true }, values: new Values(), names: new Map() })));
  else fill(root, h("div", { class: "empty" }, h("b", {}, "The bot has not drawn your home yet."), h("p", {}, "It does so when you open it; give it a second.")));
}

// The bot is told that somebody looks, each time somebody comes.
export function openHome() {
  asked = state.me;
  quietly({ do: "open_home" });
}
