"""The rules in force, as one immutable value: config, people, contacts, silences, overrides, runbooks.

Knows how to read them and when they are stale (`snapshot_revision.n`). Refuses to decide. Serves every flow and view:
whoever decides inside a transaction decides on the snapshot that was checked in that transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, func, select

from oncall_bot.core import away as holidays
from oncall_bot.core import phone_numbers
from oncall_bot.core.away import Holiday, Whom
from oncall_bot.core.certain import RunbookIndex
from oncall_bot.core.config import Config, PersonalRule, Role, Route, Target, Urgency
from oncall_bot.core.documents import config_of
from oncall_bot.core.hours import Hours
from oncall_bot.core.live_checks import Expectation, LiveCheck
from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.paging import Contact, Reach, find, has_loud_road, roads
from oncall_bot.core.personal_rules import Planned, planned
from oncall_bot.core.rights import Rights
from oncall_bot.core.rotations import Override, Shift, next_handoff, on_call_at, shifts
from oncall_bot.core.routes import ActiveSilence, Router
from oncall_bot.core.runbooks import Identity, Runbook, Section
from oncall_bot.core.verdicts import Answers, Said, Verdict
from oncall_bot.store import tables as t


@dataclass(frozen=True, slots=True)
class KnownPerson:
    id: int
    slack_id: str | None


REVISION = t.ConfigRevision.__table__  # type: ignore[attr-defined]
SOURCE = t.Source.__table__  # type: ignore[attr-defined]
PERSON = t.Person.__table__  # type: ignore[attr-defined]
META = t.Meta.__table__  # type: ignore[attr-defined]
SCHEDULE = t.Schedule.__table__  # type: ignore[attr-defined]
HEALTH = t.RoadHealth.__table__  # type: ignore[attr-defined]
CONTACT = t.ContactMethod.__table__  # type: ignore[attr-defined]
RULE = t.NotifyRule.__table__  # type: ignore[attr-defined]
QUIET = t.QuietHours.__table__  # type: ignore[attr-defined]
AWAY = t.Away.__table__  # type: ignore[attr-defined]
TOKEN = t.ApiToken.__table__  # type: ignore[attr-defined]
GRANT = t.TeamGrant.__table__  # type: ignore[attr-defined]
SILENCE = t.Silence.__table__  # type: ignore[attr-defined]
OVERRIDE = t.Override.__table__  # type: ignore[attr-defined]
RUNBOOK = t.Runbook.__table__  # type: ignore[attr-defined]
VERSION = t.RunbookVersion.__table__  # type: ignore[attr-defined]
VERDICT = t.RunbookVerdict.__table__  # type: ignore[attr-defined]


_GIVEN = select(TOKEN.c.hash, TOKEN.c.expires_at, TOKEN.c.revoked_at, TOKEN.c.scope).join(
    SOURCE, SOURCE.c.token_hash == TOKEN.c.hash
)
_IN_FORCE = select(REVISION.c.id, REVISION.c.applied_by).order_by(REVISION.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class RunbookShelf:
    """Every runbook in force, its row id, and the stamp by which a reload is spared."""

    stamp: tuple[int, int] = (0, 0)
    index: RunbookIndex = field(default_factory=lambda: RunbookIndex(()))
    ids: Mapping[Identity, int] = field(default_factory=dict)
    by_id: Mapping[int, Runbook] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    number: int
    revision_id: int | None
    applied_by: str
    config: Config
    router: Router
    sources: Mapping[str, int]
    source_keys: Mapping[int, str]
    tokens: Mapping[str, str]  # sha256 of a token -> source key
    token_ends: Mapping[str, datetime | None]  # of those that `tokens create` made, by sha256
    people: Mapping[str, KnownPerson]
    by_slack: Mapping[str, str]
    reach: Mapping[str, Reach]
    by_address: Mapping[tuple[str, str], tuple[tuple[str, Contact], ...]]  # (road, address): whose
    silences: tuple[ActiveSilence, ...]
    schedule_ids: Mapping[str, int]
    overrides: Mapping[str, tuple[Override, ...]]
    shelf: RunbookShelf
    answers: Mapping[str, Answers]  # of responders on runbooks, by rule
    signing_key: bytes
    watched: tuple[Route, ...]  # routes whose alert must keep coming
    rights: Rights
    held: bool  # after a restore: nothing is sent before `resume`
    quiet: Mapping[str, Hours] = field(default_factory=dict)
    away: Mapping[str, tuple[Holiday, ...]] = field(default_factory=dict)  # of people, not over yet

    @classmethod
    def empty(cls) -> Snapshot:
        """Before the first look: number -1 is never in force."""
        return cls(
            -1,
            None,
            "",
            Config(),
            Router(Config()),
            {},
            {},
            {},
            {},
            {},
            {},
            {},
            {},
            (),
            {},
            {},
            RunbookShelf(),
            {},
            b"",
            (),
            Rights(Config()),
            held=False,
        )

    def on_call(self, schedule: str, at: datetime) -> str | None:
        """The person on call for the schedule at that instant, overrides painted; None for a gap or no schedule."""
        found = self.config.schedules.get(schedule)
        return on_call_at(found.definition, at, self.overrides.get(schedule, ())) if found else None

    def rota(self, schedule: str, at: datetime) -> str | None:
        """As `on_call`, without covers and swaps."""
        found = self.config.schedules.get(schedule)
        return on_call_at(found.definition, at, ()) if found else None

    def next_handoff(
        self, schedule: str, after: datetime
    ) -> tuple[datetime, str | None, str | None] | None:
        found = self.config.schedules.get(schedule)
        if found is None:
            return None
        return next_handoff(found.definition, after, self.overrides.get(schedule, ()))

    def shifts(self, schedule: str, start: datetime, end: datetime) -> list[Shift]:
        """Who is on call from start to end, overrides painted; nothing for an unknown schedule."""
        found = self.config.schedules.get(schedule)
        if found is None:
            return []
        return shifts(found.definition, start, end, self.overrides.get(schedule, ()))

    def away_until(self, person: str, at: datetime) -> datetime | None:
        """When the person's holiday ends, if the instant lies in one."""
        return holidays.until(self.away.get(person, ()), at)

    def whom(
        self, targets: Sequence[Target], at: datetime, urgency: Urgency, *, is_list: bool = False
    ) -> Whom:
        """Whom these targets ask at that instant, holidays seen to; `is_list`: they are a fallback list."""
        found = [find(self.config, one, lambda key: self.on_call(key, at)) for one in targets]
        return holidays.without_the_absent(
            found,
            lambda person: self.away_until(person, at),
            lambda person: self._reaches(person, urgency),
            is_list=is_list,
        )

    def _reaches(self, person: str, urgency: Urgency) -> bool:
        """Whether a page would arrive; one of high urgency has to wake."""
        reach = self.reach.get(person, Reach(None))
        if urgency is Urgency.HIGH:
            return has_loud_road(self.config, reach)
        return bool(roads(self.config, reach, urgency))

    def page_plan(self, person: str, urgency: Urgency, at: datetime) -> tuple[Planned, ...]:
        """Every message that a page to the person, decided at that instant, makes."""
        reach = self.reach.get(person, Reach(None))
        return planned(self.config, reach, self.quiet.get(person), urgency, at)

    def slack_id(self, person: str) -> str | None:
        known = self.people.get(person)
        return known.slack_id if known else None

    def name(self, person: str | None) -> str:
        """The person's name as the file gives it, or the key itself."""
        if person is None:
            return "nobody"
        found = self.config.people.get(person)
        return found.name if found else person


