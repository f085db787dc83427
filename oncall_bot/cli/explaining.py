"""explain: why would this alert page Ana, and what would a whole delivery do?

Knows how the chain is told. Refuses to decide: the real flow runs and is undone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.databases import rules_of
from oncall_bot.cli.terminal import (
    ConfigFile,
    JsonFlag,
    as_json,
    read_text,
    say,
    unknown,
)

if TYPE_CHECKING:
    from datetime import datetime

    from oncall_bot.core.alerts import Delivery
    from oncall_bot.core.situation import Situation
    from oncall_bot.flows.explain import Explained, Touched

_LABEL = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^,]*?)\s*(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")
SENDER = "oncall-bot explain"


def add_to(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels", metavar="k=v,...", help='Labels; quote a value with commas: k="a,b".'
        ),
    ] = None,
    payload: Annotated[
        Path | None,
        typer.Option(
            "--payload", metavar="FILE", help="A webhook body of Alertmanager; - is stdin."
        ),
    ] = None,
    source: Annotated[
        str, typer.Option("--source", help="The source that would post it.")
    ] = "default",
    config: ConfigFile = None,
    json: JsonFlag = False,
) -> None:
    """Say what an alert would do, whom it would page, and why.

    Route, group, hold, severity, runbook, policy, people and their roads, each with its reason. The real intake
    runs on the real state in a transaction that is rolled back: nothing is stored and nobody is paged. With --config
    a file is tried before it is applied; no database is needed then.

    Example: oncall-bot explain --labels alertname=CheckoutErrors,service=checkout,severity=critical
    """
    if (labels is None) == (payload is None):
        raise typer.BadParameter("give either --labels or --payload", param_hint="--labels")
    given = labels_of(labels) if labels is not None else None
    body = read_text(payload) if payload is not None else b""
    from oncall_bot.flows.explain import explain as would_do

    with rules_of(config) as store:
        sources = store.look(lambda reader: reader.snapshot.sources)
        if source not in sources:
            raise unknown("source", source, sources)
        deliveries = _one(given, source) if given is not None else _all(body, source)
        found = store.write(would_do, deliveries).result()
    if json:
        as_json(found)
        return
    _tell(found)


def labels_of(text: str) -> dict[str, str]:
    """The labels written as `a=b,c="d,e"`. Exit 2 for anything else."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            raise typer.BadParameter(
                f"cannot read {text[at : at + 60]!r}; write alertname=HighLatency,service=checkout",
                param_hint="--labels",
            )
        value = match[2]
        found[match[1]] = _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
        at = match.end()
    if not found:
        raise typer.BadParameter("is empty; write alertname=HighLatency", param_hint="--labels")
    return found


def _one(labels: Mapping[str, str], source: str) -> list[Delivery]:
    """A delivery of one alert that begins now, from a sender and with a body never seen."""
    from datetime import UTC, datetime

    from oncall_bot.core.alerts import Delivery, Notice, fingerprint

    notice = Notice(fingerprint(labels), labels, {}, datetime.now(UTC))
    return [Delivery(source, SENDER, f"{SENDER} {notice.starts_at}", (notice,))]


def _all(body: bytes, source: str) -> list[Delivery]:
    from datetime import UTC, datetime

    from oncall_bot.prometheus.decode import decode

    return decode(body, source, datetime.now(UTC))


# What is said.

_VERDICTS = {
    "new": "new",
    "new_ended": "already over",
    "repeat": "known to fire",
    "resolved": "resolved",
    "reopened": "fires again",
    "doubted": "doubted: its source is asked first",
    "superseded": "begins anew",
    "doubt_ended": "over after all",
    "nothing": "no news",
}


def _tell(found: Explained) -> None:
    counts = [f"{count} {_VERDICTS.get(name, name)}" for name, count in found.verdicts.items()]
    say(f"Alerts: {', '.join(counts) or 'none that can be read'}.")
    for reason in found.unreadable:
        say(f"Unreadable, kept as it came: {reason}.")
    for name, sentences in found.why:
        say()
        say(name)
        for sentence in sentences:
            say(f"  {sentence}")
    say()
    if not found.incidents and not found.waiting:
        say("No incident would be touched, and nobody paged.")
    for touched in found.incidents:
        _tell_incident(touched)
    if found.waiting:
        say(f"{_groups(found.waiting)} would wait 2 s for its incident, in case a storm is coming.")
    say("Nothing of this was kept.")


def _groups(count: int) -> str:
    return "One more group" if count == 1 else f"Each of {count} more groups"


def _tell_incident(touched: Touched) -> None:
    shown = touched.situation
    head = (
        "It would open an incident"
        if touched.is_new
        else f"It would touch incident {shown.incident_id}"
    )
    say(f"{head}: {shown.title} ({shown.severity}, urgency {shown.urgency})")
    where = [
        f"team {shown.team}" if shown.team else "",
        f"channel {shown.channel}" if shown.channel else "",
    ]
    if any(where):
        say(f"  {', '.join(part for part in where if part)}")
    if shown.runbook is not None:
        say(f"  Runbook: {shown.runbook.title}, because {shown.runbook.why}.")
    for sentence in touched.pages:
        say(f"  Paged at once: {sentence}.")
    _tell_roads(shown, {one.partition(":")[0] for one in touched.pages})
    if shown.next is not None:
        say(
            f"  Then, at {_clock(shown.next.at)}: {', '.join(shown.next.names) or 'nobody'} ({shown.next.what})."
        )
    if shown.nobody:
        say(f"  Nobody could be paged: {shown.nobody}.")
    if not touched.pages and shown.next is None and not shown.nobody:
        say("  Nobody would be paged by this.")


def _tell_roads(shown: Situation, now: set[str]) -> None:
    for paged in shown.paged:
        if paged.name in now and paged.roads:
            roads: Sequence[str] = [
                f"{r.road} at {_clock(r.at)}" if r.at else r.road for r in paged.roads
            ]
            loud = f" ({paged.note})" if paged.note else ""
            say(f"    {paged.name} by {', '.join(roads)}{loud}")


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"
