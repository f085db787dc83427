"""doctor: green when all is in place, else one line for each thing with what to do, and never a long wait."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.cli.checks_inside import InForce, clock, daily_page, roads, zones
from oncall_bot.cli.checks_leaving import leaving
from oncall_bot.cli.findings import Finding, State, lines, ok, run_all
from oncall_bot.core.config import Canary, Channel, Config, Llm, Person
from oncall_bot.flows.canary import Last
from oncall_bot.settings import Settings
from oncall_bot.slack.manifest import scopes
from oncall_bot.store import rules
from oncall_bot.store.db import Store
from oncall_bot.store.snapshot import Snapshot
from tests.component.cli.conftest import CONFIG, Run, Said
from tests.fakes.http import Answer, FakeHttp, Got, http_server

ALL_REACHED = (
    CONFIG.replace(
        "bo@example.com}", "bo@example.com, slack: U0BO12345, contacts: {push: bo-phone}}"
    )
    .replace("ana@example.com,", "ana@example.com, slack: U0ANA1234,")
    .replace("dee@example.com,", "dee@example.com, slack: U0DEE1234,")
    + "runbooks: {dir: runbooks}\n"
)
ALERTMANAGER = """\
route:
  receiver: {routed}
receivers:
- name: elsewhere
- name: oncall-bot
  webhook_configs:
  - send_resolved: {resolved}
    http_config:
      follow_redirects: true
{credential}
    url: {url}
    max_alerts: {cut}
"""
BEARER = """\
      authorization:
        type: Bearer
        credentials: <secret>"""


def alertmanager_yml(
    url: str = "https://oncall.example.com/webhook/alertmanager",
    *,
    credential: str = BEARER,
    resolved: str = "true",
    routed: str = "oncall-bot",
    cut: int = 0,
) -> str:
    """As Alertmanager writes its configuration out again."""
    return ALERTMANAGER.format(
        url=url, credential=credential, resolved=resolved, routed=routed, cut=cut
    )


def answers(
    *,
    scope: str | None = None,
    receiver: str | None = None,
    config: str | None = None,
    sends_to: tuple[str, ...] = ("http://am:9093/api/v2/alerts",),
    rooms: tuple[str, ...] = ("alerts", "shop"),
    ahead: timedelta = timedelta(0),
    models: tuple[str, ...] = ("some-model",),
) -> Callable[[Got], Answer]:
    """One server that is Slack, Prometheus, Alertmanager and the model."""
    given = ",".join(scopes()) if scope is None else scope

    def answer(got: Got) -> Answer:
        headers: dict[str, str] = {"Content-Type": "application/json"}
        if got.path == "/api/auth.test":
            headers["x-oauth-scopes"] = given
            headers["Date"] = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
            content: object = {"ok": True, "team": "Shop", "user": "oncall"}
        elif got.path == "/api/apps.connections.open":
            content = {"ok": True, "url": "wss://127.0.0.1/link"}
        elif got.path == "/api/conversations.list":
            listed = [{"id": f"C0000000{n}", "name": name} for n, name in enumerate(rooms)]
            content = {"ok": True, "channels": listed}
        elif got.path == "/-/healthy":
            content = {}
        elif got.path == "/api/v1/alertmanagers":
            active = [{"url": one} for one in sends_to]
            content = {"status": "success", "data": {"activeAlertmanagers": active}}
        elif got.path == "/api/v2/status":
            url = receiver or f"http://{got.headers['Host']}/webhook/alertmanager"
            original = config or alertmanager_yml(url)
            content = {"config": {"original": original}, "versionInfo": {"version": "0.25.0"}}
        elif got.path == "/api/v1/query":
            content = {"status": "success", "data": {"resultType": "vector", "result": []}}
        elif got.path == "/v1/models":
            content = {"object": "list", "data": [{"id": one, "object": "model"} for one in models]}
        else:
            return Answer(404)
        return Answer(headers=headers, body=json.dumps(content).encode())

    return answer


@pytest.fixture
async def there() -> AsyncIterator[FakeHttp]:
    async with http_server() as fake:
        fake.answer = answers()
        yield fake


@pytest.fixture
def whole(there: FakeHttp, home: Path, url: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run`, where everything that can be configured is, and is in order."""
    (home / "runbooks").mkdir()
    (home / "runbooks" / "a.md").write_text("# A\n\nText\n")
    (home / "oncall.yaml").write_text(ALL_REACHED)
    base = f"http://{there.at}"
    for name, value in {
        "PUBLIC_URL": "https://oncall.example.com",
        "WEBHOOK_TOKEN": "a-token-of-the-settings",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_API_URL": f"{base}/api/",
        "PROMETHEUS_URL": base,
        "ALERTMANAGER_URL": base,
        "LLM_BASE_URL": f"{base}/v1",
        "LLM_MODEL": "some-model",
        "HEARTBEAT_URL": "http://127.0.0.1:9/beat",
    }.items():
        monkeypatch.setenv(f"ONCALL_{name}", value)
    assert run("apply", "oncall.yaml").code == 0
    return run


