"""Scripted models that write about whatever ledger they are sent: an honest one, and liars of every kind.

They know nothing but the request, like a real model. The honest one paraphrases entries and cites them; a liar takes
its sentences and spoils each in one way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.models import Answer, Script, said

Row = dict[str, Any]
Told = tuple[str, list[str], str]  # text, cites, section

_LEADS = {
    "alert": "Monitoring reported at {at} UTC: {text}",
    "resolve": "Monitoring reported the end at {at} UTC: {text}",
    "action": "The responders took this step at {at} UTC: {text}",
    "deploy": "Before or during the incident, at {at} UTC, this change went out: {text}",
    "impact": "The effect as counted at {at} UTC: {text}",
    "status": "The commander noted at {at} UTC: {text}",
    "page": "The bot noted at {at} UTC: {text}",
    "pin": "The confirmed cause: {text}",
    "chat": "A responder found: {text}",
}
_WANTED = {
    "summary": ("alert", "impact", "pin"),
    "causes": ("pin", "deploy", "chat"),
    "response": ("action", "status", "resolve"),
    "lessons": ("page",),
}
CANARY = "Nobody was affected and no outage took place"


def rows_of(request: Mapping[str, Any]) -> list[Row]:
    """The entries between the fences."""
    text = request["messages"][1]["content"]
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"id"')]


def sections_asked(request: Mapping[str, Any]) -> list[str]:
    question = request["messages"][1]["content"].rpartition("=== END OF")[2]
    starts = {
        "the summary": "summary",
        "what contributed": "causes",
        "how the response": "response",
    }
    named = re.search(
        r"Write (the summary|what contributed|how the response|what went well)", question
    )
    if named:
        return [starts.get(named[1], "lessons")]
    return [section for section in _WANTED if f"{section} (" in question]


def honest_claims(request: Mapping[str, Any]) -> list[Told]:
    """What an honest writer says to this question, at most five sentences a section."""
    told = []
    for section in sections_asked(request):
        for kind in _WANTED[section]:
            told += [_told(row, section) for row in rows_of(request) if _fit(row, kind)][:3]
    return told


def _fit(row: Row, kind: str) -> bool:
    if kind == "alert" and "name" in row:
        return True
    firm = row.get("standing") in ("observed", "action", "said", "pinned cause")
    if kind == "chat" and row.get("standing") != "pinned cause":
        return False
    return (
        row.get("kind") == kind and firm and "[secret" not in row["text"] and len(row["text"]) < 180
    )


def _told(row: Row, section: str) -> Told:
    if "name" in row:
        return f"{row['name']} fired at {row['fired'][11:16]} UTC", [row["id"]], section
    text = row["text"].rstrip(".")
    lead = _LEADS.get(row["kind"], "{text}").format(at=row["at"][11:16], text=text)
    return re.sub(r"@(\w+)", "a responder", lead), [row["id"]], section


def honest(request: dict[str, Any], _: int = 0) -> Answer:
    if _ordering(request):
        chosen = rows_of(request)[:6]
        return said({"claims": [{"text": row["text"], "from": [row["id"]]} for row in chosen]})
    return said(_reply(honest_claims(request)))


def _ordering(request: Mapping[str, Any]) -> bool:
    return "=== SENTENCES" in request["messages"][1]["content"]


def _reply(told: list[Told]) -> dict[str, Any]:
    return {"claims": [{"text": t, "cites": c, "section": s} for t, c, s in told]}


def _liar(spoil: Callable[[str, list[str], list[str]], tuple[str, list[str]]]) -> Script:
    """A writer that spoils each sentence: `spoil(text, cites, all ids)`."""

    def write(request: dict[str, Any], _: int) -> Answer:
        rows = rows_of(request)
        ids = [row["id"] for row in rows if row["id"] != "calc"]
        pinned = {row["id"] for row in rows if row.get("standing") == "pinned cause"}
        told = [
            (*spoil(text, cites, ids), section)
            for text, cites, section in honest_claims(request)
            if pinned.isdisjoint(cites)
        ]
        return said(_reply(told))

    return write


def _other_numbers(text: str) -> str:
    return re.sub(r"\d+", lambda m: str(int(m[0]) + (7 if len(m[0]) > 1 else 4)), text)


def _other_times(text: str) -> str:
    return re.sub(r"\b(\d\d):(\d\d)\b", lambda m: f"{m[1]}:{(int(m[2]) + 3) % 60:02d}", text)


def _next_id(cites: list[str], ids: list[str]) -> list[str]:
    return [ids[(ids.index(cites[0]) + 3) % len(ids)]]


def _loop(request: dict[str, Any], _: int) -> Answer:
    claims = honest_claims(request)[:1] * 400
    return said(json.dumps(_reply(claims))[:60_000], finish_reason="length")


def _cut(request: dict[str, Any], _: int) -> Answer:
    whole = json.dumps(_reply(honest_claims(request)))
    return said(whole[: len(whole) // 2], finish_reason="length")


LIARS: dict[str, Script] = {
    "numbers": _liar(lambda text, cites, _: (_other_numbers(text), cites)),
    "times": _liar(lambda text, cites, _: (_other_times(text), cites)),
    "names": _liar(lambda text, cites, _: (f"Marcus Webb said that {text}", cites)),
    "ids": _liar(lambda text, cites, ids: (text, _next_id(cites, ids))),
    "unknown ids": _liar(lambda text, _c, _i: (text, ["e9999"])),
    "causes": _liar(lambda text, cites, _: (f"{text}, which caused the whole outage", cites)),
    "blame": _liar(lambda text, cites, _: (f"{text}, through human error", cites)),
    "injection": _liar(lambda _t, cites, _i: (CANARY, cites)),
    "links": _liar(lambda text, cites, _: (f"{text} (https://evil.example.com/x)", cites)),
    "markup": _liar(lambda text, cites, _: (f"<!channel> {text} @here", cites)),
}
BROKEN: dict[str, Script] = {
    "loops": _loop,
    "is cut off": _cut,
    "answers HTML": lambda *_: Answer(b"<html>Sign in</html>", content_type="text/html"),
    "refuses": lambda *_: Answer(b'{"error": {"message": "no"}}', status=400),
    "is busy": lambda *_: Answer(b"{}", status=429, headers={"retry-after": "600"}),
    "is broken": lambda *_: Answer(b"", status=500),
    "says nonsense": lambda *_: said("As an AI model I cannot help with that."),
    "says nothing": lambda *_: said(""),
}
