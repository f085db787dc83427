"""What a conversation is about just now: ids and the last question, never its words.

Knows what `it`, `them` and `and tonight?` may refer to. Refuses to know where it is kept. Serves `understanding`;
kept for half an hour by store.talks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

FORGOTTEN_AFTER = timedelta(minutes=30)
PEOPLE_MOST = 5


@dataclass(frozen=True, slots=True)
class About:
    """`in_thread`: the incident is that of the thread, so that it is meant even where nobody says `it`."""

    incident: int | None = None
    in_thread: bool = False
    people: tuple[str, ...] = ()
    rota: str | None = None
    alert: str | None = None
    intent: str | None = None

    def then(self, **now: Any) -> About:
        """As it stands after another answer; what that did not speak of stays."""
        spoken = {name: value for name, value in now.items() if value}
        if self.in_thread:
            spoken.pop("incident", None)
        return replace(self, **spoken)

    def kept(self) -> dict[str, Any]:
        """The plain form that `about_of` reads back."""
        plain = asdict(self)
        plain.pop("in_thread")
        plain["people"] = list(self.people[:PEOPLE_MOST])
        return plain


def about_of(plain: Mapping[str, Any]) -> About:
    """What was kept; a field of another version is left out."""
    incident = plain.get("incident")
    return About(
        incident=incident if isinstance(incident, int) else None,
        people=tuple(str(key) for key in plain.get("people") or ())[:PEOPLE_MOST],
        rota=_text(plain.get("rota")),
        alert=_text(plain.get("alert")),
        intent=_text(plain.get("intent")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
