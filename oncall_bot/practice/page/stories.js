// Knows the stories: the start screen with its one obvious step, the chooser, and what happens now with what to do next.

import { fill, freshId, h, icon } from "./dom.js";
import { startStory, storyDoes } from "./feed.js";
import { listen, onMoment, show, state } from "./state.js";
import { sayPolitely } from "./notices.js";
import { time } from "./when.js";

const minutes = (count) => (count <= 1 ? "about a minute" : `about ${count} minutes`);

async function begin(name, started) {
  const answer = await startStory(name);
  if (answer.ok) started();
}

const card = (story, pick, running) => h("button", { type: "button", class: running ? "story-card running" : "story-card", data: { story: story.name, key: `story:${story.name}` }, on: { click: () => pick(story.name) } },
  h("b", {}, story.title), h("span", {}, story.about), h("small", {}, running ? "running now, press to start over" : minutes(story.minutes)));

// Before the first story: what this is, and one thing to press.
export function drawStart(root, { started }) {
  let away = false;
  const hide = () => {
    away = true;
    draw();
  };
  const pick = (name) => begin(name, () => {
    hide();
    started();
  });
  function draw() {
    const wanted = !away && !state.story && state.stories.length > 0;
    const shown = !root.hidden;
    root.hidden = !wanted;
    document.getElementById("app").inert = wanted;
    if (!wanted) return;
    const [first, ...others] = state.stories;
    fill(root, h("div", { class: "start-box" },
      h("div", { class: "start-mark", "aria-hidden": "true" }),
      h("h1", {}, "Somebody is about to be paged"),
      h("p", { class: "lead" }, "This is a practice Slack with a practice phone. The bot in it is the real one: it pages until somebody answers, finds the runbook and keeps the record. Nothing leaves this machine."),
      h("button", { type: "button", class: "button primary big", data: { story: first.name, key: "begin" }, on: { click: () => pick(first.name) } }, icon("story"), "Live through an incident: start"),
      h("p", { class: "soft" }, `${first.about} ${minutes(first.minutes).replace(/^a/, "A")}.`),
      others.length ? h("details", {}, h("summary", {}, "Or choose another story"), h("div", { class: "story-cards" }, others.map((one) => card(one, pick, false)))) : null,
      h("button", { type: "button", class: "link", data: { key: "look" }, on: { click: hide } }, "Look around first")));
    if (!shown) root.querySelector(".big").focus();
  }
  listen(["stories", "story", "me"], draw);
}

export function openStories(started) {
  const id = freshId("stories");
  const close = () => dialog.close();
  const pick = (name) => begin(name, () => {
    close();
    started();
  });
  const dialog = h("dialog", { class: "chooser", "aria-labelledby": id },
    h("header", {}, h("h2", { id }, "Stories"), h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: close } }, icon("close"))),
    h("p", { class: "soft pad" }, "Each starts with an empty workspace. What happens is sent by a practice Prometheus and Alertmanager; what the bot does about it is its own."),
    h("div", { class: "story-cards" }, state.stories.map((one) => card(one, pick, state.story?.name === one.name && !state.story.done))));
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector(".story-card")?.focus();
}

// What the story lets the reader do to its world, such as rolling back.
const deeds = (story, where) => (story?.done ? [] : story?.actions || []).map((one) =>
  h("button", { type: "button", class: "button small", data: { key: `deed:${where}:${one.id}` }, on: { click: () => storyDoes(one.id) } }, one.label));
const graphs = () => h("a", { class: "button small", href: "/prometheus/graph", target: "_blank", rel: "noopener" }, "Prometheus");

const BOT = { up: "The bot is up", starting: "The bot is starting", down: "The bot is down" };

export const botState = () => h("span", { class: `bot-state ${state.bot_state}`, role: "status" }, h("i", { "aria-hidden": "true" }), BOT[state.bot_state] || state.bot_state);

// The strip: what happens now, and what the reader could do.
export function drawStrip(root, { started }) {
  function draw() {
    const story = state.story;
    const choose = h("button", { type: "button", class: story && !story.done ? "button small" : "button small primary", data: { key: "stories" }, on: { click: () => openStories(started) } }, story ? "Stories" : "Choose a story");
    const again = story ? h("button", { type: "button", class: "button small", data: { key: "again" }, title: "Start this story over", on: { click: () => begin(story.name, started) } }, "Restart") : null;
    const so_far = story?.marks?.length ? h("button", { type: "button", class: "link so-far", data: { key: "so-far" }, on: { click: () => openSoFar() } }, "So far") : null;
    fill(root,
      h("div", { class: "story-words", title: story ? story.title : null },
        h("p", { class: "step" }, story ? [h("b", {}, `${story.title}: `), story.step || "it begins."] : h("b", {}, "No story is running.")),
        h("p", { class: "hint" }, story ? nextWords(story) : "Choose one, or try the bot by hand: write /oncall who.")),
      h("div", { class: "story-deeds" }, deeds(story, "strip")),
      h("div", { class: "story-buttons" }, so_far, story ? graphs() : null, again, choose));
  }
  listen(["story", "stories", "bot", "me"], draw);
  onMoment((kind, story, before) => {
    if (kind === "story" && story && story.step !== before?.step) sayPolitely(`${story.step} ${story.hint || ""}`);
  });
}

function nextWords(story) {
  if (story.done) return "That was it. Look around, or choose the next story.";
  return story.hint ? [h("b", { class: "you" }, "You: "), story.hint] : "Nothing for you to do yet.";
}

const marks = (story) => h("ol", { class: "marks" }, (story.marks || []).map((one) => h("li", {}, h("time", {}, time(one.at)), h("span", {}, one.text))));

function openSoFar() {
  const id = freshId("so-far");
  const close = () => dialog.close();
  const dialog = h("dialog", { class: "chooser", "aria-labelledby": id },
    h("header", {}, h("h2", { id }, `${state.story.title}, so far`), h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: close } }, icon("close"))), marks(state.story));
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// On phones the story has a pane of its own: now, next, so far, the others.
export function drawStoryPane(root, { started }) {
  const head = h("header", { class: "pane-head" }, h("h2", {}, "Story"));
  const body = h("div", { class: "story-pane" });
  root.append(head, body);
  const go = () => {
    started();
    show("chat");
  };
  listen(["story", "stories", "me"], () => {
    const story = state.story;
    fill(body,
      story ? h("section", { class: "now" }, h("h3", {}, story.title), h("p", {}, story.step), h("p", { class: "hint" }, nextWords(story)),
        h("div", { class: "actions" }, deeds(story, "pane"), graphs()),
        h("button", { type: "button", class: "button", data: { key: "again-pane" }, on: { click: () => begin(story.name, go) } }, "Restart this story")) : null,
      story?.marks?.length ? h("section", {}, h("h3", {}, "So far"), marks(story)) : null,
      h("section", {}, h("h3", {}, story ? "Other stories" : "Choose a story"), h("div", { class: "story-cards" }, state.stories.filter((one) => one.name !== story?.name).map((one) => card(one, (name) => begin(name, go), false)))));
  });
}
