"""A feed as iCalendar text: RFC 5545 with the refresh hints of RFC 7986, times in UTC, no rules.

Knows escaping, folding at 75 octets, and which properties calendar programs go by. Refuses to know tokens and rows.
The same feed is the same text, to the octet. Pure. Serves the feeds of this room and the command `schedule ics`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from oncall_bot.core.feeds import Feed, FeedShift

EVERY = "PT1H"
"""How often a program should ask again; Google's asks when it likes, up to a day late."""

COLOUR = "orangered"
_FOLD = 75
_BARE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


def written(feed: Feed) -> str:
    """The whole calendar, lines ended by CRLF."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//oncall-bot//on-call shifts//EN",
        "CALSCALE:GREGORIAN",
        f"NAME:{text(feed.title)}",
        f"X-WR-CALNAME:{text(feed.title)}",
        f"DESCRIPTION:{text(feed.about)}",
        f"X-WR-CALDESC:{text(feed.about)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{EVERY}",
        f"X-PUBLISHED-TTL:{EVERY}",
        f"COLOR:{COLOUR}",
    ]
    if feed.shifts:
        lines.append(f"LAST-MODIFIED:{stamp(modified_at(feed))}")
    for shift in feed.shifts:
        lines += _event(shift, personal=feed.personal)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def modified_at(feed: Feed) -> datetime:
    """When something in it was told last; the feed must hold a shift."""
    return max(shift.told.modified_at for shift in feed.shifts)


def _event(shift: FeedShift, *, personal: bool) -> Iterator[str]:
    told = shift.told
    title = f"On call: {shift.schedule}" if personal else f"{shift.name} on call: {shift.schedule}"
    yield "BEGIN:VEVENT"
    yield f"UID:{uid(shift)}"
    yield f"DTSTAMP:{stamp(told.modified_at)}"
    yield f"DTSTART:{stamp(told.start)}"
    yield f"DTEND:{stamp(told.end)}"
    yield f"SEQUENCE:{told.sequence}"
    yield f"LAST-MODIFIED:{stamp(told.modified_at)}"
    yield f"SUMMARY:{text(title)}"
    yield f"COLOR:{COLOUR}"
    yield "STATUS:CONFIRMED"
    yield "TRANSP:TRANSPARENT"  # a week on call is no week without meetings
    yield "END:VEVENT"


def uid(shift: FeedShift) -> str:
    """One for each schedule and start, whoever has the shift: a change of person is a change of this event."""
    return f"{shift.schedule}-{stamp(shift.told.start)}@oncall-bot"


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def text(value: str, limit: int = 200) -> str:
    """A TEXT value (RFC 5545, 3.3.11): bounded, without control characters, escaped."""
    bare = _BARE.sub(" ", value[:limit].replace("\r\n", "\n").replace("\r", "\n"))
    escaped = bare.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Pieces of at most 75 octets, no letter cut in two; each but the first begins with a space."""
    if len(line) <= _FOLD and line.isascii():
        yield line
        return
    piece, size = "", 0
    for letter in line:
        octets = len(letter.encode("utf-8", "replace"))
        if size + octets > _FOLD:
            yield piece
            piece, size = " ", 1
        piece, size = piece + letter, size + octets
    yield piece
