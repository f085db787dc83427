"""The document in force while there is no file: everything pages ADMINS and shows in CHANNEL, never silence.

Knows that shape alone. Serves `serve`, `explain` and doctor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def built_in_document(channel: str | None, admins: Sequence[str]) -> dict[str, Any]:
    """The last route that works without a file: everything pages ADMINS and shows in CHANNEL, never silence."""
    people = {
        f"admin-{n}": {
            "name": who.partition("@")[0],
            "role": "admin",
            **({"email": who} if "@" in who else {"slack": who}),
        }
        for n, who in enumerate(admins, start=1)
    }
    page = [f"person:{key}" for key in people] or ([f"channel:{channel}"] if channel else [])
    defaults: dict[str, Any] = {"fallback": page, "last_resort": list(people)}
    if channel:
        defaults["channel"] = channel
    document: dict[str, Any] = {
        "version": 1,
        "defaults": defaults,
        "people": people,
        "routes": [{"name": "last", "group_by": ["alertname", "service"], "wait": "0s"}],
    }
    if page:
        document["policies"] = {
            "everybody": {
                "steps": [{"after": "0m", "page": page}],
                "repeat": {"times": 3, "every": "5m"},
            }
        }
        document["routes"][0]["policy"] = "everybody"
    return document