def load(
    connection: Connection, number: int, now: datetime, previous: Snapshot | None = None
) -> Snapshot:
    """Read what is in force from `now` on. The file and the runbooks are read again only when they changed."""
    revision = connection.execute(_IN_FORCE).first()
    config, router = _file(connection, revision.id if revision else None, previous)
    sources = connection.execute(select(SOURCE.c.id, SOURCE.c.key, SOURCE.c.token_hash)).all()
    people = connection.execute(select(PERSON.c.id, PERSON.c.key, PERSON.c.slack_user_id)).all()
    known = {
        row.key: KnownPerson(row.id, _slack_id(config, row.key, row.slack_user_id))
        for row in people
    }
    by_slack = {one.slack_id: key for key, one in known.items() if one.slack_id}
    meta = connection.execute(select(META.c.signing_key, META.c.held_since)).first()
    given = {row.hash: row for row in connection.execute(_GIVEN)}
    schedules = connection.execute(select(SCHEDULE.c.id, SCHEDULE.c.key)).all()
    reach = _reach(connection, config, known)
    return Snapshot(
        number=number,
        revision_id=revision.id if revision else None,
        applied_by=revision.applied_by if revision else "",
        config=config,
        router=router,
        sources={row.key: row.id for row in sources},
        source_keys={row.id: row.key for row in sources},
        tokens={
            row.token_hash: row.key
            for row in sources
            if row.token_hash and _opens(given.get(row.token_hash))
        },
        token_ends={sha256: row.expires_at for sha256, row in given.items()},
        people=known,
        by_slack=by_slack,
        reach=reach,
        by_address=_by_address(reach),
        silences=_silences(connection, {row.id: row.key for row in sources}, now),
        schedule_ids={row.key: row.id for row in schedules},
        overrides=_overrides(connection, {row.id: row.key for row in people}),
        shelf=_shelf(connection, previous.shelf if previous else RunbookShelf()),
        answers=_answers(connection),
        signing_key=bytes.fromhex(meta.signing_key) if meta and meta.signing_key else b"",
        watched=tuple(route for route in config.routes if route.heartbeat is not None),
        rights=Rights(config, _grants(connection, config, by_slack)),
        held=bool(meta and meta.held_since),
        quiet=_quiet(connection),
        away=_away(connection, now),
    )


