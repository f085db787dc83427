// Knows the phones: what rings on whose, how it looks and sounds, and what one can press on it.

import { fill, h, icon } from "./dom.js";
import { withMarks } from "./emoji.js";
import { phoneDoes } from "./feed.js";
import { target } from "./links.js";
import { sayNow } from "./notices.js";
import { avatar, persons } from "./people.js";
import { changed, fullName, isLoud, listen, onMoment, ringing, state } from "./state.js";
import { practiceNow, longDay, time } from "./when.js";

const SHOWN = 12;
let audio = null;
let loud = false;

export function drawPhone(root, { become }) {
  const owners = h("div", { class: "owners", role: "group", "aria-label": "Phones" });
  const clock = h("div", { class: "lock-time", "aria-hidden": "true" });
  const day = h("div", { class: "lock-day", "aria-hidden": "true" });
  const status = h("div", { class: "status-bar", "aria-hidden": "true" }, h("span", { class: "status-time" }), h("span", { class: "status-icons" }));
  const list = h("div", { class: "rings" });
  const device = h("div", { class: "device" }, status, h("div", { class: "screen" }, clock, day, list), h("div", { class: "bar", "aria-hidden": "true" }));
  const sound = h("button", { type: "button", class: "icon-button", "aria-pressed": "false" });
  sound.addEventListener("click", () => {
    loud = !loud;
    if (loud) beep();
    drawSound();
  });
  const title = h("h2", {});
  root.append(h("header", { class: "pane-head" }, title, sound), owners, h("div", { class: "device-box" }, device));

  function drawSound() {
    sound.setAttribute("aria-pressed", String(loud));
    sound.setAttribute("aria-label", loud ? "Sound is on" : "Sound is off");
    sound.title = loud ? "Sound is on" : "Sound is off";
    fill(sound, icon(loud ? "sound" : "mute"));
  }

  let loudest = "";
  function tick() {
    if (!state.clock.now) return;
    const calls = [...state.phones.values()].filter(isLoud).map((one) => one.id).join();
    if (calls !== loudest) {
      loudest = calls;
      draw();
      changed("rings");
    }
    const now = time(practiceNow());
    clock.textContent = now;
    status.firstChild.textContent = now;
    day.textContent = longDay(practiceNow());
  }

  function draw() {
    if (!state.me) return;
    title.textContent = `${fullName(state.me)}’s phone`;
    const mine = [...state.phones.values()].filter((one) => one.owner === state.me).sort((one, other) => other.at - one.at).slice(0, SHOWN);
    device.classList.toggle("ringing", mine.some(isLoud));
    fill(list, mine.length ? mine.map(card) : h("p", { class: "quiet-phone" }, "Quiet. It rings when somebody has to be woken."));
    const others = persons().filter((one) => one.id !== state.me);
    const strays = [...new Set([...state.phones.values()].map((one) => one.owner))].filter((one) => !state.people.has(one));
    fill(owners, others.map((one) => owner(one.id, become)), strays.map(stray));
    tick();
  }

  setInterval(tick, 1000);
  drawSound();
  listen(["phones", "me", "people", "clock"], draw);
  onMoment((kind, ring, before) => {
    if (kind !== "ring") return;
    rang(ring, before);
    if (!before && ring.owner === state.me) startMoving(device);
  });
}

// The next ring moves the phone again, even while an older one is unanswered.
function startMoving(device) {
  device.classList.remove("ringing");
  void device.offsetWidth;
  device.classList.add("ringing");
}

function owner(id, become) {
  const calls = ringing(id).length;
  const loudNow = ringing(id).some(isLoud);
  const name = fullName(id);
  return h("button", { type: "button", class: [...(calls ? ["owner", "rings-now"] : ["owner"]), ...(loudNow ? ["loud"] : [])].join(" "), "aria-label": calls ? `${name}’s phone is ringing. Be ${name}` : `${name}’s phone is quiet. Be ${name}`, title: calls ? `${name}’s phone is ringing: be ${name}` : `Be ${name}`, data: { key: `owner:${id}` }, on: { click: () => become(id, { phone: true }) } },
    avatar(id, "tiny"), name.split(" ")[0], calls ? h("span", { class: "badge" }, calls) : null);
}

const stray = (topic) => h("span", { class: "owner" }, icon("bell"), topic);

const FATE = { ringing: "is ringing", acknowledged: "acknowledged", opened: "opened", answered: "answered", missed: "missed" };

function card(ring) {
  const open = ["ringing", "opened"].includes(ring.state);
  const looks = ring.state === "ringing" && !isLoud(ring) ? "waiting" : ring.state;
  return h("article", { class: `ring ${looks}`, "aria-label": `${ring.title}, ${FATE[ring.state] || ring.state}` },
    h("header", {}, icon("bell"), h("span", {}, ring.topic || "ntfy"), h("time", {}, time(ring.at))),
    h("h3", {}, withMarks(ring.title || "Page")),
    ring.message ? h("p", {}, withMarks(ring.message)) : null,
    ring.said ? h("p", { class: "heard" }, withMarks(ring.said)) : null,
    h("footer", {}, open ? (ring.actions || []).map((one, at) => actionOf(ring, one, at)) : h("span", { class: "fate" }, FATE[ring.state] || ring.state)));
}

function actionOf(ring, action, at) {
  const primary = action.kind === "key" ? "button key" : at === 0 ? "button primary" : "button";
  const key = { key: `ring:${ring.id}:${at}` };
  const to = action.kind === "view" ? target(action.url || "") : null;
  if (to) return h("a", { class: primary, ...to, data: key, on: { click: () => phoneDoes(ring.id, "open") } }, action.label);
  const button = h("button", { type: "button", class: primary, data: key }, action.label);
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    await phoneDoes(ring.id, at);
    button.removeAttribute("aria-busy");
  });
  return button;
}

function rang(ring, before) {
  if (ring.state !== "ringing" || before?.state === "ringing") return;
  const whose = ring.owner === state.me ? "Your phone" : `${fullName(ring.owner)}’s phone`;
  sayNow(`${whose} rings: ${ring.title}`);
  if (loud) beep();
}

// Two short tones, made here: no file is loaded.
function beep() {
  audio ||= new AudioContext();
  for (const [at, pitch] of [[0, 880], [0.25, 660], [0.6, 880], [0.85, 660]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.2, audio.currentTime + at + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.22);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.24);
  }
}
