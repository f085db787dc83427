"""The webhooks in an Alertmanager's configuration, as it writes it out again: where they post, how, and whether at all.

Knows receivers, routes and the ways to show who one is; newer versions (0.26) write `<secret>` for an address.
Refuses to ask for the text. Serves doctor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

HIDDEN = "<secret>"
ROUTES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of a receiver. `credential`: bearer, basic_auth, oauth2, or empty; `routed`: some route leads there."""

    receiver: str
    url: str
    credential: str = ""
    sends_resolved: bool = True
    max_alerts: int = 0
    routed: bool = True


def read_hooks(config: str) -> tuple[Hook, ...]:
    """Every webhook there is, in order; a text that cannot be read has none."""
    try:
        read = yaml.safe_load(config)
    except (yaml.YAMLError, RecursionError):
        return ()
    return tuple(_hooks(read)) if isinstance(read, Mapping) else ()


def _hooks(config: Mapping[str, Any]) -> Iterator[Hook]:
    leads_to = _receivers_routed(config.get("route"))
    for receiver in _maps(config.get("receivers")):
        name = str(receiver.get("name", ""))
        for hook in _maps(receiver.get("webhook_configs")):
            cut = hook.get("max_alerts", 0)
            yield Hook(
                receiver=name,
                url=str(hook.get("url", "")),
                credential=_credential(hook.get("http_config")),
                sends_resolved=hook.get("send_resolved", True) is not False,
                max_alerts=cut if isinstance(cut, int) else 0,
                routed=name in leads_to,
            )


def _receivers_routed(route: Any) -> set[str]:
    """Every receiver that a route names; a child without one takes its parent's."""
    found: set[str] = set()
    waiting = [route]
    for _ in range(ROUTES_MAX):
        if not waiting:
            break
        one = waiting.pop()
        if isinstance(one, Mapping):
            found.add(str(one.get("receiver", "")))
            waiting += _maps(one.get("routes"))
    return found


def _credential(http: Any) -> str:
    if not isinstance(http, Mapping):
        return ""
    if isinstance(http.get("authorization"), Mapping):
        return str(http["authorization"].get("type") or "bearer").casefold()
    if http.get("bearer_token") or http.get("bearer_token_file"):
        return "bearer"
    return next((kind for kind in ("basic_auth", "oauth2") if http.get(kind)), "")


def _maps(value: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
