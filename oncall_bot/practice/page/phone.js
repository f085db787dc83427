// Knows the phone beside the workspace: what rings on it, its buttons, and that other people's phones ring too.

import { fill, h, icon } from "./dom.js";
import { phoneDoes } from "./feed.js";
import { link, target } from "./links.js";
import { fullName, ringing, state } from "./state.js";
import { time } from "./when.js";

let loud = false;
let sound = null;

export function drawPhone(root, become) {
  const mine = [...state.phones.values()].filter((one) => one.owner === state.me).sort((a, b) => b.at - a.at);
  const others = [...state.people.values()].filter((one) => !one.bot && one.id !== state.me && ringing(one.id).length);
  const now = ringing(state.me).length > 0;
  fill(root,
    h("div", { class: "phone-head" },
      h("h2", {}, `${fullName(state.me)}'s phone`),
      h("button", { type: "button", class: "icon-button", "aria-pressed": String(loud), "aria-label": loud ? "Sound is on" : "Sound is off", title: loud ? "Sound is on" : "Sound is off", data: { key: "sound" }, on: { click: () => ((loud = !loud), drawPhone(root, become)) } }, icon(loud ? "sound" : "mute"))),
    others.length ? h("div", { class: "others" }, others.map((one) => h("button", { type: "button", class: "ringing-other", data: { key: `o/${one.id}` }, on: { click: () => become(one.id) } }, icon("bell"), ` ${one.real_name}'s phone rings`))) : null,
    h("div", { class: now ? "handset rings" : "handset" },
      h("div", { class: "glass" }, mine.length ? mine.slice(0, 12).map(ring) : h("p", { class: "quiet" }, icon("phone"), "It is quiet. Pages that are meant to wake somebody arrive here."))));
}

function ring(one) {
  const state_ = { ringing: "rings", acknowledged: "acknowledged", opened: "opened" }[one.state] || one.state;
  return h("article", { class: `ring ${one.state}`, "aria-label": `${one.title}, ${state_}` },
    h("p", { class: "ring-head" }, h("strong", {}, one.title), h("time", {}, time(one.at))),
    h("p", {}, one.message),
    h("div", { class: "actions" }, one.state === "ringing" || one.state === "opened" ? one.actions.map((action, at) => button(one, action, at)) : h("p", { class: "soft" }, one.state === "acknowledged" ? "Acknowledged from this phone." : one.state)));
}

function button(one, action, at) {
  const props = { class: at === 0 ? "button primary" : "button", data: { key: `${one.id}/${at}` } };
  if (action.kind === "view") {
    const to = target(action.url);
    return to ? h("a", { ...props, ...to, on: { click: () => phoneDoes(one.id, "open") } }, action.label) : link(action.url) || "";
  }
  const made = h("button", { ...props, type: "button" }, action.label);
  made.addEventListener("click", async () => {
    made.disabled = true;
    await phoneDoes(one.id, at);
    made.disabled = false;
  });
  return made;
}

// Two short tones, only when the reader has asked for sound.
export function sing() {
  if (!loud) return;
  sound ||= new AudioContext();
  for (const [at, pitch] of [[0, 880], [0.25, 660]]) {
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    tone.frequency.value = pitch;
    volume.gain.value = 0.15;
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + at);
    tone.stop(sound.currentTime + at + 0.18);
  }
}