async def doctor(run: Run, *words: str) -> Said:
    return await asyncio.to_thread(run, "doctor", *words)


def line_of(said: Said, name: str) -> str:
    """The one finding of that name as a sentence: what to do stands under it in the output."""
    found = []
    for line in said.out.splitlines():
        mark, *rest = re.split(r" {2,}", line.strip(), maxsplit=2)
        if mark in {"ok", "warn", "FAIL"} and len(rest) == 2:
            found.append((rest[0], f"{mark:<4}  {rest[0]}: {rest[1]}"))
        elif mark.startswith("-> ") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]}; {mark.removeprefix('-> ')}")
    asked = [sentence for one, sentence in found if one == name]
    assert len(asked) == 1, said.out
    return asked[0]


async def test_all_is_green_where_all_is_in_place(whole: Run, there: FakeHttp) -> None:
    said = await doctor(whole)
    assert said.out.splitlines()[-1].endswith("checks are green."), said.out
    assert said.code == 0
    assert "oncall in Shop, Socket Mode" in line_of(said, "slack")
    told = line_of(said, "alertmanager default")
    assert told.endswith(f"posts to {there.at} with a token, and the bot answers there")
    assert "sends alerts to am:9093" in line_of(said, "prometheus default")
    assert {got.method for got in there.got if got.path.startswith("/api/v")} == {"GET"}
    assert not [got for got in there.got if got.path == "/beat"]


async def test_a_program_reads_the_findings_as_json(whole: Run) -> None:
    found = (await doctor(whole, "--json")).json
    assert found["ok"] is True
    database = {"name": "database", "state": "ok", "group": "This machine"}
    assert database.items() <= found["checks"][1].items()


async def test_every_destination_is_listed_with_what_goes_there(
    whole: Run, there: FakeHttp
) -> None:
    checks = (await doctor(whole, "--json")).json["checks"]
    leaves = {c["name"]: c["what"] for c in checks if c["group"] == "What leaves the house"}
    assert set(leaves) >= {"to Slack", "to push", "to Prometheus", "to Alertmanager", "to a model"}
    for name in ("to Slack", "to Prometheus", "to Alertmanager", "to a model"):
        assert leaves[name].startswith(there.at), leaves[name]
    assert leaves["to the heartbeat"].startswith("127.0.0.1:9: one empty request")
    assert "some-model" in leaves["to a model"]
    assert "secrets blacked out" in leaves["to a model"]
    assert "text from outside" in leaves["not to a model"]
    told = str(leaves)
    for secret in ("a-token-of-the-settings", "xoxb-1", "xapp-1", "/beat"):
        assert secret not in told


