"""Ask every address of a source at once, and say what their lists come to together.

Knows time limits and when a list may be believed. Refuses to compare it with anything. Serves the reconciler and the
look before late pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

import structlog

from oncall_bot.flows.reconcile import UP_FOR, Listed, Lists
from oncall_bot.ports import AlertSource, DeliveryError, SourceAlert, SourceList

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the question: the lists, if any address answered, and which did not."""

    lists: Lists | None
    silent: tuple[str, ...]


async def ask(
    port: AlertSource,
    source: str,
    addresses: Sequence[str],
    receivers: Sequence[str],
    now: datetime,
    *,
    within: float,
) -> Asked:
    """Every address, side by side, none longer than `within` seconds."""
    answers = await asyncio.gather(*(_one(port, address, within) for address in addresses))
    found = [one for one in answers if one is not None]
    pairs = zip(addresses, answers, strict=True)
    silent = tuple(_host(address) for address, answer in pairs if answer is None)
    if not found:
        return Asked(None, silent)
    whole = not silent and all(one.up_since <= now - UP_FOR for one in found)
    listed = await asyncio.to_thread(together, found, receivers)
    return Asked(Lists(source, whole, listed), silent)


async def _one(port: AlertSource, address: str, within: float) -> SourceList | None:
    asking = asyncio.to_thread(port.list_alerts, address, timeout=within)
    try:
        return await asyncio.wait_for(asking, within)
    except (DeliveryError, TimeoutError) as error:
        log.warning("source_silent", address=_host(address), error=str(error)[:200])
        return None


def together(lists: Sequence[SourceList], receivers: Sequence[str]) -> dict[str, Listed]:
    """By fingerprint. Active anywhere is active, since the earliest start; what goes to others is not there."""
    found: dict[str, Listed] = {}
    for alert in (alert for one in lists for alert in one.alerts):
        if receivers and not set(alert.receivers) & set(receivers):
            continue
        known = found.get(alert.fingerprint)
        found[alert.fingerprint] = _listed(alert) if known is None else _joined(known, alert)
    return found


def _listed(alert: SourceAlert) -> Listed:
    return Listed(alert.fingerprint, alert.starts_at, alert.held_by, alert.receivers)


def _joined(known: Listed, alert: SourceAlert) -> Listed:
    receivers = tuple(dict.fromkeys((*known.receivers, *alert.receivers)))
    if (known.held_by is None) != (alert.held_by is None):
        active = known if known.held_by is None else _listed(alert)
        return replace(active, receivers=receivers)
    return replace(known, starts_at=min(known.starts_at, alert.starts_at), receivers=receivers)


def _host(address: str) -> str:
    """The address without whatever secret stands in it."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or 'an address'}{port}"
