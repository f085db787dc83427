// Puts the page together: who looks, where, what is heard, and the keys that work everywhere.

import { drawClock } from "./clock.js";
import { drawConversation } from "./conversation.js";
import { fetchState, listenAs } from "./feed.js";
import { openHome } from "./home.js";
import { watchView } from "./modal.js";
import { spoken } from "./mrkdwn.js";
import { sayPolitely } from "./notices.js";
import { drawBar } from "./panes.js";
import { drawPhone } from "./phone.js";
import { drawSidebar, openSwitcher } from "./sidebar.js";
import { channelName, fullName, go, isLoud, listen, onMoment, ringing, show, state, unread } from "./state.js";
import { botState, drawStart, drawStoryPane, drawStrip } from "./stories.js";
import { drawThread } from "./thread.js";
import { fill } from "./dom.js";

const at = (id) => document.getElementById(id);
const wide = matchMedia("(min-width: 900px)");
let following = true;
let pressedHere = false;

// --- where ---

function address(place, thread) {
  if (place.kind === "home") return "#home";
  if (place.kind === "dm") return `#with/${place.with}`;
  return `#${place.id}${thread ? `/${thread.ts}` : ""}`;
}

function visit(place, { thread = null, quiet = false } = {}) {
  following = following && quiet;
  const wanted = address(place, thread);
  if (location.hash === wanted) arrive();
  else location.hash = wanted;
  if (!quiet) show("chat");
}

function arrive() {
  const [first, second] = decodeURIComponent(location.hash.slice(1)).split("/");
  if (first === "home") {
    if (state.place.kind !== "home") openHome();
    return go({ kind: "home" });
  }
  if (first === "with" && state.people.has(second)) return go({ kind: "dm", with: second });
  if (!state.channels.has(first)) return go(firstPlace());
  const message = second && state.messages.get(first)?.get(second);
  go({ kind: "channel", id: first }, second ? { channel: first, ts: message?.thread_ts || second } : null);
  if (second && !pressedHere) setTimeout(() => conversation.reveal(message?.thread_ts || second));
  pressedHere = false;
  return null;
}

function firstPlace() {
  const channels = [...state.channels.values()].filter((one) => one.kind !== "dm" && one.member !== false);
  const waiting = channels.find((one) => unread(one.id));
  const best = waiting || channels.find((one) => state.messages.get(one.id)?.size) || channels[0];
  return best ? { kind: "channel", id: best.id } : { kind: "home" };
}

const openThread = (message) => {
  pressedHere = true;
  visit({ kind: "channel", id: message.channel }, { thread: { channel: message.channel, ts: message.thread_ts || message.ts } });
  if (wide.matches) setTimeout(() => thread.focus());
};

function closeThread() {
  if (!state.thread) return;
  const { ts } = state.thread;
  visit(state.place);
  setTimeout(() => (document.querySelector(`#chat article[data-ts="${CSS.escape(ts)}"] .replies`) || at("chat").querySelector(".say"))?.focus());
}

// --- who ---

async function become(person, { phone = false } = {}) {
  if (person === state.me) return;
  remember(person);
  if (!(await fetchState(person))) return;
  listenAs(person);
  if (!state.channels.has(state.place.id) && state.place.kind !== "home") go(firstPlace());
  if (state.place.kind === "home") openHome();
  state.thread = null;
  show(phone ? "phone" : state.pane);
  sayPolitely(`You are ${fullName(person)} now.`);
}

function remember(person) {
  try {
    sessionStorage.setItem("as", person);
  } catch {
    // A browser that keeps nothing still works; it starts as the first person.
  }
}

function remembered() {
  try {
    return new URLSearchParams(location.search).get("as") || sessionStorage.getItem("as");
  } catch {
    return null;
  }
}

// --- the parts ---

const conversation = drawConversation(at("chat"), { visit, openThread, back: () => show("places") });
const thread = drawThread(at("thread"), { close: closeThread });
drawSidebar(at("places"), { visit, become });
drawPhone(at("phone"), { become });
drawClock(at("clock"));
drawBar(at("bar"));
watchView();
const started = () => {
  following = true;
  if (!wide.matches) show("chat");
};
drawStrip(at("strip"), { started });
drawStart(at("start"), { started });
drawStoryPane(at("story"), { started });

listen(["bot", "me"], () => fill(at("bot"), botState()));
listen(["link"], () => {
  at("lost").hidden = state.link !== "lost";
  document.body.classList.toggle("offline", state.link === "lost");
});
listen(["messages", "phones", "rings", "channels", "me"], () => {
  const calls = ringing().filter(isLoud);
  const waiting = [...state.channels.keys()].reduce((sum, one) => sum + unread(one), 0);
  const alarm = calls.length ? `${fullName(calls[0].owner)}’s phone rings · ` : "";
  document.title = `${alarm}${waiting ? `(${waiting}) ` : ""}${state.team} Slack`;
});

// --- moments ---

onMoment((kind, message, before) => {
  if (kind !== "message" || before || message.deleted) return;
  const channel = state.channels.get(message.channel);
  follow(message, channel);
  if (message.user === state.me && !message.ephemeral) return;
  const place = channel?.kind === "dm" ? "a direct message" : `#${channelName(channel)}`;
  const words = message.text || message.blocks?.[0]?.text?.text || "";
  sayPolitely(`${fullName(message.user)} in ${place}: ${spoken(words)}`);
});

// Until the reader goes somewhere by themselves, the page shows where the first thing happens.
function follow(message, channel) {
  if (!following || message.user !== state.bot || !channel || channel.kind === "dm" || message.thread_ts) return;
  following = false;
  if (state.place.id !== channel.id) location.hash = address({ kind: "channel", id: channel.id });
}

// --- keys ---

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!at("app").inert && !document.querySelector("dialog[open]")) openSwitcher(visit);
  } else if (event.key === "Escape" && state.thread && !document.querySelector("dialog[open], [popover]:popover-open")) closeThread();
});
window.addEventListener("hashchange", arrive);

// --- begin ---

async function open() {
  const person = remembered();
  if (!((await fetchState(person)) || (person && (await fetchState(null))))) return setTimeout(open, 1500);
  arrive();
  document.body.classList.add("ready");
  return listenAs(state.me);
}
open();
at("skip").addEventListener("click", () => (at("chat").querySelector(".messages") || at("chat")).focus());
