"""An Alertmanager webhook body (version 4) becomes deliveries of core alerts, whatever state it is in.

Knows the wire format and how to keep what parses: a body that is not wholly well formed is decoded alert by alert, so
that a bad one hurts no other.
Refuses nothing for size, depth or shape; only what is not JSON at all raises `NotJson`. Serves `prometheus.webhook`.
Source of the format: Alertmanager 0.25 and newer, notify/webhook; the recorded traps stand beside the code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from oncall_bot.core.alerts import (
    LABELS_MAX,
    NAME_MAX_CHARACTERS,
    VALUE_MAX_CHARACTERS,
    Delivery,
    Notice,
    Texts,
    Unreadable,
    body_key,
    cut,
    fingerprint,
)
from oncall_bot.core.errors import BadInput

SLICE = 300
SENDER_MAX = 1000
UNREADABLE_A_BODY = 20


class NotJson(BadInput):
    """The body is not JSON."""


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    startsAt: datetime  # noqa: N815
    status: str = "firing"
    annotations: dict[str, str] = {}
    endsAt: datetime | None = None  # noqa: N815
    generatorURL: str | None = None  # noqa: N815


class _Sender(msgspec.Struct, kw_only=True):
    receiver: str = ""
    groupKey: str = ""  # noqa: N815 - the wire's own names
    externalURL: str = ""  # noqa: N815
    truncatedAlerts: int = 0  # noqa: N815


class _Whole(_Sender, kw_only=True):
    alerts: list[_Alert]


class _Envelope(_Sender, kw_only=True):
    alerts: list[msgspec.Raw]


_WHOLE = msgspec.json.Decoder(_Whole)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ALERT = msgspec.json.Decoder(_Alert)
_ENCODE = msgspec.json.Encoder().encode
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode(body: bytes, source: str, now: datetime) -> list[Delivery]:
    """The body's deliveries: slices of at most SLICE alerts, the last one marked. Raises NotJson."""
    sha256 = hashlib.sha256(body).hexdigest()
    unreadable: list[Unreadable] = []
    try:
        whole = _WHOLE.decode(body)
        look = _look_closer(body)
        envelope: _Envelope | _Whole = whole
        notices = [_notice(alert, look, now) for alert in whole.alerts]
    except _BAD:
        found = _envelope(body)
        if found is None:
            raw = Unreadable(body, sha256, "it is no Alertmanager webhook")
            return [Delivery(source, "", body_key(sha256, None), (), (raw,))]
        envelope = found
        notices, unreadable = _alerts(found.alerts, now)
    named = f"{envelope.externalURL}|{envelope.receiver}|{envelope.groupKey}"
    sender = _whole(named)[:SENDER_MAX]  # the group key repeats what labels hold
    key = body_key(sha256, max((n.ended_at or n.starts_at for n in notices), default=None))
    slices = [notices[n : n + SLICE] for n in range(0, len(notices), SLICE)] or [[]]
    return [
        Delivery(
            source=source,
            sender=sender,
            body_key=key,
            notices=tuple(part),
            unreadable=tuple(unreadable[:UNREADABLE_A_BODY]) if n == len(slices) - 1 else (),
            truncated=envelope.truncatedAlerts,
            last=n == len(slices) - 1,
        )
        for n, part in enumerate(slices)
    ]


def _envelope(body: bytes) -> _Envelope | None:
    try:
        return _ENVELOPE.decode(body)
    except _BAD:
        return _tolerant(body)


def _tolerant(body: bytes) -> _Envelope | None:
    """The slow way: bad UTF-8 and lone surrogates become U+FFFD, wrong types are left out. None: another shape."""
    try:
        data = json.loads(_cleaned(body.decode("utf-8", "replace")))
    except RecursionError:
        return None  # nested deeper than anybody reads; kept raw
    except ValueError as error:
        raise NotJson(f"The body is not JSON: {str(error)[:100]}.") from None
    if not isinstance(data, dict) or not isinstance(data.get("alerts"), list):
        return None
    truncated = data.get("truncatedAlerts")
    return _Envelope(
        alerts=[msgspec.Raw(json.dumps(_plain(alert)).encode()) for alert in data["alerts"]],
        receiver=_text(data.get("receiver")),
        groupKey=_text(data.get("groupKey")),
        externalURL=_text(data.get("externalURL")),
        truncatedAlerts=truncated if isinstance(truncated, int) else 0,
    )


