"""Our own hostile payloads at the running bot, Slack over signed HTTP: after each an ordinary alert, which pages.

The shared cases are in test_hostile; the payloads of this file stand in tests/fakes/hostile. Judged by what telephones
and Slack received, by the page behind a telephone's link, and by the log.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from types import ModuleType
from urllib.parse import quote, urlsplit

import pytest

from tests.databases import Sqlite
from tests.e2e import world as worlds
from tests.e2e.test_hostile import TEAMS, config_of_many_teams, rings_for, seed, wire
from tests.e2e.world import WEBHOOK, Reply, World, body, http
from tests.fakes.hostile import ALERTS, BODIES, FORGED, KEPT_RAW, SCRIPT

ALL_PAGE_WITHIN = 60.0
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def bot(
    tmp_path_factory: pytest.TempPathFactory, slackcheck: ModuleType, sqlite_server: Sqlite
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hostile-own")
    with worlds.world(
        folder,
        sqlite_server.fresh(),
        slackcheck=slackcheck,
        config=config_of_many_teams(),
        mode="http",
        env={"ONCALL_PUBLIC_URL": "http://127.0.0.1:1"},
        seed=seed(),
    ) as made:
        yield made


def service() -> str:
    """Another team's each time: twenty groups of one team in a minute would be a storm, which pages once."""
    return f"s{next(_numbers) % TEAMS}"


def ordinary(bot: World) -> str:
    """Post an ordinary critical alert; its name."""
    name = f"Ordinary{next(_numbers):04d}x"
    assert bot.post(body(worlds.alert(name, service=service()))).status == 200
    return name


def all_page(bot: World, names: list[str]) -> None:
    def missing() -> list[str]:
        said = "\n".join(one["message"] for one in bot.phone.rings())
        return [name for name in names if name not in said]

    bot.until(lambda: not missing(), f"all page: {names}", within=ALL_PAGE_WITHIN)


def test_whatever_stands_in_an_alert_it_pages_and_so_does_the_next(bot: World) -> None:
    names = []
    for name, given in ALERTS.items():
        one = worlds.alert(f"{name}x", service=service(), **given)
        assert bot.post(body(one)).status == 200, name
        names += [f"{name}x", ordinary(bot)]
    all_page(bot, names)
    for ring in bot.phone.rings():
        assert not {"\r", "\n"} & set(ring["title"]), ring
        assert "\u202e" not in json.dumps(ring, ensure_ascii=False)
        assert "\x1b" not in json.dumps(ring, ensure_ascii=False)
    sent = wire(bot)
    for evil in ("<!subteam", "<!everyone", "<!channel", "<!here", "<!date^0", "<@U0ALICE"):
        assert evil not in sent, evil
    for address in ("<javascript:", "<file:", "<data:", "<http://[::ffff"):
        assert address not in sent, address


def test_the_page_behind_a_telephones_link_shows_scripts_as_text(bot: World) -> None:
    one = worlds.alert("ScriptPagex", service=service(), annotations={"summary": SCRIPT})
    assert bot.post(body(one)).status == 200
    (ring,) = bot.until(lambda: rings_for(bot, "ScriptPagex"), "it pages", within=ALL_PAGE_WITHIN)
    path = urlsplit(str(ring.get("click") or ring["actions"][0]["url"])).path
    page = http(bot.serve.url + path)
    assert page.status == 200
    assert "<script>alert" not in page.body
    assert "<img src=x" not in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
    altered = f"{path[:-1]}{'A' if path[-1] != 'A' else 'B'}"
    for wrong in (altered, path.upper(), f"{path}=", f"{path}/", path[:-6]):
        assert http(bot.serve.url + wrong, b"", method="POST").status in {404, 405}
    assert bot.rows(
        "SELECT id FROM incident WHERE first_alert = 'ScriptPagex' AND acked_at IS NULL"
    )
    all_page(bot, [ordinary(bot)])


def test_bodies_that_are_hardly_json_page_and_so_does_the_next(bot: World) -> None:
    names = []
    for name, raw in BODIES.items():
        data = raw.replace(b"NAME", f"{name}x".encode()).replace(b"SERVICE", service().encode())
        assert bot.post(data).status == 200, name
        names += [f"{name}x"] * (name not in KEPT_RAW) + [ordinary(bot)]
    all_page(bot, names)
    assert len(bot.rows("SELECT id FROM unreadable WHERE incident_id IS NOT NULL")) == len(KEPT_RAW)


def test_what_is_forged_is_refused_at_every_door_and_the_next_alert_pages(bot: World) -> None:
    before = bot.rows("SELECT count(*) AS n FROM incident")
    for name, given in FORGED.items():
        sent = {"Content-Type": "application/json", **given.get("headers", {})}
        data = json.dumps(body(worlds.alert("Forgedx"))).encode()
        reply = http(
            bot.serve.url + given.get("path", WEBHOOK),
            data,
            sent,
            method=given.get("method", "POST"),
        )
        assert reply.status in given.get("status", {401, 404, 405}), (name, reply)
        assert "set-cookie" not in {key.lower() for key in reply.headers}, name
    assert bot.rows("SELECT count(*) AS n FROM incident") == before
    all_page(bot, [ordinary(bot)])


