"""What doctor looks at at home: settings, database, configuration, clock, zones, people, schedules, runbooks, roads.

Knows what each should be and what to do when it is not. Refuses the network: that is checks_outside.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from oncall_bot.cli.databases import address, opened
from oncall_bot.cli.findings import Finding, fail, ok, warn
from oncall_bot.cli.folders import runbooks_folder
from oncall_bot.core.errors import BadInput, OncallError

if TYPE_CHECKING:
    from oncall_bot.core.config import Config
    from oncall_bot.files.oncall_yaml import ConfigFile
    from oncall_bot.flows.canary import Last
    from oncall_bot.settings import Settings
    from oncall_bot.store.snapshot import Snapshot
    from oncall_bot.store.transactions import Reader

AHEAD = timedelta(days=28)
DRIFT_NOTED, DRIFT_WRONG = timedelta(seconds=2), timedelta(seconds=60)
ZONES_OLD = 2  # years
NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class InForce:
    """What the database says: its rules, their sha256, and its clock beside ours."""

    snapshot: Snapshot
    sha256: str
    seen: bool  # the file's content was in force at some time
    drift: timedelta
    test_page: Last | None = None  # the newest daily one


def settings_of(env: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    from oncall_bot.settings import load_settings, unknown_settings

    try:
        settings = load_settings(env)
    except BadInput as error:
        return None, [fail("settings", str(error))]
    strange = unknown_settings(env)
    found = [warn("settings", one, "unset it or correct its name") for one in strange]
    if settings.public_url is None:
        mend = "set ONCALL_PUBLIC_URL to the address under which phones reach this server"
        found.append(warn("settings", "no links to acknowledge from outside Slack", mend))
    if settings.slack_mode == "http" and settings.public_url is None:
        mend = (
            "set ONCALL_PUBLIC_URL, or an app-level token (ONCALL_SLACK_APP_TOKEN) for Socket Mode"
        )
        found.append(fail("settings", "Slack in HTTP mode has no address to post to", mend))
    return settings, found or [ok("settings", "all known and well-formed")]


def env_file(env: Mapping[str, str], path: Path = Path(".env")) -> list[Finding]:
    """The file of `init`: a program only sees it once it is loaded, and it holds secrets."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return []
    found = []
    if not any(name.startswith("ONCALL_") for name in env):
        mend = "load it first: set -a; . ./.env; set +a"
        found.append(fail(".env", "there is one here, and none of its settings is set", mend))
    if mode & 0o077:
        found.append(warn(".env", "others on this machine can read it", "run: chmod 600 .env"))
    return found


def database(settings: Settings, file: ConfigFile | None) -> tuple[InForce | None, list[Finding]]:
    """Reachable, and of this version's schema."""
    from oncall_bot.store import migrations
    from oncall_bot.store.location import shown

    url = address(settings)
    try:
        revision = migrations.current(url)
        if revision is None:
            return None, [_no_database(url)]
        if migrations.pending(url):
            what = f"{shown(url)} is of an older version"
            return None, [fail("database", what, "run: oncall-bot migrate")]
        with opened(url) as store:
            state = store.look(_in_force, file.sha256 if file else "")
    except OncallError as error:
        mend = "is the server up, and ONCALL_DATABASE_URL right?"
        return None, [fail("database", str(error).rstrip("."), mend)]
    found = [ok("database", f"{shown(url)} at revision {revision}")]
    if state.snapshot.held:
        found.append(
            fail("sending", "held back since a restore; nobody is paged", "run: oncall-bot resume")
        )
    return state, found


