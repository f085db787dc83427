"""The desk of one turn: where tools are used with the asker's rights, and what they answer is kept to check by.

Knows bounds, fences, redaction and which call was made before. Refuses to know what the tools find. Serves the
assistant's loop; a desk is for one question and is thrown away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from oncall_bot.core.disclosure import Withholder
from oncall_bot.core.errors import OncallError
from oncall_bot.core.evidence import INSTRUCTION
from oncall_bot.core.redaction import Redactor
from oncall_bot.core.talk.grounds import Grounds
from oncall_bot.core.talk.proposals import Needs, Offer
from oncall_bot.ports import Gauge, TalkTurn
from oncall_bot.store import views
from oncall_bot.store.db import Store

RESULT_MAX = 6_000
TEXT_MAX = 400
OFFERS_MAX = 3


class BadCallError(OncallError):
    """A call that cannot be answered; the sentence goes back to the model."""


@dataclass(slots=True)
class Desk:
    """`zone` is the asker's; `model` is whom the file may forbid to see an incident."""

    store: Store
    turn: TalkTurn
    model: str
    marker: str
    grounds: Grounds
    gauge: Gauge | None = None
    incidents: list[int] = field(default_factory=list)
    runbooks: list[str] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    questions: list[Needs] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    repeated: int = 0
    _made: set[str] = field(default_factory=set)
    _withheld: dict[str, None] = field(default_factory=dict)
    _redactor: Redactor = field(default_factory=Redactor)

    @property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.turn.zone)
        except (KeyError, ValueError, OSError):
            return ZoneInfo("UTC")

    @property
    def now(self) -> datetime:
        return self.turn.now

    def use(
        self, tool: Callable[[Desk, Args], Mapping[str, Any]] | None, name: str, raw: str
    ) -> str:
        """The fenced result of a call; errors come back as results. The same call twice is refused."""
        self.steps.append(name[:60])
        key = f"{name}:{' '.join(raw.split())}"
        if key in self._made:
            self.repeated += 1
            return self._fenced(
                {"error": "This very call was made before; its result stands above."}
            )
        self._made.add(key)
        if tool is None:
            return self._fenced({"error": f"There is no tool {name[:60]}."})
        try:
            found = tool(self, Args.read(raw))
        except OncallError as error:
            found = {"error": str(error)[:300]}
        return self._fenced(found)

    def _fenced(self, found: Mapping[str, Any]) -> str:
        """The result as data between two lines that nobody can guess, without secrets, and learned for the check."""
        plain = json.dumps(found, ensure_ascii=False, default=str)
        if len(plain) > RESULT_MAX:
            plain = f"{plain[:RESULT_MAX]} … (cut: ask for less)"
        clean = self._redactor.redact(self.withholder.withhold(plain))
        self.grounds.learn(clean)
        return f"=== RESULT {self.marker} ===\n{clean}\n=== END {self.marker} ==="

    # --- what tools share ---------------------------------------------------------------------------------------

    def at(self, instant: datetime | None) -> str | None:
        """`2026-07-02 18:00 UTC (20:00 Europe/Madrid)`."""
        if instant is None:
            return None
        self.grounds.learn_instant(instant.astimezone(UTC))
        local = instant.astimezone(self.zone)
        self.grounds.learn_instant(local)
        own = f" ({local:%H:%M} {self.zone.key})" if self.zone.key != "UTC" else ""
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC{own}"

    def person(self, key: str | None) -> str | None:
        """`Tara Patel (@tpatel)`."""
        return f"{self.store.snapshot.name(key)} (@{key})" if key else None

    def text(self, outside: str, limit: int = TEXT_MAX) -> str:
        """Words of alerts and people, cut; what reads like an instruction is left out."""
        if INSTRUCTION.search(outside):
            return f"(left out: {len(outside)} characters that read like an instruction)"
        return outside if len(outside) <= limit else outside[: limit - 1] + "…"

    def may_see(self, incident_id: int) -> str | None:
        """Why the file keeps this incident from the model, None when it may be sent."""
        found = self.store.look(views.disclosure, incident_id, self.model)
        self._withheld |= dict.fromkeys(found.withheld)
        if found.refused is None and incident_id not in self.incidents:
            self.incidents.append(incident_id)
        return found.refused

    @property
    def withholder(self) -> Withholder:
        return Withholder(tuple(self._withheld))


@dataclass(frozen=True, slots=True)
class Args:
    """Arguments as the model gave them: nothing about them is believed."""

    given: Mapping[str, Any]

    @classmethod
    def read(cls, raw: str) -> Args:
        try:
            plain = json.loads(raw or "{}")
        except (ValueError, RecursionError):
            raise BadCallError("The arguments are no JSON object.") from None
        if not isinstance(plain, dict):
            raise BadCallError("The arguments are no JSON object.")
        return cls(plain)

    def text(self, name: str, limit: int = 300) -> str:
        """A text, empty when it is missing."""
        value = self.given.get(name)
        if value is None:
            return ""
        if not isinstance(value, str | int | float):
            raise BadCallError(f"{name} must be a text.")
        return str(value).strip()[:limit]

    def needed(self, name: str, limit: int = 300) -> str:
        found = self.text(name, limit)
        if not found:
            raise BadCallError(f"{name} is missing.")
        return found

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.given.get(name, default)
        try:
            return min(max(int(float(value)), least), most)
        except (TypeError, ValueError, OverflowError):
            raise BadCallError(f"{name} must be a number from {least} to {most}.") from None

    def incident(self, name: str = "id") -> int:
        """`42`, `#42`, `INC-42`."""
        digits = self.needed(name, 30).upper().removeprefix("INC-").removeprefix("INC").lstrip("#")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise BadCallError(f"{name} is no incident: write its number, as in 42.")
        return int(digits)
