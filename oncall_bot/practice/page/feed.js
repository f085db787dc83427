// Knows how the page hears the server and speaks to it: one event stream, and small requests that answer in one line.

import { KINDS, apply, changed, state } from "./state.js";
import { notice } from "./notices.js";

let stream = null;
let retry = null;

// Listen as this person; a stream that was open for somebody else is closed first.
export function listenAs(person) {
  stream?.close();
  clearTimeout(retry);
  const opened = new EventSource(`/practice/feed?as=${encodeURIComponent(person)}`);
  stream = opened;
  for (const kind of KINDS) {
    opened.addEventListener(kind, (event) => {
      if (opened !== stream) return;
      if (kind === "reset") begunAnew(person);
      else apply(kind, JSON.parse(event.data));
    });
  }
  opened.onopen = () => opened === stream && setLink("live");
  opened.onerror = () => opened === stream && lost(opened, person);
}

// Another day begins: what was read before says nothing about it.
function begunAnew(person) {
  state.readTo.clear();
  return fetchState(person);
}

function lost(opened, person) {
  setLink("lost");
  if (opened.readyState === EventSource.CLOSED) {
    clearTimeout(retry);
    retry = setTimeout(() => listenAs(person), 2000);
  }
}

function setLink(link) {
  if (state.link === link) return;
  state.link = link;
  changed("link");
}

export async function fetchState(person) {
  const query = person ? `?as=${encodeURIComponent(person)}` : "";
  try {
    const answer = await fetch(`/practice/state${query}`);
    if (!answer.ok) throw new Error(String(answer.status));
    apply("state", await answer.json());
    return true;
  } catch {
    setLink("lost");
    return false;
  }
}

async function send(path, body) {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    return { ok: false, error: "The practice server does not answer. Is `oncall-bot demo` still running?" };
  }
  const told = await answer.json().catch(() => ({}));
  return answer.ok ? { ok: true, ...told } : { ok: false, error: told.error || `The practice server said ${answer.status}.` };
}

async function told(path, body) {
  const answer = await send(path, body);
  if (answer.error) notice(answer.error, "wrong");
  return answer;
}

// A gesture of the person the page speaks for; what was refused is shown and comes back as {ok: false, error}.
export const act = (gesture) => told("/practice/act", { as: state.me, ...gesture });
export const quietly = (gesture) => send("/practice/act", { as: state.me, ...gesture });
export const phoneDoes = (id, action) => told("/practice/phone", { id, action });
export const startStory = (name) => told("/practice/story", name ? { name } : { stop: true });
export const setSpeed = (speed) => told("/practice/clock", { speed });

// On to the next thing that happens; a server that does not know it moves the clock on by a minute.
export async function skipAhead() {
  const next = await send("/practice/clock", { skip: "next" });
  return next.ok ? next : told("/practice/clock", { skip: 60 });
}
export const storyDoes = (id) => told("/practice/story", { do: id });
