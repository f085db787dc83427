"""Markdown of runbooks and drafts as Slack's mrkdwn, escaped on the way.

Knows headings, emphasis, lists, fences and links; everything else is text. Refuses raw HTML, images and mentions.
Serves threads and drafts. Links become links only for files of the team (`links=True`), never for a model's words.
"""

from __future__ import annotations

import re

from oncall_bot.slack.escape import code, cut, entities, escape, link, printable

_SPAN = re.compile(r"`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^\]\n]{1,200})\]\(([^()\s]{1,1000})\)")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)#*\s*$")
_BULLET = re.compile(r"^(\s*)[-*+]\s+(.*)$")
_FENCE = re.compile(r"^\s*(```|~~~)")
LINE_MAX = 1500


def mrkdwn_of(markdown: str, *, links: bool = False, limit: int = 2800) -> str:
    """The Markdown as mrkdwn of at most about `limit` characters, cut between lines with `…`."""
    lines: list[str] = []
    fenced = False
    room = limit
    for raw in printable(markdown).split("\n"):
        if _FENCE.match(raw):
            fenced, line = not fenced, "```"
        elif fenced:
            line = entities(cut(raw, LINE_MAX).replace("```", "’’’"))
        else:
            line = _line(raw, links=links)
        room -= len(line) + 1
        if room < 8:
            lines.append("…")
            break
        lines.append(line)
    if fenced:
        lines.append("```")
    return "\n".join(lines).strip("\n") or "-"


def paragraphs(markdown: str, *, links: bool = False, size: int = 2800, most: int = 4) -> list[str]:
    """The Markdown as up to `most` sections of mrkdwn, none longer than Slack takes, split at empty lines."""
    parts, part = [], ""
    for block in _blocks(printable(markdown)):
        if part and len(part) + len(block) > size * 3 // 4:
            parts.append(part)
            part = ""
        part = f"{part}\n\n{block}" if part else block
    parts += [part] if part else []
    shown = [mrkdwn_of(text, links=links, limit=size) for text in parts[:most]]
    return [*shown, "…"] if len(parts) > most else shown


def _blocks(markdown: str) -> list[str]:
    """Pieces between empty lines; a fence is never split."""
    out: list[str] = []
    piece: list[str] = []
    fenced = False
    for line in markdown.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        if not line.strip() and not fenced and piece:
            out.append("\n".join(piece))
            piece = []
        elif line.strip() or fenced:
            piece.append(line)
    return [*out, "\n".join(piece)] if piece else out


def _line(raw: str, *, links: bool) -> str:
    heading = _HEADING.match(raw)
    if heading:
        return f"*{escape(heading[1], 200)}*"
    bullet = _BULLET.match(raw)
    if bullet:
        return f"{'    ' * (len(bullet[1]) // 2)}•  {_spans(bullet[2], links=links)}"
    if raw.startswith(">"):
        return f">{_spans(raw.lstrip('> '), links=links)}"
    return _spans(raw, links=links)


def _spans(text: str, *, links: bool) -> str:
    out, last = [], 0
    shown = cut(text, LINE_MAX)
    for found in _SPAN.finditer(shown):
        out.append(_words(shown[last : found.start()]))
        out.append(_span(found, links=links))
        last = found.end()
    return "".join([*out, _words(shown[last:])])


def _span(found: re.Match[str], *, links: bool) -> str:
    if found[1] is not None:
        return code(found[1], 300)
    if found[2] is not None:
        return f"*{escape(found[2], 300)}*"
    if links:
        return link(found[4], found[3])
    return f"{escape(found[3], 200)} ({escape(found[4], 200)})"


def _words(text: str) -> str:
    """Escaped, with the spaces at its ends kept: they part it from the span beside it."""
    if not text.strip():
        return " " if text else ""
    before = " " if text[0].isspace() else ""
    after = " " if text[-1].isspace() else ""
    return f"{before}{escape(text, LINE_MAX)}{after}"
