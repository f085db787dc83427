"""Ask an Alertmanager what it lists now (API v2), for the reconciler and for doubts.

Knows `GET /api/v2/alerts` and `/api/v2/status`, and that an answer may be hostile: it is read up to a size and for a
time, whatever it says. Refuses to follow redirects or environment proxies. Serves the engine through
`ports.AlertSource`. Blocking: call it from a thread. Read with Alertmanager 0.25 (docs/decisions/0006).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3

from oncall_bot.core.alerts import fingerprint
from oncall_bot.ports import DeliveryError, SourceAlert, SourceList

BODY_MAX = 64 * 1024 * 1024
PIECE = 256 * 1024
HOLD_MAX = 80
RECEIVERS_MAX = 50


class AlertmanagerApi:
    """One object for every address; a session a call, so that threads share nothing."""

    def list_alerts(self, address: str, *, timeout: float) -> SourceList:
        until = time.monotonic() + timeout
        with requests.Session() as session:
            session.trust_env = False
            status = _get(session, f"{address.rstrip('/')}/api/v2/status", until)
            alerts = _get(session, f"{address.rstrip('/')}/api/v2/alerts", until)
        if not isinstance(status, dict) or not isinstance(alerts, list):
            raise DeliveryError(f"{_host(address)} did not answer as an Alertmanager does.")
        return SourceList(
            address=address,
            up_since=_instant(status.get("uptime")) or datetime.now(UTC),
            alerts=[alert for one in alerts if (alert := _alert(one)) is not None],
        )


def _get(session: requests.Session, url: str, until: float) -> Any:
    """The decoded answer, if it is whole by `until` on the monotonic clock and no larger than BODY_MAX."""
    try:
        left = max(0.01, until - time.monotonic())
        with session.get(url, timeout=left, allow_redirects=False, stream=True) as answer:
            if answer.status_code != requests.codes.ok:
                raise DeliveryError(f"{_host(url)} answered {answer.status_code}.")
            return msgspec.json.decode(_read(answer, url, until))
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        msgspec.MsgspecError,
        RecursionError,
    ) as error:
        raise DeliveryError(f"{_host(url)} did not answer: {type(error).__name__}.") from error


def _read(answer: requests.Response, url: str, until: float) -> bytes:
    body = bytearray()
    while piece := answer.raw.read1(
        PIECE, decode_content=True
    ):  # whatever is there: no byte a second for ever
        body += piece
        if len(body) > BODY_MAX:
            raise DeliveryError(f"{_host(url)} lists more than {BODY_MAX >> 20} MiB.")
        if time.monotonic() > until:
            raise DeliveryError(f"{_host(url)} answers too slowly.")
    return bytes(body)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the source"


def _alert(data: Any) -> SourceAlert | None:
    if not isinstance(data, dict) or not isinstance(data.get("labels"), dict):
        return None
    starts_at = _instant(data.get("startsAt"))
    if starts_at is None:
        return None
    status = data.get("status")
    status = status if isinstance(status, dict) else {}
    labels = {_clean(str(k)): _clean(str(v)) for k, v in data["labels"].items()}
    return SourceAlert(
        fingerprint=fingerprint(labels),
        starts_at=starts_at,
        state=str(status.get("state", "active"))[:HOLD_MAX],
        receivers=_receivers(data.get("receivers")),
        held_by=_held_by(status),
    )


def _held_by(status: dict[str, Any]) -> str | None:
    """What holds it back there, in words; None while it is active."""
    for key, word in (("silencedBy", "silence {}"), ("inhibitedBy", "inhibited by another alert")):
        found = status.get(key)
        if isinstance(found, list) and found:
            return word.format(_shown(found[0]))
    if isinstance(status.get("mutedBy"), list) and status["mutedBy"]:
        return "muted at this time"
    return "suppressed" if status.get("state") == "suppressed" else None


def _receivers(value: Any) -> tuple[str, ...]:
    listed = value[:RECEIVERS_MAX] if isinstance(value, list) else []
    return tuple(str(one.get("name", ""))[:200] for one in listed if isinstance(one, dict))


def _shown(value: Any) -> str:
    return "".join(c for c in str(value)[:HOLD_MAX] if c.isalnum() or c in "-_") or "without a name"


def _clean(text: str) -> str:
    """As intake does before it computes the fingerprint."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def _instant(value: object) -> datetime | None:
    try:
        at = msgspec.convert(value, datetime)
    except msgspec.MsgspecError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
