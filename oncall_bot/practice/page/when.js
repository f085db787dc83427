// Knows how an instant is written for a reader in a zone, Slack's date tokens included. Practice time comes in as seconds.

import { state } from "./state.js";

const LOCALE = "en-GB";
const formats = new Map();

function format(zone, options) {
  const name = zone + JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: zone, hourCycle: "h23" }));
  return formats.get(name);
}

// The zone of whoever looks, as in Slack: the person's own, not the machine's.
export function zone() {
  const wanted = state.people.get(state.me)?.zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    new Intl.DateTimeFormat(LOCALE, { timeZone: wanted });
    return wanted;
  } catch {
    return "UTC";
  }
}

export const zoneName = () => (zone() === "UTC" ? "UTC" : `${zone().split("/").pop().replaceAll("_", " ")} time`);

const written = (seconds, options) => format(zone(), options).format(new Date(seconds * 1000)).replaceAll(",", "");

export const time = (seconds) => written(seconds, { hour: "2-digit", minute: "2-digit" });
export const timeWithSeconds = (seconds) => written(seconds, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const shortDay = (seconds) => written(seconds, { weekday: "short", day: "numeric", month: "short" });
export const longDay = (seconds) => written(seconds, { weekday: "long", day: "numeric", month: "long" });
export const full = (seconds) => `${longDay(seconds)} ${timeWithSeconds(seconds)}, ${zoneName()}`;
export const dayKey = (seconds) => new Date(seconds * 1000).toLocaleDateString("sv-SE", { timeZone: zone() });

function pretty(seconds, otherwise) {
  const days = { [-1]: "yesterday", 0: "today", 1: "tomorrow" };
  for (const [offset, word] of Object.entries(days)) {
    if (dayKey(seconds) === dayKey(practiceNow() + Number(offset) * 86400)) return word;
  }
  return otherwise(seconds);
}

const DATES = {
  date_num: dayKey,
  date: (s) => written(s, { day: "numeric", month: "long", year: "numeric" }),
  date_short: (s) => written(s, { day: "numeric", month: "short", year: "numeric" }),
  date_long: (s) => written(s, { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
  date_pretty: (s) => pretty(s, DATES.date),
  date_short_pretty: (s) => pretty(s, shortDay),
  date_long_pretty: (s) => pretty(s, DATES.date_long),
  day_divider_pretty: (s) => pretty(s, longDay),
  time,
  time_secs: timeWithSeconds,
  ago: (s) => duration(practiceNow() - s),
};

// Slack's `{date_short_pretty} {time}`; what is not one of its tokens stays as it is.
export function dateToken(seconds, pattern) {
  const told = pattern.replace(/\{([a-z_]+)\}/g, (whole, name) => (DATES[name] ? DATES[name](seconds) : whole));
  return /^(today|yesterday|tomorrow)/.test(told) && pattern.startsWith("{") ? told[0].toUpperCase() + told.slice(1) : told;
}

export function duration(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60 ? `${minutes % 60} min` : ""}`.trim();
  return `${Math.round(minutes / 1440)} days`;
}

// Practice time now: what the server said last, carried on at the practice clock's speed.
export function practiceNow() {
  const { now, speed, heard } = state.clock;
  return now + ((performance.now() - heard) / 1000) * speed;
}

// "2026-11-26T08:00" on the reader's wall as seconds; a wall time that a clock change skips moves on by the change.
export function fromWall(text) {
  const [, y, mo, d, hh, mi] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(text).map(Number);
  const wall = Date.UTC(y, mo - 1, d, hh, mi) / 1000;
  const first = wall - offset(wall);
  return wall - offset(first);
}

export function toWall(seconds) {
  return new Date((seconds + offset(seconds)) * 1000).toISOString().slice(0, 16);
}

function offset(seconds) {
  const wall = new Date(seconds * 1000).toLocaleString("sv-SE", { timeZone: zone() }).replace(" ", "T");
  return Date.parse(`${wall}Z`) / 1000 - Math.floor(seconds);
}
