"""A page as the paged person sees it: alone, or several incidents in one message, worst first.

Knows which pages of a message still ask somebody. Writes nothing and decides nothing. Serves the engine's delivery, the
links on phones and Slack's direct messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from oncall_bot.core import throttle
from oncall_bot.core.config import Urgency
from oncall_bot.core.incidents import SEVERITIES
from oncall_bot.core.situation import BundleNotice, PageNotice
from oncall_bot.store import bundling, inbound, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.incident import situation, spoken

BUNDLE_SHOWN = 10
LINK_USED = "ack_link"


def page_notice(reader: Reader, page_id: int, *, to_speak: bool = False) -> PageNotice | None:
    """One page as its receiver sees it; `to_speak`: with no more of its incident than a phone says."""
    page = runs.page(reader, page_id)
    if page is None:
        return None
    shown = (spoken if to_speak else situation)(reader, page.incident_id)
    row = next((r for r in runs.all_of(reader, page.incident_id) if r.id == page.run_id), None)
    if shown is None or row is None:
        return None
    target = str(page.reason.get("target", ""))
    kind, _, key = target.partition(":")
    return PageNotice(
        situation=shown,
        page_id=page_id,
        person_key=page.person or page.target,
        person_name=reader.snapshot.name(page.person) if page.person else page.target,
        slack_id=reader.snapshot.slack_id(page.person) if page.person else None,
        policy=row.policy_key,
        schedule=key if kind == "schedule" else None,
        step=page.step % 1000 + 1,
        epoch_over=row.epoch > page.epoch or row.state == "done",
    )


def link_used(reader: Reader, digest: str) -> bool:
    """Whether the link with this digest has acknowledged already."""
    return inbound.was_seen(reader, LINK_USED, digest)


def bundle_of_message(reader: Reader, message_id: int) -> BundleNotice | None:
    """The pages that one Slack message shows, as they stand now."""
    return _bundle(reader, message_id, runs.standing_in(reader, message_id))


def bundle_of_row(reader: Reader, bundle_id: int) -> BundleNotice | None:
    """The pages of one message outside Slack, by the number its link carries."""
    pages = [row.page_id for row in bundling.members(reader, bundle_id)]
    return _bundle(reader, bundle_id, runs.standing(reader, pages))


def asked_in_bundle(reader: Reader, bundle_id: int) -> tuple[list[int], list[int]]:
    """The incidents of the message that still ask its reader, and those that fire but whose page was overtaken."""
    pages = [row.page_id for row in bundling.members(reader, bundle_id)]
    standing = runs.standing(reader, pages)
    asked = {row.incident_id for row in standing if runs.is_asked(row)}
    older = {row.incident_id for row in standing if runs.fires(row)} - asked
    return sorted(asked), sorted(older)


def bundle_now(
    reader: Reader, rows: Sequence[Row], *, to_speak: bool = False
) -> BundleNotice | None:
    """The pages in hand that somebody still has to answer, as the one message that goes now; None: there is none."""
    standing = runs.standing(reader, [row.page_id for row in rows])
    asked = [row for row in standing if runs.is_asked(row)]
    notice = _bundle(reader, rows[0].bundle_id, asked, to_speak=to_speak)
    return replace(notice, late=late_by(reader, rows)) if notice is not None else None


def late_by(reader: Reader, rows: Sequence[Row]) -> timedelta | None:
    """How long the oldest of these messages should have gone, when that is long enough to be said."""
    due_at = min(row.due_at or row.created_at for row in rows)
    return reader.now - due_at if throttle.is_late(due_at, reader.now) else None


def _bundle(
    reader: Reader, bundle_id: int, standing: Sequence[Row], *, to_speak: bool = False
) -> BundleNotice | None:
    newest = {row.incident_id: row for row in standing}
    ordered = sorted(newest.values(), key=_worst_first)
    first = ordered[:BUNDLE_SHOWN]
    notices = [page_notice(reader, row.id, to_speak=to_speak) for row in first]
    shown = [notice for notice in notices if notice is not None]
    if not shown:
        return None
    asked = sum(1 for row in ordered if runs.is_asked(row))
    return BundleNotice(shown, bundle_id, max(0, len(ordered) - BUNDLE_SHOWN), asked)


def _worst_first(standing: Row) -> tuple[int, int, datetime, int]:
    known = standing.severity in SEVERITIES
    severity = SEVERITIES.index(standing.severity) if known else len(SEVERITIES)
    return -Urgency(standing.urgency).rank, severity, standing.opened_at, standing.id
