"""The phrasings file as values, with the world it speaks of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from oncall_bot.core.talk import (
    About,
    AskBack,
    Known,
    Names,
    Question,
    Smalltalk,
    Understood,
    Wish,
    understand,
)
from oncall_bot.core.talk.lexicon import vocabulary

FILE = Path(__file__).with_name("phrasings.txt")
NOW, ZONE = datetime(2026, 11, 25, 14, 7, tzinfo=UTC), ZoneInfo("Europe/Berlin")
KNOWN = Known(
    services={
        "checkout": ["checkout", "checkout-api"],
        "search-api": [],
        "payments": [],
        "blob-index": [],
    },
    schedules=["shop-primary", "search-primary", "storage"],
    people={"ana": "Ana Ruiz", "bo": "Bo Lindt", "cy": "Cy Okafor", "dee": "Dee Marsh"},
    teams=["shop", "platform"],
    alerts=["HighErrorRate", "KafkaConsumerLag", "NodeDiskPressure", "SearchP99LatencyHigh"],
    runbooks={
        "kafka-consumer-lag": "Kafka consumer lag",
        "node-disk-pressure": "Node disk pressure",
    },
)
NAMES = Names(KNOWN, vocabulary())
_SECTION = re.compile(r"\[(\S+) (dev|held)\]")
_UNITS = {"m": 1, "h": 60}


@dataclass(frozen=True)
class Phrasing:
    text: str
    kind: str  # an intent, wish:ACT, near, none, smalltalk
    held: bool
    slots: dict[str, str]


def phrasings() -> list[Phrasing]:
    found, kind, held = [], "", False
    for raw in FILE.read_text().splitlines():
        line = raw.strip()
        if not line or line.startswith("# "):
            continue
        if section := _SECTION.fullmatch(line):
            kind, held = section[1], section[2] == "held"
            continue
        text, _, slots = line.partition(" => ")
        found.append(Phrasing(text, kind, held, dict(part.split("=", 1) for part in slots.split())))
    return found


def read(phrasing: Phrasing) -> Understood:
    """As understood: wishes in a conversation about incident 42, everything else without one."""
    about = About(incident=42) if phrasing.kind.startswith("wish:") else About()
    return understand(phrasing.text, NAMES, NOW, ZONE, about)


def kind_of(understood: Understood) -> str:
    match understood:
        case Question():
            return str(understood.intent)
        case Wish():
            return f"wish:{understood.act}"
        case AskBack():
            return "near"
        case Smalltalk():
            return "smalltalk"
    return "none"


def is_hit(phrasing: Phrasing) -> bool:
    """The right kind, with every slot read as it must be."""
    understood = read(phrasing)
    return kind_of(understood) == phrasing.kind and all(
        _slot(understood, name, value) for name, value in phrasing.slots.items()
    )


def _slot(understood: Any, name: str, value: str) -> bool:
    found = getattr(understood, name)
    match name:
        case "when":
            return found is not None and found.is_span == (value == "span")
        case "lasts":
            return bool(found == timedelta(minutes=int(value[:-1]) * _UNITS[value[-1]]))
        case "text":
            return value in found
        case "incident":
            return bool(found == int(value))
    return bool(found == value)