# --- Slack --------------------------------------------------------------------------------------------------------


def signed(bot: World, data: bytes, *, at: float | None = None, secret: str = "") -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    key = (secret or bot.slack.server.app.signing_secret).encode()
    text = b":".join((b"v0", stamp.encode(), data))
    sign = f"v0={hmac.new(key, text, hashlib.sha256).hexdigest()}"
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign}


def to_slack(bot: World, data: bytes, headers: Mapping[str, str]) -> Reply:
    kind = "application/json" if data[:1] in b"{[" else "application/x-www-form-urlencoded"
    given = {"Content-Type": kind, **headers}
    return http(f"{bot.serve.url}/slack/events", data, given)


def declares(bot: World, title: str, **more: str) -> bytes:
    user = bot.slack.server.ws.user("alice")["id"]
    team = bot.slack.server.ws.user("alice")["team_id"]
    form = {
        "command": "/oncall",
        "text": f"declare sev2 {title} fails",
        "user_id": user,
        "team_id": team,
        "channel_id": "C1",
        "trigger_id": f"1.{title}",
        **more,
    }
    return "&".join(f"{key}={quote(value)}" for key, value in form.items()).encode()


def titled(bot: World, title: str) -> int:
    return len(bot.rows("SELECT id FROM incident WHERE title LIKE :title", title=f"%{title}%"))


def test_only_what_slack_signed_just_now_is_read(bot: World) -> None:
    data = declares(bot, "Forgery")
    good = signed(bot, data)
    stale, early = signed(bot, data, at=time.time() - 360), signed(bot, data, at=time.time() + 360)
    other = {**good, "X-Slack-Signature": good["X-Slack-Signature"][:-1] + "x"}
    forged: dict[str, tuple[bytes, Mapping[str, str]]] = {
        "no signature": (data, {}),
        "no stamp": (data, {"X-Slack-Signature": good["X-Slack-Signature"]}),
        "six minutes old": (data, stale),
        "from the future": (data, early),
        "another secret": (data, signed(bot, data, secret="0" * 32)),
        "last character": (data, other),
        "another body": (data + b"&x=1", good),
        "another case": (data, {**good, "X-Slack-Signature": good["X-Slack-Signature"].upper()}),
        "a stamp in words": (data, {**good, "X-Slack-Request-Timestamp": "now"}),
        "digits of another script": (data, {**good, "X-Slack-Request-Timestamp": "%D9%A1" * 10}),
        "bytes that are no text": (b"payload=\xff\xfe", good),
        "JSON of a stranger": (b"{" * 5_000, {}),
        "the shared case hs05": (b"payload=%7B%22type%22%3A%22block_actions%22%7D", stale),
    }
    names = []
    for name, (sent, headers) in forged.items():
        assert to_slack(bot, sent, headers).status == 401, name
        names.append(ordinary(bot))
    assert titled(bot, "Forgery") == 0
    all_page(bot, names)


def test_signed_nonsense_is_400_and_strangers_change_nothing(bot: World) -> None:
    names = []
    for data in (
        b"{}", b"[]", b'{"type":"event_callback"}', b'{"type":"block_actions","actions":7}',
        b'{"type":"event_callback","event_id":"E1","event":{"type":"message","channel":1,"ts":2}}',
        b"payload=%7B%22type%22%3A%22view_submission%22%2C%22view%22%3Anull%7D", b"payload=", b"command=%2Foncall",
        b"payload=%ff%fe%7B", b'{"type":' + b"[" * 20_000,
    ):  # fmt: skip
        assert to_slack(bot, data, signed(bot, data)).status == 400, data[:60]
    foreign = declares(bot, "Foreign", team_id="T0ELSEWHERE")
    assert to_slack(bot, foreign, signed(bot, foreign)).status == 200
    bot.slack.server.ws.user("dave")["is_stranger"] = True
    guest = declares(bot, "Connect", user_id=bot.slack.server.ws.user("dave")["id"])
    assert to_slack(bot, guest, signed(bot, guest)).status == 200
    names.append(ordinary(bot))
    assert titled(bot, "Foreign") == 0
    all_page(bot, names)


def test_a_request_of_slack_that_comes_again_counts_once(bot: World) -> None:
    data = declares(bot, "Replayed")
    headers = signed(bot, data)
    for _ in range(3):
        assert to_slack(bot, data, headers).status == 200
    bot.until(lambda: titled(bot, "Replayed"), "it is declared")
    all_page(bot, [ordinary(bot)])
    assert titled(bot, "Replayed") == 1


def test_at_the_end_nothing_broke(bot: World) -> None:
    log = bot.serve.log_file.read_text()
    assert "Traceback" not in log
    assert "sesame-open" not in log
    assert not bot.rows("SELECT id, last_error FROM outbox WHERE state = 'dead'")
