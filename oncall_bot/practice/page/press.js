// Knows what happens when something in a block is pressed or chosen: it is asked about first when the app wants that,
// sent once, and shown as working until the bot has answered.

import { act, quietly } from "./feed.js";
import { ask } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";

// ctx.where is {channel, ts}, {view} or {home}. `chosen` is {value} of a button or {selected} of anything else.
export async function press(ctx, block, element, chosen, node) {
  if (ctx.frozen) return null;
  if (element.confirm && !(await confirmed(element.confirm))) return null;
  node?.setAttribute("aria-busy", "true");
  const answer = await act({ do: "click", ...ctx.where, block_id: block.block_id, action_id: element.action_id, ...chosen });
  node?.removeAttribute("aria-busy");
  return answer;
}

function confirmed(asked) {
  const text = asked.text?.type === "mrkdwn" ? mrkdwn(asked.text.text) : asked.text?.text || "";
  return ask({
    title: asked.title?.text || "Are you sure?",
    text,
    yes: asked.confirm?.text || "Yes",
    no: asked.deny?.text || "Cancel",
    danger: asked.style === "danger",
  });
}

// What an external list offers for what was typed so far.
export async function suggest(ctx, block, element, typed) {
  const answer = await quietly({ do: "suggest", ...ctx.where, block_id: block.block_id, action_id: element.action_id, query: typed });
  const grouped = (answer.option_groups || []).flatMap((group) => group.options.map((one) => ({ ...one, group: group.label?.text })));
  return [...(answer.options || []), ...grouped];
}
