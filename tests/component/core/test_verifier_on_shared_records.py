"""The verifier's bars on the shared incident records, which nobody had in mind when its rules were written."""

from __future__ import annotations

import json

from oncall_bot.core.records import parse_record
from tests.shared import shared
from tests.unit.core.test_verification_recall import below_the_bars


def test_on_the_shared_records_every_kind_of_lie_is_caught_and_the_truth_is_kept() -> None:
    folder = shared("data/incidents")
    found = []
    for path in sorted(folder.glob("INC-*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        data.pop("truth")
        found.append(parse_record(data))
    assert below_the_bars(found) == []
