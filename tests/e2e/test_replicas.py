"""Two and three equal processes on one PostgreSQL.

One incident, one page and one message, whoever of them is told and whoever dies.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Postgres
from tests.e2e.fleet import Fleet, readiness
from tests.e2e.world import (
    CONFIG,
    REPOSITORY,
    World,
    alert,
    body,
    ended,
    http,
    stays,
)

pytestmark = pytest.mark.timeout(400)
Build = Callable[..., Fleet]


def names(count: int, prefix: str = "Broken") -> list[str]:
    return [f"{prefix}{n:03d}" for n in range(count)]


def rung(world: World, topic: str, wanted: list[str]) -> bool:
    """Whether the phone was told of every one of these alerts, several in one message or each in its own."""
    told = " ".join(ring["title"] + " " + ring["message"] for ring in world.rings(topic))
    return all(name in told for name in wanted)


def ring_keys(world: World, topic: str = "alice-phone") -> list[str]:
    return [ring["key"] for ring in world.rings(topic)]


def drawings(world: World) -> dict[str, list[int]]:
    """By message: the states of cards in the order in which Slack received them."""
    found: dict[str, list[int]] = {}
    for call in [*world.calls("chat.postMessage"), *world.calls("chat.update")]:
        key = _key(call)
        if key.startswith("card:"):
            _, message, generation = key.split(":")
            found.setdefault(message, []).append((call["at"], int(generation)))  # type: ignore[arg-type]
    return {message: [g for _, g in sorted(drawn)] for message, drawn in found.items()}  # type: ignore[misc]


def _key(call: dict[str, Any]) -> str:
    payload = ((call.get("args") or {}).get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("key") or "")


# --- one of each ------------------------------------------------------------------------------------------------------


def test_an_alert_told_to_all_at_once_is_one_incident_one_page_and_one_message(
    fleet: Build,
) -> None:
    three = fleet(3)
    fires = [alert(name) for name in names(6)]
    for one in fires:
        assert three.post_to_all(one) == [200, 200, 200]
    world = three.world
    three.until(lambda: rung(world, "alice-phone", names(6)), "the phone tells of each")
    three.until(lambda: not three.waits(), "all is sent")
    assert len(world.rows("SELECT id FROM incident")) == 6
    assert len(world.rows("SELECT id FROM page")) == 6
    assert sorted(ring_keys(world)) == sorted(set(ring_keys(world)))
    assert len(world.channel()) == 6
    assert all(world.dms("alice", name) for name in names(6))
    world.judged_clean()


@pytest.mark.long
def test_a_storm_on_three_is_told_in_few_messages_and_within_the_rate_of_the_channel(
    fleet: Build,
) -> None:
    """Slack takes one message a second in a channel, from the whole installation."""
    three = fleet(3, rate_limits=True)
    world = three.world
    began = time.monotonic()
    calls = [
        (lambda one=three.each[n % 3], name=name: one.post(body(alert(name, service="checkout"))))
        for n, name in enumerate(names(120))
    ]
    replies = [reply for n in range(0, 120, 12) for reply in three.at_once(calls[n : n + 12])]  # type: ignore[arg-type]
    assert {reply.status for reply in replies} == {200}
    three.until(lambda: not three.waits(), "all is sent", within=90)
    took = time.monotonic() - began
    assert len(world.rows("SELECT id FROM occurrence")) == 120
    assert len(world.rows("SELECT id FROM incident WHERE origin = 'storm'")) == 1
    assert sorted(ring_keys(world)) == sorted(set(ring_keys(world)))
    posts = [call for call in world.calls("chat.postMessage") if call["response"].get("ok")]
    assert len(posts) <= took + 30
    assert len({_key(call) for call in posts}) == len(posts), "no message twice"
    world.judged_clean()


def test_a_press_on_any_of_them_acts_on_the_same_incident_and_no_edit_is_lost(fleet: Build) -> None:
    """Slack gives each press to one of the lines; edits go out from whoever is free, in order."""
    three = fleet(3)
    world = three.world
    for name in names(5):
        assert three.each[0].post(body(alert(name))).status == 200
    three.until(lambda: len(world.channel()) == 5, "five cards")
    three.until(
        lambda: all(world.dms("alice", name) for name in names(5)), "direct messages tell of each"
    )
    for card in world.channel():
        world.human("alice").click("incidents", ts=card["ts"], text="Acknowledge")
    three.until(
        lambda: len(world.channel(contains="acknowledged by Alice Adams")) == 5,
        "every card says who has it",
    )
    rows = world.rows("SELECT status, acked_by_name FROM incident")
    assert {(row["status"], row["acked_by_name"]) for row in rows} == {("acked", "Alice Adams")}
    for n, name in enumerate(names(5)):
        assert three.each[n % 3].post(body(ended(alert(name)))).status == 200
    three.until(lambda: len(world.channel(contains="esolved")) == 5, "all are over")
    three.until(lambda: not three.waits(), "all is drawn")
    for message, generations in drawings(world).items():
        assert all(a <= b for a, b in pairwise(generations)), (message, generations)
    undrawn = world.rows(
        "SELECT id FROM slack_message WHERE rendered_generation < generation AND role = 'root'"
    )
    assert undrawn == []
    told_by = [one for one in three.each if "slack_connected" in one.serve.log(400)]
    assert len(told_by) == 3
    world.judged_clean()


def test_the_link_on_the_telephone_works_on_every_one_of_them(fleet: Build) -> None:
    two = fleet(2)
    assert two.each[0].post(body(alert())).status == 200
    (ring,) = two.until(lambda: two.world.rings("alice-phone"), "the telephone")
    token = ring["click"].rpartition("/ack/")[2]
    for one in two.each:
        seen = http(f"{one.serve.url}/ack/{token}")
        assert (seen.status, "High error rate" in seen.body) == (200, True)
    assert http(f"{two.each[1].serve.url}/ack/{token}", b"").status == 200
    assert "already" in http(f"{two.each[0].serve.url}/ack/{token}", b"").body.lower()
    (incident,) = two.world.rows("SELECT status FROM incident")
    assert incident["status"] == "acked"


@pytest.mark.long
def test_every_change_of_shift_is_told_once(fleet: Build) -> None:
    """Every six seconds another layer begins and somebody else is on call."""
    zero = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    layer = '      - {{name: l{n}, start: "{at:%Y-%m-%dT%H:%M:%S}", {turns}, users: [{who}]}}'
    layers = [
        layer.format(
            n=n,
            at=zero + timedelta(seconds=6 * n) if n else zero - timedelta(days=7),
            turns="rotation: {unit: week, every: 1}",
            who=("alice", "bob")[n % 2],
        )
        for n in range(14)
    ]
    head, _, rest = CONFIG.partition("    zone: Europe/Berlin\n    layers:\n")
    config = f"{head}    zone: UTC\n    layers:\n" + "\n".join([*layers, rest.partition("\n")[2]])
    three = fleet(3, config=config)
    world = three.world
    told = "SELECT dedupe_key FROM outbox WHERE dedupe_key LIKE 'handoff:%'"
    three.until(lambda: len(world.rows(told)) >= 6, "three changes")
    three.until(
        lambda: len(world.dms("alice")) + len(world.dms("bob")) == len(world.rows(told)),
        "each told to both",
    )
    stamps = {row["dedupe_key"].split(":")[2] for row in world.rows(told)}
    assert len(world.rows(told)) == 2 * len(stamps)
    assert len(world.rows("SELECT id FROM shift_log")) == len(stamps)


@pytest.mark.long
def test_a_file_applied_while_alerts_come_in_is_in_force_for_every_replica_at_once(
    fleet: Build, tmp_path: Path
) -> None:
    three = fleet(3)
    world = three.world
    stop, statuses = threading.Event(), []

    def load() -> None:
        n = 0
        while not stop.is_set():
            one = three.each[n % 3]
            statuses.append(one.post(body(alert("Flood", service="checkout", n=str(n)))).status)
            n += 1

    flooding = threading.Thread(target=load)
    flooding.start()
    try:
        three.until(lambda: world.rings("alice-phone"), "the first page")
        new = tmp_path / "new.yaml"
        text = (tmp_path / "oncall.yaml").read_text()
        new.write_text(text.replace("users: [alice]", "users: [bob]"))
        done = subprocess.run(
            [sys.executable, "-m", "oncall_bot", "apply", str(new)],
            env={"PYTHONPATH": str(REPOSITORY), "ONCALL_DATABASE_URL": world.database, "PATH": ""},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        for n, one in enumerate(three.each):
            assert one.post(body(alert(f"After{n}"))).status == 200
        after = [f"After{n}" for n in range(3)]
        three.until(lambda: rung(world, "bob-phone", after), "who is on call now")
    finally:
        stop.set()
        flooding.join(30)
    assert set(statuses) == {200}
    assert len(world.rows("SELECT id FROM occurrence")) == len(statuses) + 3
    assert not world.rings("alice-phone", "After")
    assert len(world.rows("SELECT id FROM config_revision")) == 2


# --- stopping, dying, standing still ----------------------------------------------------------------------------------


def test_killed_with_a_page_in_hand_another_sends_it_within_seconds(
    fleet: Build, tell: Callable[[str], None]
) -> None:
    two = fleet(1)
    other = two.each[0]
    doomed = two.add(ONCALL_TEST_KILL_AT="after_claim")
    doomed.serve.start({})
    two.connected(2)
    two.signal(other, signal.SIGSTOP)  # so that it is the doomed one that takes the page
    try:
        assert doomed.post(body(alert())).status == 200
        assert doomed.serve.died() == -signal.SIGKILL
    finally:
        two.signal(other, signal.SIGCONT)
    began = time.monotonic()
    assert not two.world.rings("alice-phone")
    two.until(lambda: two.world.rings("alice-phone"), "the other one sends it")
    took = time.monotonic() - began
    assert took < 30, "a sign of life counts five seconds, a lease two minutes"
    tell(f"killed with a page in hand: the other one rang {took:.1f} s later")
    two.until(lambda: not two.waits(), "all is sent")
    assert len(two.world.rings("alice-phone")) == 1
    assert len(two.world.channel()) == 1
    assert len(two.world.dms("alice")) == 1


def test_asked_to_stop_it_says_no_first_and_gives_back_what_it_holds_at_once(fleet: Build) -> None:
    two = fleet(2, env={"ONCALL_DRAIN_FOR": "8"})
    first, second = two.each
    assert first.post(body(alert("Before"))).status == 200
    two.signal(first, signal.SIGTERM)
    two.until(lambda: readiness(first)[0] == 503, "it says that it is not ready")
    assert "stops" in readiness(first)[1]
    stays(lambda: readiness(first)[0] == 503, 3)
    assert first.post(body(alert("Meanwhile"))).status == 200, "it still takes what comes"
    assert readiness(second)[0] == 200
    assert first.serve.died() == 0
    assert readiness(first)[0] == 0
    assert '"left"' in first.serve.log(400)
    assert len(two.world.rows("SELECT instance FROM process")) == 1
    assert not two.world.rows(
        "SELECT name FROM lease WHERE owner NOT IN (SELECT instance FROM process)"
    )
    assert second.post(body(alert("After"))).status == 200
    for name in ("Before", "Meanwhile", "After"):
        two.until(lambda name=name: two.world.rings("alice-phone", name), name)
    two.until(lambda: not two.waits(), "all is sent")
    assert sorted(ring_keys(two.world)) == sorted(set(ring_keys(two.world)))
    assert len(two.world.channel()) == 3


@pytest.mark.long
def test_one_that_stood_still_with_work_in_hand_posts_no_second_message(fleet: Build) -> None:
    """Frozen for longer than its lease counts, then awake again: what others took over is theirs."""
    two = fleet(2)
    first, second = two.each
    for turn in range(3):
        for n in range(4):
            assert first.post(body(alert(f"Turn{turn}{n}"))).status == 200
        two.signal(first, signal.SIGSTOP)
        try:
            two.until(
                lambda turn=turn: rung(
                    two.world, "alice-phone", [f"Turn{turn}{n}" for n in range(4)]
                ),
                "the other one rings for all",
            )
            if turn == 0:  # once it stands still for longer than a sign of life lasts
                time.sleep(6)
        finally:
            two.signal(first, signal.SIGCONT)
    assert second.post(body(alert("Last"))).status == 200
    two.until(lambda: two.world.rings("alice-phone", "Last"), "the last")
    two.until(lambda: not two.waits(), "all is sent")
    assert len(two.world.channel()) == 13, "one card for each"
    for message, generations in drawings(two.world).items():
        assert len(set(generations)) >= 1, message


def test_they_start_at_the_same_moment_on_a_database_in_which_nothing_is(
    build: Callable[..., World], postgres_server: Postgres
) -> None:
    url = postgres_server.empty()
    fleet = Fleet(build(database=url, start=False))
    try:
        fleet.start(3)
        world = fleet.world
        assert len(world.rows("SELECT id FROM config_revision")) == 1
        assert len(world.rows("SELECT id FROM meta")) == 1
        assert len(world.rows("SELECT instance FROM process")) == 3
        assert fleet.post_to_all(alert()) == [200, 200, 200]
        fleet.until(lambda: len(world.rings("alice-phone")) == 1, "one ring")
    finally:
        fleet.stop()
        postgres_server.drop(url)


# --- the database, and the hint -------------------------------------------------------------------------------------


def test_without_the_hint_pages_still_go_and_listening_comes_back_by_itself(fleet: Build) -> None:
    two = fleet(2)
    world = two.world
    before = two.until(lambda: len(two.listeners()) == 2 and two.listeners(), "both listen")
    for pid in before:
        two.execute("SELECT pg_terminate_backend(:pid)", pid=pid)
    for n, one in enumerate(two.each):
        assert one.post(body(alert(f"Deaf{n}"))).status == 200
    two.until(lambda: rung(world, "alice-phone", ["Deaf0", "Deaf1"]), "the pages")
    again = two.until(lambda: len(two.listeners()) == 2 and two.listeners(), "both listen again")
    assert not set(again) & set(before)
    assert all(readiness(one)[0] == 200 for one in two.each)


def test_while_the_database_is_away_it_is_not_ready_and_afterwards_it_goes_on_by_itself(
    fleet: Build, tell: Callable[[str], None]
) -> None:
    two = fleet(2, config=CONFIG.replace("after: 5m", "after: 4s"))
    world = two.world
    assert two.each[0].post(body(alert())).status == 200
    two.until(lambda: world.rings("alice-phone"), "the first step")
    with two.database_away():
        for one in two.each:
            two.until(lambda one=one: readiness(one)[0] == 503, "it says that it is not ready")
            assert "database does not answer" in readiness(one)[1]
            assert one.post(body(alert("Refused"))).status == 503
        time.sleep(4)  # the second step becomes due meanwhile
        assert not world.rings("bob-phone")
    began = time.monotonic()
    two.until(lambda: world.rings("bob-phone"), "the second step")
    took = time.monotonic() - began
    assert took < 20
    tell(f"database away: the step that was due meanwhile rang {took:.1f} s after it was back")
    for one in two.each:
        two.until(lambda one=one: readiness(one)[0] == 200, "ready again")
        assert one.serve.process is not None
        assert one.serve.process.poll() is None, "the same process"
    assert len(world.rings("bob-phone")) == 1
