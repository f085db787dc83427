"""The verbs and set phrases by which a message is an order. A table: which act, and how it begins.

Knows English imperatives of on-call work. Refuses to know what the order is about. Serves `wishes`; a new way of
ordering is a line here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache


class Act(StrEnum):
    """In the order in which they are looked for: the more particular first."""

    TAKE = "take"
    OVERRIDE = "override"
    SEVERITY = "severity"
    DECLARE = "declare"
    NOTE = "note"
    ACK = "ack"
    RESOLVE = "resolve"
    SILENCE = "silence"
    ESCALATE = "escalate"
    PAGE = "page"


_IT = r"(?:it|this|that)"
_POLITE = r"""
please  pls  plz  ok  okay  hey  hi  hello  bot  so  now  just  then  and  kindly  yes  also  let\ us  let\ me
go\ ahead\ and  (?:can|could|would|will)\ (?:you|we|i)  i\ (?:want|need|would\ like|have)\ (?:you\ )?to
we\ (?:want|need|have)\ to  someone  somebody  try\ to  help\ me  need\ to  want\ to  you
"""
ORDERS: Mapping[Act, tuple[str, ...]] = {
    Act.TAKE: (r"(?:i |i am |i will )?(?:take|taking) (?:\S+ ){0,3}over", "steal"),
    Act.OVERRIDE: (
        "override",
        "swap",
        "replace",
        r"cover (?:for|me|the|my|\S+ ?(?:shift|rota)?)",
        r"put (?:me|\S+(?: \S+)?) on",
        r"make (?:me|\S+) on call",
        r"schedule (?:me|\S+) (?:for|on)",
    ),
    Act.SEVERITY: (
        r"(?:set|change|make|raise|lower|upgrade|downgrade|bump|escalate|promote|demote|mark)\b.{0,40}\bsev ?-?[1-5]",
        rf"{_IT} is (?:a |now )?sev ?-?[1-5]",
        r"sev ?-?[1-5]$",
    ),
    Act.DECLARE: (
        "declare",
        r"(?:open|start|create|raise|file|report|log) (?:an? |the )?(?:new )?(?:sev ?-?[1-5] )?(?:incident|outage)",
        "new incident",
    ),
    Act.NOTE: (
        "note",
        r"(?:add|write|make|take|leave|put) (?:an? |the |this |that )?(?:note|comment|entry)",
        "write down",
        "record that",
        "log that",
        "jot down",
    ),
    Act.ACK: (
        "ack",
        "acknowledge",
        "acking",
        rf"take (?:{_IT}|incident|inc|#?\d+)",
        "claim",
        "grab",
        "own it",
        r"assign (?:it|this|\S+)? ?to me",
        rf"i (?:will )?(?:take|handle|own|do) {_IT}",
        rf"i (?:have )?got {_IT}",
        r"i have (?:it|this)$",
        rf"i am on {_IT}",
        r"i am (?:taking|handling)",
        rf"i am looking (?:at|into) {_IT}",
        r"(?:this is |it is )?mine",
        "(?:on|got) it$",
        rf"taking {_IT}",
        "i will ack",
        "dibs",
    ),
    Act.RESOLVE: (
        r"(?:resolve|close) (?:this|it|that|incident|inc|outage|the (?:incident|outage|alert)|#?\d+)",
        r"(?:resolve|close)$",
        r"(?:mark|set) (?:\S+ ){0,4}(?:as )?(?:resolved|closed|done|fixed)",
        rf"{_IT} is (?:over|resolved|fixed|done)$",
        r"(?:incident |inc |#)?#?\d+ is (?:over|resolved|fixed|done)$",
        r"end (?:the |this )?incident",
        "resolved$",
    ),
    Act.SILENCE: (
        "silence",
        "mute",
        "snooze",
        "hush",
        "quiet",
        rf"shut (?:{_IT}|up)",
        r"stop (?:paging|alerting|the alerts|alerts)",
        "suppress",
        "hold back",
    ),
    Act.ESCALATE: (
        "escalate",
        r"page (?:the )?next",
        "next step",
        r"i can not (?:take|do|handle)",
        r"i am (?:not available|unavailable)",
    ),
    Act.PAGE: (
        "page",
        "wake",
        rf"call (?!{_IT})",
        "ping",
        "phone",
        "ring",
        r"get (?!me\b)\S+ (?:\S+ )?(?:up|in|here|on)",
        "notify",
        r"alert (?=@|<|\S+ (?:for|about|on))",
        "summon",
        "(?:pull|bring) in",
    ),
}
_ACTS = frozenset(
    {
        "ack",
        "acknowledge",
        "page",
        "silence",
        "mute",
        "resolve",
        "escalate",
        "wake",
        "snooze",
        "declare",
        "close",
    }
)
_NOT = re.compile(r"\b(?:do not|does not|did not|never|not to|without|should|shall)\b")
_ASKS = re.compile(
    r"(?:who|what|when|why|how|where|which|whose|is|are|was|were|did|does|do|has|have|had)\b"
)


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[Act, re.Pattern[str]], ...]:
    return tuple((act, re.compile(rf"(?:{'|'.join(ORDERS[act])})(?:\b|(?<=\s)|$)")) for act in Act)


@lru_cache(maxsize=1)
def _polite() -> re.Pattern[str]:
    words = [word.replace("\0", r"\ ") for word in _POLITE.replace(r"\ ", "\0").split()]
    return re.compile(rf"(?:(?:{'|'.join(words)})\b[ ,]*)+")


def order_in(said: str) -> tuple[Act, str] | None:
    """The act a message of folded words orders, and the order without its courtesies; None when it orders nothing."""
    if forbids(said):
        return None
    begun = _polite().match(said)
    order = said[begun.end() :].strip() if begun else said.strip()
    if not order or _ASKS.match(order):
        return None
    return next(((act, order) for act, rule in _rules() if rule.match(order)), None)


def forbids(said: str) -> bool:
    """`don't page anyone`, `should I resolve it`: no order."""
    return bool(_NOT.search(said))


def only_forbids(said: str) -> bool:
    """A ban, or doubt about an act: neither an order nor a question that can be answered."""
    return forbids(said) and not _ASKS.match(said) and bool(_ACTS & set(said.split()))
