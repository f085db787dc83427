"""Messages that are no page: to the admins when the bot itself is in trouble, to people at a hand-off.

Knows whom they go to and by which roads. Refuses to draw them. Serves the engine's guards, the jobs and delivery.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from oncall_bot.core.config import Urgency
from oncall_bot.core.paging import Reach, Road, has_loud_road, roads
from oncall_bot.core.rota_words import wall
from oncall_bot.store import incidents, outbox, people
from oncall_bot.store.outbox import Lane
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.transactions import Tx

HANDOFF_STALE_S = 7200
HELP_TITLE = "oncall-bot needs help"


def tell_admins(tx: Tx, key: str, text: str, *, not_by: str | None = None) -> None:
    """Tell them on every road a page of high urgency takes at once, the loud one among them.

    Not by the road that just failed (`not_by`). Nothing is told twice under one key.
    """
    snapshot = tx.snapshot
    people_told = whom_to_tell(snapshot)
    for person in people_told:
        reach = snapshot.reach.get(person, Reach(None))
        for road in roads(snapshot.config, reach, Urgency.HIGH):
            if road.by == not_by or road.after:
                continue
            if road.by == "slack":
                _slack(tx, reach.slack_id or "", text, f"admin:{key}:{person}:slack")
            elif road.contact is not None:
                outbox.add(
                    tx,
                    lane=Lane.PAGE,
                    kind="loud",
                    destination=f"{road.by}:{person}",
                    dedupe_key=f"admin:{key}:{person}:{road.ref}",
                    payload={
                        "road": road.by,
                        "address": road.contact.address,
                        "title": HELP_TITLE,
                        "text": text,
                        "urgent": True,
                    },
                )
    if snapshot.config.defaults.channel and not_by != "slack" and not _wakes(snapshot, people_told):
        _slack(tx, snapshot.config.defaults.channel, text, f"admin:{key}:channel")


def tell_of_death(tx: Tx, instance: str, part: str) -> None:
    """A process ends itself because a part of it is dead; whoever is alive next sends this."""
    text = f"The {part} of oncall-bot was dead, so the process ended itself to be started again."
    tell_admins(tx, f"dead:{instance}:{part}", text)


def whom_to_tell(snapshot: Snapshot) -> list[str]:
    """The admins; when none of them can be woken, the last resort and the fallback as well, who may be."""
    config = snapshot.config
    admins = config.admins
    if admins and _wakes(snapshot, admins):
        return admins
    others = [target.key for target in config.defaults.fallback if target.kind == "person"]
    people_known = [*admins, *config.defaults.last_resort, *others]
    return [one for one in dict.fromkeys(people_known) if one in config.people]


def _wakes(snapshot: Snapshot, persons: Sequence[str]) -> bool:
    return any(
        has_loud_road(snapshot.config, snapshot.reach.get(one, Reach(None))) for one in persons
    )


def digest(words: Iterable[str]) -> str:
    """The same words, the same few letters: part of a key."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


def tell_person(tx: Tx, person: str, text: str, key: str) -> None:
    """A word in the person's DM, when their Slack id is known; nothing that must not be missed goes this way."""
    slack_id = tx.snapshot.slack_id(person)
    if slack_id:
        _slack(tx, slack_id, text, key, lane=Lane.NOTICE)


def tell_by(tx: Tx, person: str, road: Road, title: str, text: str, key: str) -> None:
    """The same on a road outside Slack, not as a page: nobody has to answer it."""
    assert road.contact is not None
    outbox.add(
        tx,
        lane=Lane.NOTICE,
        kind="loud",
        destination=f"{road.by}:{person}",
        dedupe_key=key,
        payload={
            "road": road.by,
            "address": road.contact.address,
            "title": title,
            "text": text,
            "urgent": False,
        },
    )


def tell_whoever(tx: Tx, kind: str, key: str, text: str, dedupe_key: str) -> None:
    """As `tell_person`, for an actor: a person of the file, or a Slack user outside it."""
    slack_id = key if kind == "slack" else tx.snapshot.slack_id(key)
    if slack_id:
        _slack(tx, slack_id, text, dedupe_key, lane=Lane.ANSWER)


def _slack(tx: Tx, channel: str, text: str, key: str, *, lane: Lane = Lane.ANSWER) -> None:
    outbox.add(
        tx,
        lane=lane,
        kind="notice",
        destination=f"slack:{channel}",
        dedupe_key=key,
        payload={"what": "text", "text": text, "channel": channel},
    )


def hand_off(
    tx: Tx, schedule: str, at: datetime, leaving: str | None, arriving: str | None
) -> bool:
    """A shift changed: tell both, once for each hand-off. Too late for that: the one on call gets a short note."""
    stamp = int(at.timestamp())
    if (tx.now - at).total_seconds() > HANDOFF_STALE_S:
        _skipped(tx, schedule, at, arriving)
        return False
    snapshot = tx.snapshot
    for person in dict.fromkeys(p for p in (arriving, leaving) if p):
        slack_id = snapshot.slack_id(person)
        if slack_id:
            outbox.add(
                tx,
                lane=Lane.NOTICE,
                kind="notice",
                destination=f"slack:{slack_id}",
                dedupe_key=f"handoff:{schedule}:{stamp}:{person}",
                payload={
                    "what": "hand_off",
                    "channel": slack_id,
                    "schedule": schedule,
                    "at": stamp,
                    "leaving": leaving,
                    "arriving": arriving,
                    "to": person,
                },
            )
    return True


def log_shift(tx: Tx, schedule: str, at: datetime, arriving: str | None) -> None:
    """The shift that begins there goes into the log, to the next hand-off."""
    snapshot = tx.snapshot
    schedule_id = snapshot.schedule_ids.get(schedule)
    if schedule_id is None:
        return
    following = snapshot.next_handoff(schedule, at)
    known = snapshot.people.get(arriving or "")
    people.log_shift(
        tx, schedule_id, at, following[0] if following else None, known.id if known else None
    )


def _skipped(tx: Tx, schedule: str, at: datetime, arriving: str | None) -> None:
    """Nobody reads an old hand-off as news; who has it should still know, and the audit too."""
    key = f"handoff_skipped:{schedule}:{int(at.timestamp())}"
    incidents.audit(tx, "system:oncall-bot", "handoff_skipped", f"schedule:{schedule}",
                    after={"at": at.isoformat(), "arriving": arriving})  # fmt: skip
    if arriving is None:
        return
    zone = tx.snapshot.config.schedules[schedule].definition.zone
    text = (
        f"You are on call for {schedule} since {wall(at, zone)} ({zone.key})."
        " The hand-off was not told in time: oncall-bot was not running."
    )
    tell_person(tx, arriving, text, key)
