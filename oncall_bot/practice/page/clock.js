// Knows how practice time is shown and moved: the clock, its speed, the skip to the next thing.

import { fill, h, icon } from "./dom.js";
import { setSpeed, skipAhead } from "./feed.js";
import { listen, state } from "./state.js";
import { practiceNow, shortDay, timeWithSeconds, zoneName } from "./when.js";

const SPEEDS = [1, 10, 30];

export function drawClock(root) {
  const face = h("span", { class: "face" });
  const day = h("small", {});
  const speeds = h("div", { class: "speeds", role: "group", "aria-label": "Speed of the practice clock" });
  const skip = h("button", { type: "button", class: "button small", title: "Move the clock to the next thing that happens", on: { click: () => busy(skip) } }, icon("skip"), "Skip ahead");
  root.append(h("div", { class: "clock", role: "timer", "aria-label": "Practice clock", "aria-live": "off" }, face, day), speeds, skip);

  function tick() {
    if (!state.clock.now) return;
    face.textContent = timeWithSeconds(practiceNow());
    const told = `${shortDay(practiceNow())}, ${zoneName()}`;
    if (day.textContent !== told) day.textContent = told;
  }

  function draw() {
    const speedable = state.story ? state.story.speedable !== false : true;
    fill(speeds, SPEEDS.map((speed) => h("button", { type: "button", "aria-pressed": String(state.clock.speed === speed), disabled: !speedable, title: `${speed} practice seconds a second`, data: { key: `speed:${speed}` }, on: { click: () => setSpeed(speed) } }, `${speed}×`)));
    skip.disabled = !state.story || state.story.done;
    tick();
  }

  setInterval(tick, 250);
  listen(["clock", "story", "me", "people"], draw);
}

async function busy(button) {
  button.setAttribute("aria-busy", "true");
  await skipAhead();
  button.removeAttribute("aria-busy");
}
