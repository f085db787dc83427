"""Ask an Alertmanager what it lists now (API v2), for the reconciler and for doubts.

Knows `GET /api/v2/alerts` and `/api/v2/status`. Refuses to follow redirects or environment proxies. Serves the engine
through `ports.AlertSource`. Blocking: call it from a thread. Read with Alertmanager 0.25 (docs/decisions/0006).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from oncall_bot.core.alerts import fingerprint
from oncall_bot.ports import DeliveryError, SourceAlert, SourceList

BODY_MAX = 64 * 1024 * 1024


class AlertmanagerApi:
    """One object for every address; a session a call, so that threads share nothing."""

    def list_alerts(self, address: str, *, timeout: float) -> SourceList:
        with requests.Session() as session:
            session.trust_env = False
            status = _get(session, f"{address.rstrip('/')}/api/v2/status", timeout)
            alerts = _get(session, f"{address.rstrip('/')}/api/v2/alerts", timeout)
        if not isinstance(status, dict) or not isinstance(alerts, list):
            raise DeliveryError(f"{_host(address)} did not answer as an Alertmanager does.")
        return SourceList(
            address=address,
            up_since=_instant(status.get("uptime")) or datetime.now(UTC),
            alerts=[alert for one in alerts if (alert := _alert(one)) is not None],
        )


def _get(session: requests.Session, url: str, timeout: float) -> Any:
    try:
        answer = session.get(url, timeout=timeout, allow_redirects=False)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content[:BODY_MAX])
    except (requests.RequestException, msgspec.MsgspecError) as error:
        raise DeliveryError(f"{_host(url)} did not answer: {type(error).__name__}.") from error


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the source"


def _alert(data: Any) -> SourceAlert | None:
    if not isinstance(data, dict) or not isinstance(data.get("labels"), dict):
        return None
    status = data.get("status") or {}
    held = [*(status.get("silencedBy") or []), *(status.get("inhibitedBy") or [])]
    labels = {str(k): str(v) for k, v in data["labels"].items()}
    starts_at = _instant(data.get("startsAt"))
    if starts_at is None:
        return None
    state = str(status.get("state", "active"))
    return SourceAlert(
        fingerprint=fingerprint(labels),
        starts_at=starts_at,
        state=state,
        receivers=tuple(
            str(r.get("name", "")) for r in data.get("receivers") or [] if isinstance(r, dict)
        ),
        held_by=str(held[0]) if held else (state if state == "suppressed" else None),
    )


def _instant(value: object) -> datetime | None:
    try:
        at = msgspec.convert(value, datetime)
    except msgspec.MsgspecError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
