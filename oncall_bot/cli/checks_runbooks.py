"""What `runbooks check` finds: the folder by itself, against oncall.yaml, and against a Prometheus.

Knows whom to ask for what. Refuses to judge (files.runbook_check does). Serves the command.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oncall_bot.core.errors import BadInput

if TYPE_CHECKING:
    from oncall_bot.core.live_checks import LiveCheck
    from oncall_bot.core.runbooks import Runbook
    from oncall_bot.files.runbook_check import Finding, Known
    from oncall_bot.files.runbooks import Problem
    from oncall_bot.prometheus.queries import PrometheusMetrics


def findings_of(
    folder: Path, books: Sequence[Runbook], problems: Sequence[Problem], prometheus: str | None
) -> list[Finding]:
    """Everything to tell, by file and line; faults and notes."""
    from oncall_bot.files.runbook_check import Finding, look_over

    today = datetime.now(UTC).date()
    found = [Finding(one.file, one.line, one.message) for one in problems]
    found += look_over(folder, books, _known(), today)
    if prometheus is not None:
        found += asyncio.run(_asked(prometheus, books))
    return sorted(found, key=lambda one: (one.file, one.line))


def _known() -> Known:
    """Teams and services of oncall.yaml, where there is one that can be read."""
    from oncall_bot.files.runbook_check import Known

    path = Path(os.environ.get("ONCALL_CONFIG", "oncall.yaml"))
    if not path.is_file():
        return Known()
    from oncall_bot.files.oncall_yaml import read_config

    found = read_config(path)
    if not found.ok:
        return Known()
    services = found.document.get("services") or {}
    names = set(services)
    for one in services.values():
        names |= set(one.get("label_values") or ())
    return Known(frozenset(found.document.get("teams") or {}), frozenset(names))


async def _asked(address: str, books: Sequence[Runbook]) -> list[Finding]:
    """What a Prometheus says of the live checks. One that does not answer is a fault of its own."""
    from oncall_bot.files.runbook_check import Finding, dead_metrics
    from oncall_bot.ports import DeliveryError
    from oncall_bot.prometheus.queries import PrometheusMetrics

    metrics = PrometheusMetrics()
    try:
        there = await metrics.names(address)
        refused = [one async for one in _refused(metrics, address, books)]
    except DeliveryError as error:
        return [
            Finding(
                urlsplit(address).netloc.rpartition("@")[2],
                0,
                f"{str(error).rstrip('.')}; nothing could be asked",
            )
        ]
    finally:
        metrics.close()
    lines = {(one.file, one.line) for one in refused}
    dead = [one for one in dead_metrics(books, there) if (one.file, one.line) not in lines]
    return [*refused, *dead]


async def _refused(
    metrics: PrometheusMetrics, address: str, books: Sequence[Runbook]
) -> AsyncIterator[Finding]:
    """Queries that Prometheus does not run, in its own words."""
    from oncall_bot.files.runbook_check import Finding, check_line
    from oncall_bot.ports import DeliveryError

    at = datetime.now(UTC).timestamp()
    for book, check, query in _queries(books):
        try:
            await metrics.instant(address, query, at=at)
        except DeliveryError as error:
            if not error.permanent:
                raise
            yield Finding(book.path, check_line(book, check), f'"{check.name}": {error}')


def _queries(books: Sequence[Runbook]) -> Iterator[tuple[Runbook, LiveCheck, str]]:
    from oncall_bot.files.runbook_check import sample_of

    for book in books:
        for check in book.checks:
            try:
                yield book, check, sample_of(check)
            except BadInput:
                continue  # told already