def _opens(token: Any) -> bool:
    """Whether a source's token lets alerts in: not when it was revoked here, nor when it is a calendar link."""
    return token is None or (token.revoked_at is None and not token.scope.startswith("calendar:"))


def _file(
    connection: Connection, revision: int | None, previous: Snapshot | None
) -> tuple[Config, Router]:
    """A file of a thousand people takes a second to build, and a silence must not wait for that."""
    if previous is not None and previous.revision_id == revision:
        return previous.config, previous.router
    document = connection.scalar(select(REVISION.c.document).where(REVISION.c.id == revision))
    config = config_of(document) if document else Config()
    return config, Router(config)


def _slack_id(config: Config, key: str, stored: str | None) -> str | None:
    person = config.people.get(key)
    return (person.slack if person else None) or stored


def _reach(
    connection: Connection, config: Config, known: Mapping[str, KnownPerson]
) -> dict[str, Reach]:
    rows = connection.execute(
        select(
            CONTACT.c.id,
            CONTACT.c.person_id,
            CONTACT.c.kind,
            CONTACT.c.address,
            CONTACT.c.disabled_at,
        )
        .where(CONTACT.c.verified_at.is_not(None))
        .order_by(CONTACT.c.id)
    ).all()
    own: dict[int, list[Contact]] = defaultdict(list)
    for row in rows:
        set_aside = row.disabled_at is not None
        own[row.person_id].append(Contact(f"c{row.id}", row.kind, row.address, set_aside))
    rules, of_file = _rules(connection), _set_aside(connection)
    found = {}
    for key, person in config.people.items():
        mine = known.get(key)
        contacts = list(own.get(mine.id, ())) if mine else []
        kinds = {contact.kind for contact in contacts}
        given = dict(person.contacts)
        if person.email and "mail" in config.channels:
            given.setdefault("mail", person.email)
        contacts += [
            Contact(f"file:{kind}", kind, to, (mine.id if mine else 0, kind, to) in of_file)
            for kind, to in given.items()
            if kind not in kinds
        ]
        found[key] = Reach(
            (mine.slack_id if mine else None) or person.slack,
            tuple(contacts),
            rules.get(mine.id) if mine else None,
        )
    return found


def _set_aside(connection: Connection) -> set[tuple[int, str, str]]:
    """(person, road, address) of the file that their providers said will not work."""
    rows = connection.execute(
        select(HEALTH.c.person_id, HEALTH.c.contact, HEALTH.c.address).where(
            HEALTH.c.disabled_at.is_not(None), HEALTH.c.contact.like("file:%")
        )
    ).all()
    return {(row.person_id, row.contact.removeprefix("file:"), row.address) for row in rows}


