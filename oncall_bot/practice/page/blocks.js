// Knows Block Kit's blocks and draws a list of them. What it can't draw is said in words, never left out in silence.

import { freshId, h } from "./dom.js";
import { drawElement, textOf } from "./elements.js";
import { link, picture } from "./links.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";
import { state } from "./state.js";

export function drawBlocks(blocks, ctx) {
  return (blocks || []).map((block, at) => {
    const whole = block.block_id ? block : { ...block, block_id: `b${at}` };
    const node = (BLOCKS[block.type] || unknown)(whole, ctx);
    node.classList.add("block", `block-${block.type}`);
    node.dataset.block = whole.block_id;
    return node;
  });
}

function header(block, ctx) {
  return h(ctx.where.home || ctx.where.view ? "h3" : "h4", {}, textOf(block.text));
}

function section(block, ctx) {
  const words = h("div", { class: "words" },
    block.text ? h("div", { class: "mrkdwn" }, textOf(block.text)) : null,
    block.fields ? h("div", { class: "fields" }, block.fields.map((one) => h("div", { class: "mrkdwn" }, textOf(one)))) : null);
  if (!block.accessory) return h("div", {}, words);
  return h("div", { class: "with-accessory" }, words, h("div", { class: "accessory" }, drawElement(block.accessory, block, ctx)));
}

function context(block) {
  return h("div", {}, (block.elements || []).map((one) => (one.type === "image" ? drawElement(one, block, {}) : h("span", { class: "mrkdwn" }, textOf(one)))));
}

const actions = (block, ctx) => h("div", { role: "group", "aria-label": "Actions" }, (block.elements || []).map((one) => drawElement(one, block, ctx)));

function image(block) {
  const from = picture(block.image_url) || slackFile(block.slack_file);
  const title = block.title ? h("figcaption", {}, textOf(block.title)) : null;
  if (!from) return h("figure", {}, title, h("p", { class: "no-picture" }, `Picture: ${block.alt_text || "no description"}`));
  const img = h("img", { src: from, alt: block.alt_text || "", loading: "lazy" });
  const figure = h("figure", {}, title, h("a", { href: from, target: "_blank", rel: "noopener noreferrer", class: "picture" }, img));
  img.addEventListener("error", () => img.closest("a")?.replaceWith(h("p", { class: "no-picture" }, `Picture (could not be loaded): ${block.alt_text || ""}`)));
  return figure;
}

function slackFile(file) {
  if (!file) return null;
  if (file.url) return picture(file.url);
  for (const messages of state.messages.values()) {
    for (const message of messages.values()) {
      const found = message.files?.find((one) => one.id === file.id);
      if (found) return picture(found.url);
    }
  }
  return file.id ? picture(`/files/${encodeURIComponent(file.id)}`) : null;
}

function input(block, ctx) {
  const [id, labelId, hintId, wrongId] = ["field", "label", "hint", "wrong"].map(freshId);
  const wrong = ctx.errors?.[block.block_id];
  const describedby = [wrong && wrongId, block.hint && hintId].filter(Boolean).join(" ") || null;
  const many = ["radio_buttons", "checkboxes"].includes(block.element.type);
  const words = [textOf(block.label), block.optional ? h("span", { class: "soft" }, " (optional)") : null];
  return h("div", { class: wrong ? "wrong" : "" },
    many ? h("div", { class: "label", id: labelId }, words) : h("label", { class: "label", for: id, id: labelId }, words),
    drawElement(block.element, block, ctx, { id: many ? null : id, labelId, describedby, wrong: Boolean(wrong) }),
    wrong ? h("p", { class: "error", id: wrongId }, wrong) : null,
    block.hint ? h("p", { class: "hint", id: hintId }, textOf(block.hint)) : null);
}

function table(block) {
  const align = (at) => `align-${block.column_settings?.[at]?.align || "left"}`;
  const cell = (tag) => (one, at) => h(tag, { class: align(at), scope: tag === "th" ? "col" : null }, one?.type === "rich_text" ? richText(one) : one?.text || "");
  const [head, ...rows] = block.rows || [];
  return h("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, h("tr", {}, (head || []).map(cell("th")))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))))));
}

function video(block) {
  const title = textOf(block.title);
  return h("div", {}, h("p", {}, "Video: ", link(block.title_url || block.video_url || "", title) || title), block.description ? h("p", { class: "soft" }, textOf(block.description)) : null);
}

function file(block) {
  return h("p", { class: "unknown" }, `File ${block.external_id || block.file?.name || ""}`);
}

const unknown = (block) => h("p", { class: "unknown" }, `This page can't draw a block of type “${block.type}”.`);

const BLOCKS = {
  header, section, context, actions, image, input, table, video, file,
  divider: () => h("hr"),
  context_actions: actions,
  rich_text: (block) => h("div", { class: "prose" }, richText(block)),
  markdown: (block) => h("div", { class: "prose" }, markdown(block.text)),
};
