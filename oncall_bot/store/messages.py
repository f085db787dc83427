"""The bot's own Slack messages: where each lies, and which state it shows.

Knows one row for each card, work log, runbook, draft, page DM and bundle of page DMs, its wanted and its rendered
generation.
Refuses to know what is drawn. Serves flows (`touch`) and `engine.delivery` (`rendered`).
Edits are merged: one waiting edit for each message, at most one in 3 s, one in 10 s in a storm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, bindparam, or_, select, update

from oncall_bot.store import outbox
from oncall_bot.store import tables as t
from oncall_bot.store.outbox import Lane
from oncall_bot.store.statements import Row, any_of, insert_of, one_of, statement
from oncall_bot.store.transactions import Reader, Tx

MESSAGE, PAGE = t.SlackMessage.__table__, t.Page.__table__  # type: ignore[attr-defined]

EDIT_EVERY = timedelta(seconds=3)
STORM_EDIT_EVERY = timedelta(seconds=10)
COVER = "cover:"
"""How the roles of direct messages about a cover request begin: `cover:17:bo`."""
LANES = {
    "root": Lane.CARD,
    "work_log": Lane.THREAD,
    "runbook": Lane.THREAD,
    "page": Lane.ANSWER,
    "bundle": Lane.ANSWER,
}

_INSERT = insert_of(
    MESSAGE,
    "id",
    "incident_id",
    "page_id",
    "role",
    "channel",
    "generation",
    rendered_generation=0,
    queued=False,
)
_OF_INCIDENT = statement(
    select(MESSAGE).where(MESSAGE.c.incident_id == bindparam("incident_id")).order_by(MESSAGE.c.id)
)
_ROLE = statement(
    select(MESSAGE).where(
        MESSAGE.c.incident_id == bindparam("incident_id"),
        MESSAGE.c.role == bindparam("in_role"),
        MESSAGE.c.page_id.is_(None),
    )
)
_BUNDLES_OF = statement(
    select(MESSAGE)
    .where(
        MESSAGE.c.id.in_(
            select(PAGE.c.bundle_id).where(
                PAGE.c.incident_id == bindparam("incident_id"), PAGE.c.bundle_id.is_not(None)
            )
        )
    )
    .order_by(MESSAGE.c.id)
)
_UNPOSTED_BUNDLE = statement(
    select(MESSAGE.c.id)
    .join(PAGE, PAGE.c.bundle_id == MESSAGE.c.id)
    .where(any_of(PAGE.c.id, "page_ids"), MESSAGE.c.ts.is_(None))
    .order_by(MESSAGE.c.id)
    .limit(1)
)
_GET = statement(select(MESSAGE).where(MESSAGE.c.id == bindparam("message_id")))
_WANT = statement(
    update(MESSAGE)
    .where(MESSAGE.c.id == bindparam("message_id"))
    .values(generation=MESSAGE.c.generation + 1)
    .returning(MESSAGE.c.generation, MESSAGE.c.rendered_at, MESSAGE.c.queued)
)
_SHOWS_ALERTS = and_(
    MESSAGE.c.page_id.is_(None),
    or_(one_of(MESSAGE.c.role, ["root", "work_log"]), MESSAGE.c.rendered_generation == 0),
)
_TOUCH_ALL = statement(
    update(MESSAGE)
    .where(
        any_of(MESSAGE.c.incident_id, "incident_ids"),
        _SHOWS_ALERTS,
    )
    .values(generation=MESSAGE.c.generation + 1)
)
_UNTOLD = statement(
    select(MESSAGE)
    .where(
        any_of(MESSAGE.c.incident_id, "incident_ids"),
        _SHOWS_ALERTS,
        MESSAGE.c.queued.is_(False),
        MESSAGE.c.generation > MESSAGE.c.rendered_generation,
    )
    .order_by(MESSAGE.c.id)
)
_QUEUED = statement(
    update(MESSAGE).where(MESSAGE.c.id == bindparam("message_id")).values(queued=True)
)
_RENDERED = statement(
    update(MESSAGE)
    .where(MESSAGE.c.id == bindparam("message_id"))
    .values(
        rendered_generation=bindparam("drawn"),
        rendered_at=bindparam("at"),
        rendered_sha256=bindparam("sha"),
        ts=bindparam("new_ts"),
        channel_id=bindparam("new_channel"),
        queued=False,
    )
)
_FORGET_LOOKS = statement(
    update(MESSAGE).where(MESSAGE.c.id == bindparam("message_id")).values(rendered_sha256="")
)
_UNQUEUED = statement(
    update(MESSAGE)
    .where(MESSAGE.c.id == bindparam("message_id"))
    .values(queued=False, rendered_at=bindparam("at"))
)
_MOVE = statement(
    update(MESSAGE)
    .where(MESSAGE.c.incident_id == bindparam("of_incident"), MESSAGE.c.page_id.is_(None))
    .values(
        channel=bindparam("to_channel"),
        channel_id=None,
        ts=None,
        rendered_generation=0,
        rendered_at=None,
        rendered_sha256=None,
        queued=False,
    )
)
_AT = statement(
    select(MESSAGE.c.incident_id, MESSAGE.c.role, MESSAGE.c.page_id).where(
        MESSAGE.c.channel_id == bindparam("in_channel"), MESSAGE.c.ts == bindparam("at_ts")
    )
)


def create(
    tx: Tx, *, incident_id: int | None, role: str, channel: str, page_id: int | None = None
) -> int:
    message_id = int(tx.new_ids("slack_message", 1)[0])
    tx.run(
        _INSERT,
        id=message_id,
        incident_id=incident_id,
        page_id=page_id,
        role=role,
        channel=channel,
        generation=0,
    )
    return message_id


def of_incident(tx: Reader, incident_id: int) -> list[Row]:
    return tx.all(_OF_INCIDENT, incident_id=incident_id)


def role_of(tx: Reader, incident_id: int, role: str) -> Row | None:
    """The incident's message of that role (root, work_log, runbook, draft), or None."""
    return tx.first(_ROLE, incident_id=incident_id, in_role=role)