def _by_address(
    reach: Mapping[str, Reach],
) -> dict[tuple[str, str], tuple[tuple[str, Contact], ...]]:
    """Whose an address is, telephone numbers as their providers write them; several people may share one."""
    found: dict[tuple[str, str], list[tuple[str, Contact]]] = defaultdict(list)
    for person, one in reach.items():
        for contact in one.contacts:
            address = phone_numbers.normal(contact.address) or contact.address
            found[contact.kind, address].append((person, contact))
    return {key: tuple(whose) for key, whose in found.items()}


def _rules(connection: Connection) -> dict[int, dict[Urgency, tuple[PersonalRule, ...]]]:
    rows = connection.execute(
        select(RULE.c.person_id, RULE.c.urgency, RULE.c.after_s, RULE.c.by).order_by(
            RULE.c.person_id, RULE.c.urgency, RULE.c.position
        )
    ).all()
    found: dict[int, dict[Urgency, tuple[PersonalRule, ...]]] = defaultdict(dict)
    for row in rows:
        urgency = Urgency(row.urgency)
        mine = found[row.person_id].get(urgency, ())
        found[row.person_id][urgency] = (
            *mine,
            PersonalRule(timedelta(seconds=row.after_s), row.by),
        )
    return found


def _quiet(connection: Connection) -> dict[str, Hours]:
    rows = connection.execute(
        select(PERSON.c.key, QUIET.c.starts, QUIET.c.ends, QUIET.c.days, QUIET.c.zone).join(
            PERSON, PERSON.c.id == QUIET.c.person_id
        )
    ).all()
    return {
        row.key: Hours(
            row.zone, tuple(row.days), time.fromisoformat(row.starts), time.fromisoformat(row.ends)
        )
        for row in rows
    }


def _away(connection: Connection, now: datetime) -> dict[str, tuple[Holiday, ...]]:
    rows = connection.execute(
        select(PERSON.c.key, AWAY.c.starts_at, AWAY.c.ends_at)
        .join(PERSON, PERSON.c.id == AWAY.c.person_id)
        .where(AWAY.c.ended_at.is_(None), AWAY.c.ends_at > now)
        .order_by(AWAY.c.starts_at)
    ).all()
    found: dict[str, tuple[Holiday, ...]] = {}
    for row in rows:
        found[row.key] = (*found.get(row.key, ()), Holiday(row.starts_at, row.ends_at))
    return found


def _silences(
    connection: Connection, sources: Mapping[int | None, str], now: datetime
) -> tuple[ActiveSilence, ...]:
    rows = connection.execute(
        select(
            SILENCE.c.id,
            SILENCE.c.source_id,
            SILENCE.c.matchers,
            SILENCE.c.starts_at,
            SILENCE.c.ends_at,
            SILENCE.c.created_by_name,
            SILENCE.c.comment,
        ).where(SILENCE.c.cancelled_at.is_(None), SILENCE.c.ends_at > now)
    ).all()
    return tuple(
        ActiveSilence(
            id=row.id,
            match=parse_matchers(row.matchers),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            created_by=row.created_by_name,
            comment=row.comment,
            source=sources.get(row.source_id) if row.source_id is not None else None,
        )
        for row in rows
    )


def _grants(
    connection: Connection, config: Config, by_slack: Mapping[str, str]
) -> dict[str, dict[str, Role]]:
    """What user groups grant, by actor. Only a group that the file still names counts, for what it names it for."""
    found: dict[str, dict[str, Role]] = defaultdict(dict)
    for row in connection.execute(select(GRANT.c.team, GRANT.c.slack_user_id, GRANT.c.usergroup)):
        team = config.teams.get(row.team)
        roles = [r for r, groups in (team.roles if team else {}).items() if row.usergroup in groups]
        if roles:
            key = by_slack.get(row.slack_user_id)
            actor = f"person:{key}" if key in config.people else f"slack:{row.slack_user_id}"
            found[actor][row.team] = max(roles, key=lambda role: role.rank)
    return dict(found)


