// Knows the stories: the first screen, the chooser, the strip that says what happens now, and the practice clock.

import { fill, h, icon } from "./dom.js";
import { setSpeed, skipAhead, startStory, storyDoes } from "./feed.js";
import { state } from "./state.js";
import { practiceNow, shortDay, timeWithSeconds, zoneName } from "./when.js";

const SPEEDS = [1, 10, 30];
let busy = false;

async function once(work) {
  if (busy) return;
  busy = true;
  await work();
  busy = false;
}

export const begin = (name) => once(() => startStory(name));

export function chooser() {
  const [first, ...others] = state.stories;
  return h("div", { class: "welcome" },
    h("h1", {}, "Live through an incident"),
    h("p", {}, "This is a practice workspace: the real oncall-bot, a practice Slack, phones that ring and a practice Prometheus. Nothing leaves this machine, and nothing can break."),
    first ? h("button", { type: "button", class: "button primary big", data: { key: "first" }, on: { click: () => begin(first.name) } }, `Start: ${first.title}`) : null,
    first ? h("p", { class: "soft" }, `${first.about} About ${first.minutes} min.`) : null,
    others.length ? h("h2", {}, "Other stories") : null,
    h("div", { class: "cards" }, others.map(card)));
}

const card = (story) => h("button", { type: "button", class: "story-card", data: { key: `s/${story.name}` }, on: { click: () => begin(story.name) } },
  h("strong", {}, story.title), h("span", {}, story.about), h("small", {}, `About ${story.minutes} min`));

export function openChooser() {
  const dialog = h("dialog", { class: "modal wide", "aria-label": "Stories" });
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: () => dialog.close() } }, icon("close"));
  dialog.append(h("header", {}, h("h2", {}, "Stories"), close), h("div", { class: "modal-body" }, h("p", { class: "soft" }, "Each one begins with a fresh workspace and a fresh database."), h("div", { class: "cards" }, state.stories.map(card))));
  dialog.addEventListener("click", (event) => event.target.closest(".story-card") && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const BOT = { starting: "The bot is starting.", up: "The bot is up.", down: "The bot is down." };

export function drawStrip(root) {
  const story = state.story;
  fill(root,
    h("div", { class: "now" },
      h("p", { class: "step" }, h("span", { class: `dot ${state.bot_state}`, title: BOT[state.bot_state] || "" }), h("strong", {}, story ? story.title : "No story"), " ", h("span", {}, story ? story.step : BOT[state.bot_state] || "")),
      story?.hint ? h("p", { class: "next" }, h("b", {}, "Now you: "), story.hint) : null,
      story?.done ? h("p", { class: "next" }, h("b", {}, "Done. "), "Choose another story, or look around.") : null),
    h("div", { class: "doings" },
      (story?.actions || []).map((one) => h("button", { type: "button", class: "button", data: { key: `d/${one.id}` }, on: { click: () => storyDoes(one.id) } }, one.label)),
      h("a", { class: "button", href: "/prometheus/graph", target: "_blank", rel: "noopener" }, "Prometheus"),
      story ? h("button", { type: "button", class: "button", data: { key: "again" }, on: { click: () => begin(story.name) } }, "Restart") : null,
      h("button", { type: "button", class: "button", data: { key: "stories" }, on: { click: openChooser } }, "Stories")),
    h("div", { class: "clock", role: "group", "aria-label": "Practice clock" },
      h("time", { id: "clock-face" }, face()),
      SPEEDS.map((speed) => h("button", { type: "button", class: "small", "aria-pressed": String(state.clock.speed === speed), data: { key: `x/${speed}` }, on: { click: () => setSpeed(speed) } }, `${speed}×`)),
      h("button", { type: "button", class: "small", title: "Skip to the next thing that happens", data: { key: "skip" }, on: { click: () => once(skipAhead) } }, icon("skip"), "Skip ahead")));
}

const face = () => `${shortDay(practiceNow())} ${timeWithSeconds(practiceNow())} ${zoneName()}`;

export function tickClock() {
  const shown = document.getElementById("clock-face");
  if (shown && state.me) shown.textContent = face();
}