def bundles_of(tx: Reader, incident_id: int) -> list[Row]:
    """The messages that show a page of the incident among pages of others."""
    return tx.all(_BUNDLES_OF, incident_id=incident_id)


def unposted_bundle(tx: Reader, page_ids: Sequence[int]) -> int | None:
    """A bundle one of these pages was given earlier and that never reached Slack."""
    found = tx.scalar(_UNPOSTED_BUNDLE, page_ids=sorted(page_ids))
    return int(found) if found is not None else None


def get(tx: Reader, message_id: int) -> Row | None:
    return tx.first(_GET, message_id=message_id)


def touch(tx: Tx, message: Row, *, every: timedelta = EDIT_EVERY, at_once: bool = False) -> None:
    """The message shows old news: draw it again, merged with an edit that already waits.

    Whether one waits is read from the row as it is once locked: what the caller read may be a moment old, and an
    edit that another transaction has just finished would be waited for in vain, for ever.
    """
    wanted = tx.one(_WANT, message_id=message.id)
    if wanted.queued:
        return
    tx.run(_QUEUED, message_id=message.id)
    _queue(tx, message, wanted, None if at_once else every)


def draw_again(tx: Tx, message_id: int) -> None:
    """Nobody knows what the message shows: send it once more, even if it should look the same."""
    tx.run(_FORGET_LOOKS, message_id=message_id)
    message = get(tx, message_id)
    if message is not None:
        touch(tx, message)


def outdate(tx: Tx, message: Row) -> None:
    """News for a message that is not posted yet: one in flight is drawn again when it arrives."""
    tx.one(_WANT, message_id=message.id)


def touch_all(tx: Tx, incident_ids: Sequence[int]) -> list[Row]:
    """Every card and work log of these incidents shows old news. Those for which no edit waits: `queue` each."""
    if not incident_ids:
        return []
    tx.run(_TOUCH_ALL, incident_ids=list(incident_ids))
    return tx.all(_UNTOLD, incident_ids=list(incident_ids))


def queue(tx: Tx, message: Row, *, every: timedelta) -> None:
    """Leave an edit of a message that `touch_all` named."""
    tx.run(_QUEUED, message_id=message.id)
    _queue(tx, message, message, every)


def _lane(role: str, *, is_new: bool) -> Lane:
    """An incident's first card stands beside the answers to those who were paged: edits of theirs never starve it."""
    if role.startswith(COVER) or (role == "root" and is_new):
        return Lane.ANSWER
    return LANES.get(role, Lane.THREAD)


def _queue(tx: Tx, message: Row, wanted: Row, every: timedelta | None) -> None:
    generation, not_before = wanted.generation, None
    if wanted.rendered_at is not None and every is not None:
        not_before = max(tx.now, wanted.rendered_at + every)
    outbox.add(
        tx,
        lane=_lane(message.role, is_new=wanted.rendered_at is None),
        kind="message",
        destination=f"slack:{message.channel}",
        dedupe_key=f"card:{message.id}:{generation}",
        payload={"message_id": message.id},
        incident_id=message.incident_id,
        generation=generation,
        not_before=not_before,
    )


def rendered(
    tx: Tx, message_id: int, generation: int, *, sha256: str, ts: str | None, channel_id: str | None
) -> None:
    """The message shows `generation` now; when more happened meanwhile, the next edit is queued."""
    tx.run(
        _RENDERED,
        message_id=message_id,
        drawn=generation,
        at=tx.now,
        sha=sha256,
        new_ts=ts,
        new_channel=channel_id,
    )
    message = get(tx, message_id)
    if message is not None and message.generation > generation:
        touch(tx, message)


def given_up(tx: Tx, *message_ids: int) -> None:
    """No edit waits any more; the next change will queue one again, no sooner than after one that was drawn."""
    tx.many(_UNQUEUED, [{"message_id": one, "at": tx.now} for one in message_ids])


def move(tx: Tx, incident_id: int, channel: str) -> None:
    """Card, work log, runbook and drafts are posted anew in another channel, once they are touched."""
    tx.run(_MOVE, of_incident=incident_id, to_channel=channel)


def at(tx: Reader, channel: str, ts: str) -> Row | None:
    """What the message at this place is about."""
    return tx.first(_AT, in_channel=channel, at_ts=ts)
