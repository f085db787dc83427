"""Recorded streams of real Alertmanagers, and the truth that was written for each of them.

Knows how to post a stream byte for byte and what its truth means for a bot that sees one occurrence for each
(fingerprint, startsAt), whichever receiver told it. Serves `test_streams`.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tests.shared import SHARED, shared

FOLDER = "data/alertmanager"


def names() -> list[str]:
    """The streams of webhooks; `prom-*` and `*-source` are posts to an Alertmanager's own API."""
    if SHARED is None:
        return ["none-found"]  # so that the tests are seen to be skipped
    found = sorted(path.stem for path in (SHARED / FOLDER / "streams").glob("*.jsonl"))
    return [name for name in found if not name.startswith("prom-") and not name.endswith("-source")]


@dataclass(frozen=True)
class Post:
    """One recorded request: seconds since the scenario began, and the body as it was sent."""

    t: float
    body: bytes


@lru_cache(maxsize=1)
def _replayer() -> Any:
    spec = importlib.util.spec_from_file_location("replay", shared("tools/replay_alerts.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def posts(name: str) -> list[Post]:
    """The posts of a stream in order of arrival; cut storms in full size."""
    records = _replayer().load(shared(f"{FOLDER}/streams/{name}.jsonl"))
    return [Post(one["t"], one["body"].encode("utf-8", "surrogateescape")) for one in records]


def truth(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared(f"{FOLDER}/truth/{name}.json").read_text())
    return found


@dataclass(frozen=True)
class Expected:
    """What has to be stored of one occurrence; `ends` are the ends that were told for it."""

    state: str
    ends: frozenset[datetime]


Key = tuple[str, datetime]


def expected(truth: Mapping[str, Any]) -> dict[Key, Expected]:
    """The truth across receivers: an end told to anybody is an end, a newer start anywhere supersedes."""
    told: dict[Key, list[Mapping[str, Any]]] = {}
    for one in truth["instances"]:
        told.setdefault((one["fingerprint"], instant(one["startsAt"])), []).append(one)
    newest: dict[str, datetime] = {}
    for print_, starts_at in told:
        newest[print_] = max(starts_at, newest.get(print_, starts_at))
    return {key: _expected(ones, is_newest=newest[key[0]] == key[1]) for key, ones in told.items()}


def _expected(ones: list[Mapping[str, Any]], *, is_newest: bool) -> Expected:
    ends = frozenset(instant(one["endsAt"]) for one in ones if one.get("state") == "resolved")
    if ends:
        return Expected("resolved", ends)
    return Expected("firing" if is_newest else "superseded", ends)


def instant(text: str) -> datetime:
    """Rounded to the microsecond: the wire has up to nine decimals."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    exact = Decimal(f"0.{fraction or 0}") * 1_000_000
    return datetime.fromisoformat(f"{whole}+00:00") + timedelta(microseconds=round(exact))