def test_no_destination_shows_a_secret_of_its_address(tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("mailtos://bot:hunter22@smtp.example.com\n")
    config = Config(
        channels={
            "mail": Channel("mail", url_file=str(file)),
            "chat": Channel("chat", url="tgram://123456:AAHtoken/{to}"),
            "voice": Channel("voice", url="twilio://SID:TOKEN@+4930/{to}"),
            "push": Channel("push", url="ntfys://user:pw@ntfy.example.com/{to}"),
            "gone": Channel("gone", url_file=str(tmp_path / "none")),
        },
        llm=Llm(("severity:SEV1",), ("customer",), "5 USD"),
    )
    found = {one.name: one.what for one in leaving(Settings(llm_model="m"), config)}
    assert found["to mail"].startswith("mailtos at smtp.example.com: ")
    assert found["to chat"].startswith("tgram: ")
    assert found["to voice"].startswith("twilio: ")
    assert found["to push"].startswith("ntfys at ntfy.example.com: ")
    assert "cannot be read" in found["to gone"]
    assert "labels customer never" in found["not to a model"]
    assert found["model limits"] == "only for SEV1, at most 5 USD a day"
    for secret in ("hunter22", "AAHtoken", "TOKEN", "user:pw"):
        assert secret not in str(found)


def test_where_answers_by_text_must_be_posted_is_told(tmp_path: Path) -> None:
    """The provider is set up elsewhere: nothing here can see whether it is."""
    file = tmp_path / "sms"
    file.write_text("twilio://AC1:hunter22@+15005550006/{to}\n")
    config = Config(channels={"sms": Channel("sms", url_file=str(file))})
    told = {one.name: one for one in roads(Settings(public_url="https://oncall.test/"), config)}
    assert "https://oncall.test/phone/sms/text" in told["answers to sms"].what
    (lacking,) = [one for one in roads(Settings(), config) if one.name == "answers to sms"]
    assert "can't be answered" in lacking.what
    assert "hunter22" not in str(told)


def test_without_slack_and_model_nothing_goes_there() -> None:
    found = {one.name: one.what for one in leaving(Settings(), Config())}
    assert found["to Slack"] == "nothing: no tokens are set"
    assert found["to a model"] == "nothing: no model is named"
    assert "never fetched" in found["nothing else"]


async def test_only_what_is_not_green_is_told_when_asked_so(whole: Run) -> None:
    assert len((await doctor(whole, "--quiet")).out.splitlines()) == 1


async def test_scopes_that_slack_has_not_granted_are_named(whole: Run, there: FakeHttp) -> None:
    there.answer = answers(scope=",".join(set(scopes()) - {"chat:write"}))
    said = await doctor(whole)
    assert said.code == 1
    assert line_of(said, "slack").startswith("FAIL  slack: scopes not granted: chat:write; paste ")


async def test_a_channel_that_the_bot_cannot_see_is_named(whole: Run, there: FakeHttp) -> None:
    there.answer = answers(rooms=("general", "alerts"))
    said = await doctor(whole)
    assert said.code == 1
    assert line_of(said, "slack rooms").startswith("FAIL  slack rooms: the bot sees no #shop; ")


@pytest.mark.parametrize(("seconds", "mark"), [(20, "warn"), (-3600, "FAIL")])
async def test_a_clock_apart_from_slacks_is_told_with_its_side(
    seconds: int, mark: str, whole: Run, there: FakeHttp
) -> None:
    there.answer = answers(ahead=timedelta(seconds=seconds))
    line = line_of(await doctor(whole), "slack clock")
    assert line.startswith(mark)
    assert ("behind Slack" if seconds > 0 else "ahead of Slack") in line


async def test_a_token_that_slack_refuses_is_told(whole: Run, there: FakeHttp) -> None:
    there.answer = Answer(
        headers={"Content-Type": "application/json"}, body=b'{"ok": false, "error": "invalid_auth"}'
    )
    said = await doctor(whole)
    assert line_of(said, "slack").startswith(
        "FAIL  slack: Slack refuses the bot token: invalid_auth; copy the token"
    )


async def test_an_alertmanager_that_posts_elsewhere_gets_the_snippet_to_paste(
    whole: Run, there: FakeHttp
) -> None:
    there.answer = answers(receiver="https://elsewhere.example.com/hook")
    said = await doctor(whole)
    assert said.code == 1
    assert "no receiver there posts to this bot" in line_of(said, "alertmanager default")
    assert "- url: https://oncall.example.com/webhook/alertmanager" in said.out


async def test_an_alertmanager_that_hides_its_addresses_is_yellow(
    whole: Run, there: FakeHttp
) -> None:
    there.answer = answers(receiver="<secret>")
    said = await doctor(whole)
    assert said.code == 0
    assert line_of(said, "alertmanager default").startswith("warn  ")


@pytest.mark.parametrize(
    ("wrong", "mark", "told"),
    [
        ({"credential": ""}, "FAIL", "without a token: all of it is refused"),
        ({"routed": "elsewhere"}, "FAIL", "no route leads to that receiver"),
        ({"resolved": "false"}, "warn", "never tells an end"),
        ({"cut": 5}, "warn", "at most 5 alerts at once"),
    ],
)
async def test_what_is_wrong_with_the_receiver_that_posts_here_is_told(
    wrong: dict[str, Any], mark: str, told: str, whole: Run, there: FakeHttp
) -> None:
    there.answer = answers(config=alertmanager_yml(**wrong))
    line = line_of(await doctor(whole), "alertmanager default")
    assert line.startswith(mark)
    assert told in line


async def test_a_prometheus_that_sends_alerts_nowhere_is_red(whole: Run, there: FakeHttp) -> None:
    there.answer = answers(sends_to=())
    said = await doctor(whole)
    assert "sends alerts to no Alertmanager" in line_of(said, "prometheus default")
    assert 'static_configs: [{targets: ["localhost:9093"]}]' in said.out


async def test_a_model_that_the_server_does_not_have_is_yellow(whole: Run, there: FakeHttp) -> None:
    there.answer = answers(models=("another",))
    said = await doctor(whole)
    assert line_of(said, "model").startswith("warn  ")
    assert "does not list some-model" in line_of(said, "model")


async def test_what_never_answers_is_red_after_five_seconds_for_all_of_it_together(
    whole: Run, there: FakeHttp
) -> None:
    there.answer = Answer(never=True)
    began = time.monotonic()
    said = await doctor(whole)
    assert time.monotonic() - began < 12
    assert said.code == 1
    for name in ("slack", "prometheus default", "alertmanager default", "model"):
        assert line_of(said, name).startswith("FAIL  "), name


def test_an_empty_folder_says_what_to_do_first_without_any_network(run: Run, home: Path) -> None:
    said = run("doctor")
    assert said.code == 1
    assert line_of(said, "database").endswith("run: oncall-bot migrate (serve does it too)")
    assert line_of(said, "configuration").endswith("run: oncall-bot init")
    assert line_of(said, "slack").startswith("warn  slack: off")
    assert line_of(said, "model").startswith("ok  ")
    assert list(home.iterdir()) == []


def test_a_configuration_that_is_named_and_missing_is_red(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCALL_CONFIG", "gone.yaml")
    assert line_of(run("doctor"), "configuration").startswith(
        "FAIL  configuration: there is no file gone.yaml; correct ONCALL_CONFIG"
    )


def test_before_the_first_start_the_file_itself_is_judged(run: Run, home: Path) -> None:
    (home / "oncall.yaml").write_text(ALL_REACHED)
    said = run("doctor")
    assert "it is applied at the first start" in line_of(said, "configuration")
    assert line_of(said, "people") == "ok    people: 3, each with a loud road"
    assert line_of(said, "runbooks").startswith("FAIL  ")


def test_a_bad_setting_ends_the_examination_with_its_name(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCALL_PORT", "80a")
    said = run("doctor")
    assert said.code == 1
    assert line_of(said, "settings").startswith("FAIL  settings: ONCALL_PORT: '80a' is not a port")


def test_a_misspelt_setting_gets_the_nearest_that_exists(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCALL_SLACK_BOT_TOKN", "xoxb-1")
    said = run("doctor")
    assert "did you mean ONCALL_SLACK_BOT_TOKEN" in said.out


def test_people_on_call_without_a_loud_road_are_red(applied: Run) -> None:
    said = applied("doctor")
    assert said.code == 1
    assert line_of(said, "people").startswith(
        "FAIL  people: on call without a loud road: Bo Lindt; "
    )


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (CONFIG.replace("after: 5m", "after: 9m"), "differs from revision 1"),
        (CONFIG.replace("after: 5m", "after: 5x"), '"5x" is not a duration'),
        (CONFIG, "is in force as revision 1"),
    ],
)
def test_the_file_is_compared_with_what_is_in_force(
    now: str, told: str, applied: Run, config: Path
) -> None:
    config.write_text(now)
    assert told in line_of(applied("doctor"), "configuration")


def test_a_file_that_is_older_than_what_is_in_force_is_told(applied: Run, config: Path) -> None:
    """A replica with a forgotten file: serve leaves it alone, and somebody must hear of it."""
    config.write_text(CONFIG.replace("after: 5m", "after: 9m"))
    assert applied("apply", str(config)).code == 0
    config.write_text(CONFIG)
    said = line_of(applied("doctor"), "configuration")
    assert said.startswith("warn  ")
    assert "is an older one than what is in force (revision 2)" in said


def test_sending_that_is_held_since_a_restore_is_red(applied: Run, store: Store) -> None:
    store.write(rules.hold_sending, held=True).result()
    said = applied("doctor")
    assert said.code == 1
    assert line_of(said, "sending").endswith("run: oncall-bot resume")


def test_gaps_broken_runbooks_and_unusable_roads_are_told(run: Run, home: Path, url: str) -> None:
    (home / "runbooks").mkdir()
    (home / "runbooks" / "a.md").write_text("---\nmatch: 'a=~\"(\"'\n---\n")
    hours = 'restrictions: [{days: [1, 2, 3, 4, 5], from: "09:00", to: "17:00"}], users: [ana, bo]'
    text = ALL_REACHED.replace("users: [ana, bo]}", f"{hours}}}").replace(
        "channels:\n", "channels:\n  voice: {url_file: /nowhere/voice}\n"
    )
    (home / "oncall.yaml").write_text(text)
    assert run("apply", "oncall.yaml").code == 0
    said = run("doctor")
    assert "shop has nobody for" in line_of(said, "schedules")
    assert "1 problems in" in line_of(said, "runbooks")
    assert line_of(said, "roads").startswith("FAIL  roads: ")
    assert "voice" in line_of(said, "roads")


def test_a_database_that_is_away_is_red_and_its_password_is_not_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCALL_DATABASE_URL", "postgresql://bot:secret@127.0.0.1:9/oncall")
    said = run("doctor")
    assert said.code == 1
    assert line_of(said, "database").startswith("FAIL  ")
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("drift", "state"), [(0.5, State.OK), (-5.0, State.WARN), (90.0, State.FAIL)]
)
def test_a_clock_apart_from_the_databases_is_yellow_then_red(drift: float, state: State) -> None:
    found = clock(
        InForce(Snapshot.empty(), "", seen=False, drift=timedelta(seconds=drift)), sqlite=False
    )
    assert found[0].state is state


def test_zone_data_of_years_ago_is_yellow() -> None:
    assert zones(datetime.now(UTC))[0].state is State.OK
    assert zones(datetime(2040, 1, 1, tzinfo=UTC))[0].state is State.WARN


def test_a_check_that_does_not_end_costs_its_own_line_only() -> None:
    asked = threading.Event()

    def slow() -> list[Finding]:
        asked.wait(10)
        return []

    found = run_all([("slow", slow), ("quick", lambda: [ok("quick", "fine")])], within=0.1)
    assert [(one.name, one.state) for one in found] == [("slow", State.FAIL), ("quick", State.OK)]
    asked.set()


# --- how it looks -------------------------------------------------------------------------------------------------


def test_findings_stand_in_columns_under_their_headings_with_what_to_do_below(run: Run) -> None:
    said = run("doctor").out.splitlines()
    assert [line for line in said if line and not line.startswith(" ")][:3] == [
        "This machine",
        "Who is paged",
        "What is around it",
    ]
    rows = [line for line in said if re.match(r"  (ok|warn|FAIL) ", line)]
    column = {re.match(r"  \S+ +\S+(?: \S+)*? {2,}", row).end() for row in rows}  # type: ignore[union-attr]
    assert len(column) == 1, said
    arrows = {line.index("->") for line in said if line.lstrip().startswith("-> ")}
    assert arrows == column
    assert not any("\x1b" in line for line in said)


def test_text_from_elsewhere_cannot_paint_the_terminal() -> None:
    red = Finding("slack", State.FAIL, "\x1b[2Jgone", "do\x1b[0m this", "Around")
    assert not any("\x1b" in line for line in lines([red], lambda _, mark: mark))


# --- the file of init ---------------------------------------------------------------------------------------------


def test_an_env_file_that_was_not_loaded_is_told_first(run: Run, home: Path) -> None:
    (home / ".env").write_text("ONCALL_WEBHOOK_TOKEN=abc\n")
    (home / ".env").chmod(0o600)
    line = line_of(run("doctor"), ".env")
    assert line.startswith("FAIL  .env: ")
    assert line.endswith("set -a; . ./.env; set +a")


def test_an_env_file_that_others_can_read_is_yellow(run: Run, home: Path, url: str) -> None:
    (home / ".env").write_text("ONCALL_WEBHOOK_TOKEN=abc\n")
    (home / ".env").chmod(0o644)
    assert line_of(run("doctor"), ".env").endswith("run: chmod 600 .env")


def test_slack_over_http_without_an_address_is_red(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCALL_SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("ONCALL_SLACK_SIGNING_SECRET", "s" * 32)
    monkeypatch.setenv("ONCALL_SLACK_API_URL", "http://127.0.0.1:9/api/")
    said = run("doctor")
    assert "Slack in HTTP mode has no address to post to" in said.out


def test_a_database_that_can_not_be_made_is_red_and_one_not_made_yet_is_yellow(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert line_of(run("doctor"), "database").startswith("warn  ")
    monkeypatch.setenv("ONCALL_DATABASE_URL", f"sqlite:///{home}/nowhere/oncall.db")
    assert line_of(run("doctor"), "database").startswith("FAIL  ")


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arrived_at", "state", "says"),
    [
        (NOON - timedelta(minutes=59), State.OK, "the last arrived 2026-03-02 11:01 UTC"),
        (None, State.FAIL, "the one of 2026-03-02 11:00 UTC has not arrived"),
    ],
)
def test_the_daily_test_page_is_told_of(
    arrived_at: datetime | None, state: State, says: str
) -> None:
    config = Config(
        people={"ana": Person("ana", "Ana Ruiz")},
        canary=Canary("ana", clock_time(10), "Europe/Berlin"),
    )
    last = Last(7, "ana", NOON - timedelta(hours=1), arrived_at, timedelta(minutes=5))
    in_force = InForce(Snapshot.empty(), "", False, timedelta(0), last)
    (found,) = daily_page(config, in_force, NOON)
    assert (found.state, says in found.what) == (state, True)
    assert "daily to Ana Ruiz at 10:00 Europe/Berlin" in found.what
