"""A scripted model that plays fair: it uses the tools a question expects, and says what they returned and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.models import Answer, said

_RESULT = re.compile(r"=== RESULT (\w+) ===\n(.*?)\n=== END \1 ===", re.DOTALL)
_QUESTION = re.compile(r"=== QUESTION \w+ ===\n(.*?)\n=== END", re.DOTALL)
_TIMED = re.compile(r"tonight|tomorrow|\bat \d|\bon \w+day\b|next week", re.IGNORECASE)
_NUMBER = re.compile(r"(?:INC-|#|\b)(\d{2,6})\b")
_CAMEL = re.compile(r"\b(?:[A-Z][a-z0-9]+){2,}\w*\b")
_TOOL_OF_WISH = {
    "page": "page_someone",
    "silence": "silence",
    "resolve": "resolve",
    "ack": "ack",
    "take": "ack",
}


class Honest:
    """Answers one conversation after the other; `expect` and `world` are those of the question being asked."""

    def __init__(self, world: Mapping[str, Any], *, native: bool = True) -> None:
        self.world = world
        self.native = native
        self.expect: Mapping[str, Any] = {}

    def __call__(self, request: dict[str, Any], number: int) -> Answer:
        if "tools" in request and not self.native:
            error = {
                "error": {"message": "tools are not supported", "type": "invalid_request_error"}
            }
            return Answer(json.dumps(error).encode(), status=400)
        talk = "\n".join(str(message.get("content") or "") for message in request["messages"])
        results = [
            json.loads(found[2]) for found in _RESULT.finditer(talk) if "… (cut" not in found[2]
        ]
        asked = _QUESTION.search(talk)
        question = asked[1] if asked else ""
        plan = self.plan(question, talk)
        if len(results) < len(plan):
            name, args = plan[len(results)]
            if self.native:
                return said(None, tools=[(name, args)])
            return said({"tool": name, "args": args})
        text = (
            " ".join(sentence for one in results for sentence in tell(one)) or "Nothing was found."
        )
        return said(text if self.native else {"answer": text})

    # --- which tools ----------------------------------------------------------------------------------------------

    def plan(self, question: str, talk: str) -> list[tuple[str, dict[str, Any]]]:
        """The tools this question calls for, with what it names."""
        first = question.split()[0].casefold().strip(",.:") if question.split() else ""
        wish = _TOOL_OF_WISH.get(first)
        if wish:
            return [(wish, self._wish(wish, question))]
        names = [
            name for name in self.expect.get("tools_any", ()) if name not in _TOOL_OF_WISH.values()
        ]
        plan = [(name, self._args(name, question)) for name in names or ["list_incidents"]]
        if (
            "alert_history" in names and "incident_timeline" in names
        ):  # what it was, then what ended it
            alert = self._alert(question)
            times = self.world.get("alert_history", {}).get(alert, [])
            past = [one["incident"] for one in times if one.get("ends_at")]
            plan = [("alert_history", {"name": alert})]
            plan += [("incident_timeline", {"id": past[-1], "limit": 80})] if past else []
        return plan

    def _args(self, name: str, question: str) -> dict[str, Any]:
        rota, number = self._rota(question), _NUMBER.search(question)
        if name == "who_is_on_call":
            at = {"at": question.strip("?!. ")} if _TIMED.search(question) else {}
            return {"rotation": rota, **at} if rota else at
        if name in {"incident_facts", "incident_timeline", "why_paged"}:
            return {"id": number[1] if number else self.world["open_incidents"][0]["id"]}
        if name == "alert_history":
            return {"name": self._alert(question)}
        if name == "list_alerts":
            return {"service": rota} if rota else {}
        if name in {"search_runbooks", "find_incident"}:
            found = _CAMEL.search(question)
            return {"query": found[0] if found else question}
        if name == "query_prometheus_instant":
            return {"expr": next(iter(self.world.get("prometheus", {"up": 1})))}
        return {}

    def _wish(self, name: str, question: str) -> dict[str, Any]:
        number = _NUMBER.search(question)
        about = {"incident": number[1]} if number else {}
        if name == "page_someone":
            people = [u["handle"] for u in self.world["users"] if _named(u, question)]
            return {"target": (people or [self._rota(question) or "nobody"])[0], **about}
        if name == "silence":
            span = re.search(r"(\d+)\s*(min|h|hour|day)", question)
            unit = {"min": 1, "h": 60, "hour": 60, "day": 1440}[span[2]] if span else 0
            about = {} if _CAMEL.search(question) else about
            alert = {"alert": self._alert(question)} if _CAMEL.search(question) else {}
            return {"minutes": int(span[1]) * unit if span else 0, **alert, **about}
        return about

    def _rota(self, question: str) -> str | None:
        names = [one["name"] for kind in ("services", "rotations") for one in self.world[kind]]
        return next(
            (name for name in names if re.search(rf"\b{re.escape(name)}\b", question)), None
        )

    def _alert(self, question: str) -> str:
        found = _CAMEL.search(question)
        return found[0] if found else "Unknown"


def _named(user: Mapping[str, Any], question: str) -> bool:
    words = {user["handle"].lstrip("@"), user["handle"], *user["name"].casefold().split()}
    return bool(words & {word.casefold().strip("?,.!") for word in question.split()})


# --- what they returned -------------------------------------------------------------------------------------------


def tell(result: Mapping[str, Any]) -> list[str]:
    """A result in sentences, with its ids and times as they stand."""
    if "error" in result:
        return [str(result["error"])]
    if "refused" in result:
        return [f"That is not possible: {result['refused']}"]
    if "asked_back" in result:
        return [str(result["asked_back"])]
    if "card" in result:
        return [f"A card waits for your press: {result['card']}"]
    for key, say in _TELLERS.items():
        if key in result:
            return say(result)
    return []


def _on_call(r: Mapping[str, Any]) -> list[str]:
    return [
        f"{one['person']} is on call for {one['rotation']}, asked for {r['at']}."
        for one in r["on_call"]
    ]


def _times(r: Mapping[str, Any]) -> list[str]:
    lines = [f"{r['name']} fired {r['count']} times in {r['span']}."]
    lines += [
        f"It began {one['began']} in {one['incident']} and {one['lasted']}."
        for one in r["times"]
        if one["incident"]
    ]
    for one in r["how_incidents_ended"]:
        did = "; ".join(deed["text"].rstrip(".") for deed in one["done_before"])
        lines.append(
            f"Before {one['incident']} ended, this was done: {did}."
            if did
            else f"{one['incident']} ended."
        )
    return [*lines, "Whether the present one is alike is not known."]


def _entries(r: Mapping[str, Any]) -> list[str]:
    deeds = [
        e
        for e in r["entries"]
        if e["kind"] in {"action", "deploy"} and e["standing"] in {"action", "observed"}
    ]
    return [
        f"In {r['id']} somebody noted: {e['text'].rstrip('.')} [{e['entry']}]." for e in deeds[-6:]
    ]


def _facts(r: Mapping[str, Any]) -> list[str]:
    cause = r["cause_pinned_by_a_person"]
    said = (
        "Nobody has named a cause."
        if isinstance(cause, str)
        else f"Pinned as the cause: {cause[0]['text']}."
    )
    return [f"{r['id']}, {r['title']}, is {r['status']}; {r['has_it']} has it.", said]


def _alerts(r: Mapping[str, Any]) -> list[str]:
    return [f"{one['name']} fires since {one['since']}." for one in r["alerts"]] or [
        "Nothing fires there."
    ]


def _incidents(r: Mapping[str, Any]) -> list[str]:
    return [f"{one['id']}, {one['title']}, is {one['status']}." for one in r["incidents"]] or [
        "No incident is open."
    ]


def _runbooks(r: Mapping[str, Any]) -> list[str]:
    return [f"The runbook {one['title']} fits." for one in r["runbooks"]] or ["No runbook fits."]


def _shifts(r: Mapping[str, Any]) -> list[str]:
    return [
        f"{r['person']} is on call for {one['rotation']} from {one['from']} to {one['to']}."
        for one in r["shifts"]
    ]


def _value(r: Mapping[str, Any]) -> list[str]:
    return [f"The value is {r['value']}."]


_TELLERS = {
    "on_call": _on_call,
    "how_incidents_ended": _times,
    "entries": _entries,
    "cause_pinned_by_a_person": _facts,
    "alerts": _alerts,
    "incidents": _incidents,
    "runbooks": _runbooks,
    "shifts": _shifts,
    "value": _value,
}
