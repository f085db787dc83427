// Knows everything the page was told: people, channels, messages, views, phones, story and clock, and where the reader is.
// Tells the drawing modules which part changed. Refuses to draw and to fetch.

export const state = {
  link: "starting",
  me: null,
  bot: null,
  team: "Practice",
  command: null,
  shortcuts: [],
  people: new Map(),
  channels: new Map(),
  messages: new Map(),
  view: null,
  home: null,
  phones: new Map(),
  stories: [],
  story: null,
  bot_state: "starting",
  clock: { now: 0, speed: 1, heard: 0 },
  readTo: new Map(),
  place: { kind: "none" },
  thread: null,
  pane: "chat",
};

const listeners = [];
const dirty = new Set();

// `heard` is called once after any of these parts changed, however often they did meanwhile.
export function listen(parts, heard) {
  listeners.push({ parts: new Set(parts), heard });
}

export function changed(...parts) {
  if (!dirty.size) queueMicrotask(flush);
  for (const part of parts) dirty.add(part);
}

function flush() {
  const parts = new Set(dirty);
  dirty.clear();
  for (const { parts: wanted, heard } of listeners) {
    if ([...wanted].some((part) => parts.has(part))) heard(parts);
  }
}

const ALL = ["link", "people", "channels", "messages", "view", "home", "phones", "stories", "story", "clock", "bot", "place", "me"];
const moments = [];

// Called for each thing that happened just now (not for what was there when the page opened).
export const onMoment = (heard) => moments.push(heard);
const happened = (kind, data, before) => moments.forEach((heard) => heard(kind, data, before));

// The whole state anew: at the start, after a lost connection, after a change of person.
export function load(told) {
  const same = told.me === state.me;
  Object.assign(state, {
    me: told.me,
    bot: told.bot,
    team: told.team || "Practice",
    command: told.command || null,
    shortcuts: told.shortcuts || [],
    people: new Map((told.people || []).map((one) => [one.id, one])),
    channels: new Map((told.channels || []).map((one) => [one.id, one])),
    messages: new Map(),
    view: told.view || null,
    home: told.home || null,
    phones: new Map((told.phones || []).map((one) => [one.id, one])),
    stories: told.stories || [],
    story: told.story || null,
    bot_state: told.bot_state || "starting",
    link: "live",
  });
  setClock(told.clock);
  for (const ring of state.phones.values()) if (told.clock.now - ring.at < 60) ring.heard = performance.now();
  for (const [channel, messages] of Object.entries(told.messages || {})) {
    state.messages.set(channel, new Map(messages.filter((one) => !one.deleted).map((one) => [one.ts, one])));
  }
  if (!same) state.readTo.clear();
  if (state.thread && !state.messages.get(state.thread.channel)?.has(state.thread.ts)) state.thread = null;
  for (const channel of state.channels.values()) firstRead(channel);
  changed(...ALL);
}

function setClock(clock) {
  if (clock) state.clock = { now: clock.now, speed: clock.speed, heard: performance.now() };
}

function firstRead(channel) {
  if (state.readTo.has(channel.id)) return;
  const times = shown(channel.id).map((one) => one.ts);
  state.readTo.set(channel.id, times[times.length - 1 - (channel.unread || 0)] || (channel.unread ? "0" : times.at(-1) || "0"));
}

const APPLY = {
  state: load,
  message(message) {
    const before = keepMessage(message);
    changed("messages");
    happened("message", message, before);
  },
  channel(channel) {
    state.channels.set(channel.id, { ...state.channels.get(channel.id), ...channel });
    firstRead(channel);
    changed("channels");
  },
  view(data) {
    state.view = data.view || null;
    changed("view");
  },
  home(data) {
    state.home = data;
    changed("home");
  },
  ring(ring) {
    const before = state.phones.get(ring.id);
    state.phones.set(ring.id, { ...ring, heard: before?.heard ?? performance.now() });
    changed("phones");
    happened("ring", ring, before);
  },
  clock(clock) {
    setClock(clock);
    changed("clock");
  },
  story(story) {
    const before = state.story;
    state.story = story && story.name ? story : null;
    changed("story");
    happened("story", state.story, before);
  },
  bot(data) {
    state.bot_state = data.state;
    changed("bot");
  },
};

export function apply(kind, data) {
  APPLY[kind]?.(data);
}
export const KINDS = [...Object.keys(APPLY), "reset"];

function keepMessage(message) {
  if (!state.messages.has(message.channel)) state.messages.set(message.channel, new Map());
  const kept = state.messages.get(message.channel);
  const before = kept.get(message.ts);
  if (message.deleted) kept.delete(message.ts);
  else kept.set(message.ts, message);
  return before;
}

const byTime = (one, other) => (one.ts < other.ts ? -1 : one.ts > other.ts ? 1 : 0);

// What a channel shows: top-level messages, oldest first.
export function shown(channel) {
  return [...(state.messages.get(channel)?.values() || [])].filter(isTop).sort(byTime);
}
const isTop = (one) => !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast";

// A thread: its first message and the answers, oldest first.
export function threadOf(channel, ts) {
  return [...(state.messages.get(channel)?.values() || [])].filter((one) => one.ts === ts || one.thread_ts === ts).sort(byTime);
}

export function unread(channel) {
  const from = state.readTo.get(channel) || "0";
  return shown(channel).filter((one) => one.ts > from && one.user !== state.me).length;
}

export function markRead(channel) {
  const last = shown(channel).at(-1)?.ts;
  const was = state.readTo.get(channel) || "0";
  if (!last || last <= was) return false;
  state.readTo.set(channel, last);
  changed("channels");
  return true;
}

export function drop(channel, ts) {
  state.messages.get(channel)?.delete(ts);
  changed("messages");
}

// Rings that nobody has answered; `loud` ones are those heard just now.
export const ringing = (owner) => [...state.phones.values()].filter((one) => one.state === "ringing" && (!owner || one.owner === owner));

const LOUD_FOR = 25_000;
export const isLoud = (ring) => ring.state === "ringing" && ring.heard !== undefined && performance.now() - ring.heard < LOUD_FOR;

// --- where the reader is ---

export function go(place, thread = null) {
  state.place = place;
  state.thread = thread;
  changed("place");
}

export function show(pane) {
  state.pane = pane;
  changed("pane");
}

export const dmWith = (person) => [...state.channels.values()].find((one) => one.kind === "dm" && one.with === person);

export function personName(id) {
  const person = state.people.get(id);
  return person ? person.name || person.real_name : id;
}

export function fullName(id) {
  const person = state.people.get(id);
  if (person) return person.real_name || person.name;
  return id === state.bot ? "oncall-bot" : id || "somebody";
}

export function channelName(channel) {
  if (!channel) return "";
  return channel.kind === "dm" ? fullName(channel.with) : channel.name;
}
