// Knows emoji by name and draws the few that carry meaning here itself, so that they look alike on every machine.

import { h } from "./dom.js";

const NAMES = {
  red_circle: "🔴", large_orange_circle: "🟠", orange_circle: "🟠", large_yellow_circle: "🟡", yellow_circle: "🟡",
  large_green_circle: "🟢", green_circle: "🟢", no_bell: "🔕", bell: "🔔", pushpin: "📌", eyes: "👀",
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎",
  fire: "🔥", rotating_light: "🚨", warning: "⚠️", tada: "🎉", pray: "🙏", wave: "👋", heart: "❤️", smile: "😄",
  slightly_smiling_face: "🙂", thinking_face: "🤔", phone: "☎️", telephone_receiver: "📞", calendar: "📅",
  hourglass: "⌛", zzz: "💤", rocket: "🚀", bug: "🐛", wrench: "🔧", mag: "🔍", memo: "📝", chart_with_upwards_trend: "📈",
  raised_hands: "🙌", ok_hand: "👌", coffee: "☕", sleeping: "😴", question: "❓", exclamation: "❗", speech_balloon: "💬",
};
const DRAWN = {
  "🔴": "red", "🟠": "orange", "🟡": "yellow", "🟢": "green", "🔕": "nobell", "🔔": "bell", "📌": "pin",
  "✅": "check", "👀": "eyes", "👍": "thumb", "⚪": "white",
};
const SPLIT = new RegExp(`(${Object.keys(DRAWN).join("|")})`, "u");

export const QUICK = ["pushpin", "eyes", "white_check_mark", "+1"];

export const emojiByName = (name) => NAMES[name] || null;
export const emojiNames = () => Object.keys(NAMES);

// One emoji by its Slack name; an unknown name stays readable.
export function emoji(name) {
  const found = NAMES[name.split("::")[0]];
  return found ? mark(found) : document.createTextNode(`:${name}:`);
}

function mark(symbol) {
  if (!DRAWN[symbol]) return h("span", { class: "emoji" }, symbol);
  return h("span", { class: `emoji drawn e-${DRAWN[symbol]}` }, symbol);
}

// Text with its drawn emoji as marks; everything else stays text.
export function withMarks(text) {
  return text.split(SPLIT).map((part) => (DRAWN[part] ? mark(part) : part)).filter((part) => part !== "");
}