def _alerts(raws: Sequence[msgspec.Raw], now: datetime) -> tuple[list[Notice], list[Unreadable]]:
    notices: list[Notice] = []
    unreadable: list[Unreadable] = []
    for raw in raws:
        try:
            notices.append(_notice(_ALERT.decode(raw), _look_closer(bytes(raw)), now))
        except _BAD:
            found = _slow(bytes(raw), now)
            if isinstance(found, Notice):
                notices.append(found)
            else:
                unreadable.append(found)
    return notices, unreadable


class _Look(msgspec.Struct):
    """What a text may hold that its alerts must be searched for."""

    dirty: bool
    long: bool


def _look_closer(text: bytes) -> _Look:
    return _Look(dirty=b"\\u0000" in text, long=len(text) > VALUE_MAX_CHARACTERS)


def _notice(alert: _Alert, look: _Look, now: datetime) -> Notice:
    """The alert as core knows it. Raises ValidationError when it has no labels."""
    labels, annotations = alert.labels, alert.annotations
    if look.dirty:
        labels, annotations = _clean_map(labels), _clean_map(annotations)
    if not labels:
        raise msgspec.ValidationError("no labels")
    print_ = fingerprint(labels)
    if look.long or len(labels) > LABELS_MAX:
        labels, annotations = _bounded(labels), _bounded(annotations)
    ended_at = None
    if alert.status == "resolved":
        ended_at = _aware(alert.endsAt) if alert.endsAt and alert.endsAt.year > 1 else now
    return Notice(
        print_,
        _texts(labels),
        _texts(annotations),
        _aware(alert.startsAt),
        ended_at,
        _whole(alert.generatorURL or "") if look.dirty else alert.generatorURL or "",
    )


def _texts(pairs: dict[str, str]) -> Texts:
    return Texts(pairs, _ENCODE(pairs).decode())


def _slow(raw: bytes, now: datetime) -> Notice | Unreadable:
    """An alert with wrong types or missing fields: numbers become text, a missing start is now."""
    sha256 = hashlib.sha256(raw).hexdigest()
    try:
        data = json.loads(_cleaned(raw.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return Unreadable(raw, sha256, "it cannot be parsed")
    if not isinstance(data, dict) or not isinstance(data.get("labels"), dict):
        return Unreadable(raw, sha256, "it has no labels")
    labels = _clean_map({str(k): _text(v) for k, v in data["labels"].items()})
    labels = {name: value for name, value in labels.items() if value}
    if not labels:
        return Unreadable(raw, sha256, "it has no labels")
    annotations = data.get("annotations")
    texts = annotations if isinstance(annotations, dict) else {}
    ended_at = None
    if data.get("status") == "resolved":
        ended_at = _instant(data.get("endsAt")) or now
    return Notice(
        fingerprint(labels),
        _texts(_bounded(labels)),
        _texts(_bounded(_clean_map({str(k): _text(v) for k, v in texts.items()}))),
        _instant(data.get("startsAt")) or now,
        ended_at,
        _whole(_text(data.get("generatorURL"))),
    )


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = msgspec.convert(value, datetime)
    except msgspec.MsgspecError:
        return None
    return _aware(at) if at.year > 1 else None


def _aware(at: datetime) -> datetime:
    """In UTC; a time without a zone is read as UTC, as Go writes it."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return ""


def _plain(value: Any) -> Any:
    """A decoded value that can be written as JSON again: no NaN, no lone surrogates."""
    if isinstance(value, dict):
        return {_whole(str(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, str):
        return _whole(value)
    return None if isinstance(value, float) and value != value else value


def _cleaned(text: str) -> str:
    return text.removeprefix("\ufeff")


def _whole(text: str) -> str:
    """U+0000 and lone surrogates become U+FFFD."""
    return (
        text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def _clean_map(pairs: Mapping[str, str]) -> dict[str, str]:
    return {_whole(name): _whole(value) for name, value in pairs.items()}


def _bounded(pairs: Mapping[str, str]) -> dict[str, str]:
    """At most LABELS_MAX pairs, the alert's name and severity first; long values are cut with a mark."""
    if len(pairs) <= LABELS_MAX and not any(
        len(value) > VALUE_MAX_CHARACTERS or len(name) > NAME_MAX_CHARACTERS
        for name, value in pairs.items()
    ):
        return dict(pairs)
    if len(pairs) > LABELS_MAX:
        first = [name for name in ("alertname", "severity", "service") if name in pairs]
        names = [*first, *(name for name in sorted(pairs) if name not in first)][:LABELS_MAX]
        pairs = {name: pairs[name] for name in names}
    return {cut(name, NAME_MAX_CHARACTERS): cut(value) for name, value in pairs.items()}
