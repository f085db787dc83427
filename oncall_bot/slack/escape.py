"""The one way outside text gets into a Slack message: bounded, escaped, unable to mention, link, ring or pose as us.

Knows mrkdwn's special characters and Slack's date tokens. Refuses to know blocks and incidents.
Serves every drawing module of this room; labels, annotations, names, chat and model output all pass here.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

WORD_JOINER = "\u2060"
PUSH_MIN, PUSH_MAX = 10, 120
_SAME_DAY = timedelta(hours=12)

# Fixed patterns, linear in the text; patterns from outside are never compiled here.
_SHORTCODE = re.compile(r":(?=[\w+'-]+:)")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_INLINE = str.maketrans({"*": "∗", "~": "∼", "`": "’"})
_KEPT_FORMAT = frozenset("\u200c\u200d")  # joiners that several scripts and emoji need
_LINE_ENDS = str.maketrans(
    {"\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
)


def printable(text: str) -> str:
    """The text without control, bidirectional, invisible and lone surrogate characters; only `\\n` stays."""
    joined = text.replace("\r\n", "\n").translate(_LINE_ENDS).replace("\t", " ")
    return "".join(
        char
        for char in joined
        if char == "\n"
        or char in _KEPT_FORMAT
        or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )


def one_line(text: str) -> str:
    """The printable text on one line, runs of spaces made one."""
    return _SPACES.sub(" ", printable(text).replace("\n", " ")).strip()


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them `…` when something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def entities(text: str) -> str:
    """`&`, `<` and `>` as Slack wants them; the first in this order, so that nothing is escaped twice."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape(text: str, limit: int = 300) -> str:
    """Outside text for the middle of a mrkdwn line.

    `limit` counts the characters a reader sees; the escaped form may be up to five times as long.
    """
    shown = cut(one_line(text), limit).translate(_INLINE)
    return entities(_SHORTCODE.sub(":" + WORD_JOINER, shown))


def code(text: str, limit: int = 80) -> str:
    """Outside text between back-ticks, where nothing but `&`, `<` and `>` has a meaning."""
    shown = cut(one_line(text).replace("`", "’"), limit)
    return f"`{entities(shown)}`" if shown else "`-`"


def quote(text: str, limit: int = 300, *, lines: int = 3) -> str:
    """Outside text as a quotation, each line behind `>`."""
    kept = [line for line in printable(text).split("\n") if line.strip()]
    shown = cut(" ⏎ ".join(kept) if len(kept) > lines else "\n".join(kept), limit)
    return "\n".join(f">{escape(line, limit)}" for line in shown.split("\n"))


def plain(text: str, limit: int = 150) -> str:
    """Outside text for a plain_text object, never empty. Nothing is escaped there; `emoji` must be false."""
    return cut(one_line(text), limit) or "-"


def push(before: str, outside: str = "", after: str = "") -> str:
    """The top-level `text`: our words around a piece of outside text, 10 to 120 characters once escaped."""
    room = PUSH_MAX - len(before) - len(after)
    shown = _fitting(outside, room) if outside else ""
    line = f"{before}{shown}{after}"
    if len(line) > PUSH_MAX:
        line = cut(line, PUSH_MAX)
    return line if len(line) >= PUSH_MIN else f"{line} (oncall-bot)"


def _fitting(outside: str, room: int) -> str:
    size = max(room, 1)
    while len(shown := escape(outside, size)) > room and size > 1:
        size -= max(1, (len(shown) - room) // 5)
    return shown if len(shown) <= room else ""


def when(at: datetime, now: datetime) -> str:
    """An instant in each reader's own zone: the time alone when it is near, else the day too. The fallback is UTC."""
    near = abs(at - now) < _SAME_DAY
    shape = "{time}" if near else "{date_short_pretty} {time}"
    return f"<!date^{int(at.timestamp())}^{shape}|{utc(at, now)}>"


def utc(at: datetime, now: datetime) -> str:
    """The same instant where Slack cannot localise: `03:12 UTC`, or `Sun 22 Nov 03:12 UTC`."""
    here = at.astimezone(UTC)
    near = abs(at - now) < _SAME_DAY
    return here.strftime("%H:%M UTC") if near else here.strftime("%a %-d %b %H:%M UTC")


def link(url: str | None, label: str, limit: int = 150) -> str:
    """A link to `url` with outside text as its label; the label alone when there is no http(s) address."""
    shown = escape(label, limit).replace("|", "¦")
    if not url or not url.startswith(("https://", "http://")) or len(url) > 2000:
        return shown
    safe = url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{one_line(safe).replace(' ', '%20')}|{shown}>"


def mention(slack_id: str | None, name: str) -> str:
    """A mention where one person reads; their name where the Slack id is unknown or unfit."""
    if slack_id and slack_id.isalnum() and slack_id.isascii() and slack_id[0] in "UW":
        return f"<@{slack_id}>"
    return escape(name, 60)