def _overrides(
    connection: Connection, people: Mapping[int, str]
) -> dict[str, tuple[Override, ...]]:
    rows = connection.execute(
        select(
            SCHEDULE.c.key,
            OVERRIDE.c.starts_at,
            OVERRIDE.c.ends_at,
            OVERRIDE.c.person_id,
            OVERRIDE.c.replaces_id,
        )
        .join(SCHEDULE, SCHEDULE.c.id == OVERRIDE.c.schedule_id)
        .where(OVERRIDE.c.cancelled_at.is_(None))
        .order_by(OVERRIDE.c.id)
    ).all()
    found: dict[str, tuple[Override, ...]] = {}
    for row in rows:
        painted = Override(
            start=row.starts_at,
            end=row.ends_at,
            user=people.get(row.person_id) if row.person_id else None,
            replaces=people.get(row.replaces_id) if row.replaces_id else None,
        )
        found[row.key] = (*found.get(row.key, ()), painted)
    return found


def _shelf(connection: Connection, previous: RunbookShelf) -> RunbookShelf:
    newest, count = connection.execute(
        select(func.coalesce(func.max(RUNBOOK.c.version_id), 0), func.count()).where(
            RUNBOOK.c.archived_at.is_(None)
        )
    ).one()
    if (newest, count) == previous.stamp:
        return previous
    rows = connection.execute(
        select(
            RUNBOOK.c.id,
            RUNBOOK.c.source,
            RUNBOOK.c.slug,
            VERSION.c.text,
            VERSION.c.sha256,
            VERSION.c.document,
        )
        .join(VERSION, VERSION.c.id == RUNBOOK.c.version_id)
        .where(RUNBOOK.c.archived_at.is_(None))
    ).all()
    books = [runbook_of(row.source, row.slug, row.text, row.sha256, row.document) for row in rows]
    ids = {(row.source, row.slug): row.id for row in rows}
    by_id = {row.id: book for row, book in zip(rows, books, strict=True)}
    return RunbookShelf((newest, count), RunbookIndex(books), ids, by_id)


def _answers(connection: Connection) -> dict[str, Answers]:
    rows = connection.execute(
        select(VERDICT.c.rule_key, VERDICT.c.verdict, VERDICT.c.name, VERDICT.c.at)
        .add_columns(RUNBOOK.c.source, RUNBOOK.c.slug)
        .join(RUNBOOK, RUNBOOK.c.id == VERDICT.c.runbook_id)
        .order_by(VERDICT.c.at, VERDICT.c.id)
    ).all()
    found: dict[str, dict[Identity, Said]] = defaultdict(dict)
    for row in rows:
        said = Said(Verdict(row.verdict), row.name, row.at)
        found[row.rule_key][(row.source, row.slug)] = said
    return {rule: MappingProxyType(answers) for rule, answers in found.items()}


def runbook_of(
    source: str, slug: str, text: str, sha256: str, document: Mapping[str, Any]
) -> Runbook:
    """The runbook a stored version describes."""
    return Runbook(
        source=source,
        slug=slug,
        title=document["title"],
        text=text,
        sha256=sha256,
        matchers=parse_matchers(document["matchers"]),
        aliases=tuple(document["aliases"]),
        services=tuple(document["services"]),
        owner=document["owner"],
        severity=document["severity"],
        tags=tuple(document["tags"]),
        links=tuple(document["links"]),
        sections=tuple(Section(**section) for section in document["sections"]),
        checks=tuple(_check(check) for check in document["checks"]),
    )


def runbook_document(runbook: Runbook) -> dict[str, Any]:
    """The plain form that `runbook_of` reads back."""
    return {
        "title": runbook.title,
        "matchers": [str(matcher) for matcher in runbook.matchers],
        "aliases": list(runbook.aliases),
        "services": list(runbook.services),
        "owner": runbook.owner,
        "severity": runbook.severity,
        "tags": list(runbook.tags),
        "links": list(runbook.links),
        "sections": [asdict(section) for section in runbook.sections],
        "checks": [asdict(check) for check in runbook.checks],
    }


def _check(plain: Mapping[str, Any]) -> LiveCheck:
    expect = plain["expect"]
    return LiveCheck(**{**plain, "expect": Expectation(**expect) if expect else None})