def _no_database(url: str) -> Finding:
    """Before the first start that is as it should be, as long as one can be made."""
    from oncall_bot.store.location import shown

    what = f"there is none at {shown(url)} yet"
    if url.startswith("sqlite:///"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        if not os.access(folder, os.W_OK | os.X_OK):
            mend = f"make the folder {folder} and let this user write to it"
            return fail("database", f"{what}, and {folder} cannot be written to", mend)
    return warn("database", what, "run: oncall-bot migrate (serve does it too)")


def _in_force(reader: Reader, sha256: str) -> InForce:
    from oncall_bot.flows import canary
    from oncall_bot.store import rules

    latest = rules.latest(reader)
    return InForce(
        snapshot=reader.snapshot,
        sha256=latest.sha256 if latest else "",
        seen=bool(sha256) and rules.has_seen(reader, sha256),
        drift=reader.now - datetime.now(UTC),
        test_page=canary.last(reader),
    )


def read_file(settings: Settings) -> ConfigFile | None:
    if not settings.config.exists():
        return None
    from oncall_bot.files.oncall_yaml import read_config

    return read_config(settings.config)


def config_judged(file: ConfigFile | None, state: InForce | None) -> Config:
    """What is in force; before the first start, what the file would put into force."""
    from oncall_bot.core.config import Config
    from oncall_bot.core.documents import config_of

    if state is not None and state.snapshot.revision_id is not None:
        return state.snapshot.config
    return config_of(file.document) if file is not None and file.ok else Config()


def configuration(
    settings: Settings, file: ConfigFile | None, state: InForce | None
) -> list[Finding]:
    name, path = "configuration", settings.config
    revision = state.snapshot.revision_id if state is not None else None
    if file is None:
        return [_without_file(settings, revision)]
    if not file.ok:
        more = len(file.faults) - 1
        what = str(file.faults[0]) + (f" (and {more} more)" if more else "")
        return [fail(name, what, f"see all: oncall-bot apply {path} --plan")]
    if state is None or revision is None:
        return [ok(name, f"{path} has no fault; it is applied at the first start")]
    if state.sha256 == file.sha256:
        return [ok(name, f"{path} is in force as revision {revision}")]
    see = f"see: oncall-bot apply {path} --plan"
    if state.seen:
        what = f"{path} is an older one than what is in force (revision {revision}); serve leaves it alone"
        return [warn(name, what, see)]
    return [warn(name, f"{path} differs from revision {revision}, which is in force", see)]


def _without_file(settings: Settings, revision: int | None) -> Finding:
    name = "configuration"
    if settings.config_is_named:
        mend = "correct ONCALL_CONFIG; serve does not start"
        return fail(name, f"there is no file {settings.config}", mend)
    if problem := settings.nobody_to_page(has_file=revision is not None):
        return fail(name, problem)
    if revision is not None:
        return ok(name, f"no file {settings.config}; revision {revision} is in force")
    if settings.channel or settings.admins:
        mend = "write one: oncall-bot init"
        return warn(name, "no file; everything pages ONCALL_ADMINS", mend)
    return fail(
        name, f"there is no {settings.config}; nobody could be paged", "run: oncall-bot init"
    )


def sources(settings: Settings, config: Config) -> list[Finding]:
    """Somebody must be able to post."""
    with_token = [
        key for key, source in config.sources.items() if source.token_sha256 or source.token_file
    ]
    if settings.webhook_token is not None:
        with_token.append("default")
    if not with_token:
        mend = "set ONCALL_WEBHOOK_TOKEN, or give a source its token_file (oncall-bot tokens create --out)"
        return [fail("sources", "no token: every Alertmanager is refused", mend)]
    return [ok("sources", f"may post: {', '.join(with_token)}")]


def clock(state: InForce, *, sqlite: bool) -> list[Finding]:
    if sqlite:
        return [ok("clock", "SQLite keeps this machine's time")]
    seconds = state.drift.total_seconds()
    what = f"the database is {abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"
    mend = "let both machines keep time with NTP"
    if abs(state.drift) > DRIFT_WRONG:
        return [fail("clock", what, mend)]
    return [warn("clock", what, mend)] if abs(state.drift) > DRIFT_NOTED else [ok("clock", what)]


def zones(today: datetime) -> list[Finding]:
    """The rules of daylight saving change by decree; data of two years ago may be wrong by an hour."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        return [
            fail(
                "zones",
                "there is no zone data",
                "install the system's tzdata or the package tzdata",
            )
        ]
    version = _zone_version()
    year = int(version[:4]) if version[:4].isdigit() else today.year
    if today.year - year >= ZONES_OLD:
        return [warn("zones", f"zone data {version} is old", "update tzdata")]
    return [ok("zones", f"zone data {version}")]


def _zone_version() -> str:
    """Of the system's data, which Python asks first; else of the package."""
    from importlib import metadata
    from zoneinfo import TZPATH

    for folder in TZPATH:
        try:
            with (Path(folder) / "tzdata.zi").open(encoding="ascii") as opened_file:
                return opened_file.readline(100).strip().rpartition(" ")[2]
        except (OSError, UnicodeDecodeError):
            continue
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return "of unknown version"


def people(config: Config, state: InForce | None, *, slack: bool) -> list[Finding]:
    """Whoever may be paged at night must be reached by something that wakes."""
    from oncall_bot.core.plan import people_without_loud_road

    quiet = people_without_loud_road(config, _verified(state))
    needed = _paged(config)
    found = []
    if red := [config.people[key].name for key in quiet if key in needed]:
        mend = "each adds one in Slack (contacts), or give the person contacts in oncall.yaml"
        found.append(fail("people", f"on call without a loud road: {_list(red)}", mend))
    if others := [config.people[key].name for key in quiet if key not in needed]:
        found.append(warn("people", f"without a loud road, and on no rota: {_list(others)}"))
    if slack and state is not None and state.snapshot.revision_id is not None:
        lost = [p.name for p in config.people.values() if not state.snapshot.slack_id(p.key)]
        if lost:
            mend = "is the e-mail the one they have in Slack? serve looks every 10 min"
            found.append(warn("people", f"not found in Slack: {_list(lost)}", mend))
    if not config.people:
        return [fail("people", "there is nobody to page", "name people in oncall.yaml")]
    return found or [ok("people", f"{len(config.people)}, each with a loud road")]


def _verified(state: InForce | None) -> dict[str, set[str]]:
    if state is None:
        return {}
    reach = state.snapshot.reach
    return {key: {contact.kind for contact in one.contacts} for key, one in reach.items()}


def _paged(config: Config) -> set[str]:
    """Everybody a rota, a step or a fallback can name."""
    from oncall_bot.core.rotations import people_named

    targets = [t for policy in config.policies.values() for step in policy.steps for t in step.page]
    targets += [
        *config.defaults.fallback,
        *(t for team in config.teams.values() for t in team.fallback),
    ]
    found = {target.key for target in targets if target.kind == "person"} | {
        *config.defaults.last_resort
    }
    for target in targets:
        if target.kind == "team" and target.key in config.teams:
            found.update(config.teams[target.key].members)
    for schedule in config.schedules.values():
        found.update(people_named(schedule.definition))
    return found | ({config.canary.person} if config.canary else set())


def schedules(config: Config, state: InForce | None, now: datetime) -> list[Finding]:
    from oncall_bot.core.rotations import shifts

    found = []
    for key, schedule in config.schedules.items():
        covers = state.snapshot.overrides.get(key, ()) if state is not None else ()
        gaps = [s for s in shifts(schedule.definition, now, now + AHEAD, covers) if s.user is None]
        if gaps:
            whole = sum(((gap.end - gap.start) for gap in gaps), timedelta(0)) / timedelta(hours=1)
            mend = f"see: oncall-bot schedule show {key}"
            what = f"{key} has nobody for {whole:.4g} hours of the next 28 days"
            found.append(warn("schedules", what, mend))
    return found or [ok("schedules", f"{len(config.schedules)}, no gap in the next 28 days")]


def daily_page(config: Config, state: InForce | None, now: datetime) -> list[Finding]:
    """The daily one, if the file asks for it: has the last arrived?"""
    if config.canary is None:
        return [ok("test page", "none a day; `canary` in oncall.yaml would show that pages arrive")]
    name = config.people[config.canary.person].name
    daily = f"daily to {name} at {config.canary.at:%H:%M} {config.canary.zone}"
    last = state.test_page if state is not None else None
    if last is None:
        return [ok("test page", f"{daily}; none was sent yet")]
    if last.is_missed(now):
        what = f"{daily}; the one of {last.sent_at:%Y-%m-%d %H:%M} UTC has not arrived"
        return [fail("test page", what, "look at its incident, and try /oncall test")]
    if last.arrived_at is None:
        return [ok("test page", f"{daily}; one is on its way")]
    return [ok("test page", f"{daily}; the last arrived {last.arrived_at:%Y-%m-%d %H:%M} UTC")]


def runbooks(settings: Settings, config: Config) -> list[Finding]:
    from oncall_bot.files.runbooks import read_runbooks

    folder = runbooks_folder(settings, config.runbooks.dir)
    if folder is None:
        return [warn("runbooks", "no folder, and none comes along", "give runbooks.dir")]
    try:
        books, problems = read_runbooks(folder)
    except OncallError as error:
        return [fail("runbooks", str(error).rstrip("."))]
    if problems:
        what = f"{len(problems)} problems in {folder}, the first: {problems[0]}"
        return [warn("runbooks", what, f"see all: oncall-bot runbooks check {folder}")]
    own = settings.runbooks_dir is not None or config.runbooks.dir is not None
    return [ok("runbooks", f"{len(books)} in {folder}" if own else f"{len(books)} that come along")]


def roads(settings: Settings, config: Config) -> list[Finding]:
    from oncall_bot.core.paging import is_loud
    from oncall_bot.paging.roads import build_pager

    pager = build_pager(config.channels)
    faults = pager.faults()
    found: list[Finding] = [fail("roads", fault.rstrip(".")) for fault in faults.values()]
    if not any(is_loud(channel) for channel in config.channels.values()):
        mend = 'add one under channels in oncall.yaml, such as push: {url: "ntfys://ntfy.sh/{to}"}'
        found.append(
            fail("roads", "no loud road (push, voice, SMS, webhook): nobody is woken", mend)
        )
    found = found or [ok("roads", ", ".join(config.channels))]
    return found + [_answers(settings.public_url, road) for road in pager.answered_by_text()]


def _answers(public_url: str | None, road: str) -> Finding:
    """Where the provider of text messages has to hand answers on to: it cannot be seen from here whether it does."""
    if public_url is None:
        mend = "set ONCALL_PUBLIC_URL to the address under which its provider reaches this server"
        return warn(f"answers to {road}", "text messages and calls can't be answered", mend)
    address = f"{public_url.rstrip('/')}/phone/{road}/text"
    return ok(f"answers to {road}", f"its provider must post incoming text messages to {address}")


def _list(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
