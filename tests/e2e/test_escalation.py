"""Nobody answers: the next one is paged by time. Somebody answers: it stops. Nobody is there: it goes on at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from oncall_bot.core.ack_links import AckClaim, read_token
from tests.e2e.world import CONFIG, World, alert, body, http, stays

QUICK = CONFIG.replace("after: 5m", "after: 2s")


def test_when_nobody_answers_the_next_person_is_paged_by_time(build: Callable[..., World]) -> None:
    world = build(config=QUICK)
    assert world.post(body(alert())).status == 200
    world.until(lambda: world.rings("alice-phone"), "the first step")
    assert not world.rings("bob-phone")
    world.until(lambda: world.rings("bob-phone"), "the second step")
    world.until(lambda: world.dms("bob"), "in Slack too")
    world.until(lambda: world.channel(contains="Bob Brown"), "the card says who is paged now")
    assert len(world.rings("alice-phone")) == 1
    paged = world.rows("SELECT step, person, decided_at FROM page ORDER BY step")
    assert [(row["step"], row["person"]) for row in paged] == [(0, "alice"), (1, "bob")]
    late_by = (paged[1]["decided_at"] - paged[0]["decided_at"]) / 1e6 - 2
    assert 0 <= late_by < 1, "within a tick of its time"


def test_the_link_on_the_telephone_shows_first_and_acknowledges_when_pressed(
    build: Callable[..., World],
) -> None:
    key = "a key of our own, kept in the settings"
    config = CONFIG.replace("after: 5m", "after: 6s")
    world = build(config=config, env={"ONCALL_SECRET_KEY": key})
    assert world.post(body(alert())).status == 200
    (ring,) = world.until(lambda: world.rings("alice-phone"), "the telephone")
    link = next(one for one in ring["actions"] if one["label"] == "Acknowledge")
    assert (link["method"], link["url"]) == ("POST", ring["click"])
    token, signed_with = link["url"].rpartition("/")[2], hashlib.sha256(key.encode()).digest()
    assert isinstance(read_token(signed_with, token, datetime.now(UTC)), AckClaim)

    seen = http(link["url"])
    assert seen.status == 200
    assert "High error rate" in seen.body
    assert http(link["url"], method="HEAD").status == 200
    (incident,) = world.rows("SELECT status FROM incident")
    assert incident["status"] == "open", "looking acknowledges nothing"

    pressed = http(link["url"], b"")
    assert pressed.status == 200, pressed.body
    world.until(lambda: world.channel(contains="acknowledged by Alice Adams"), "the card says so")
    again = http(link["url"], b"")
    assert again.status < 500
    assert "already" in again.body.lower()

    stays(lambda: not world.rings("bob-phone"), 7)
    forged = http(link["url"][:-4] + "AAAA", b"")
    assert forged.status in {400, 403, 404}


def test_the_second_to_press_is_told_who_was_first(build: Callable[..., World]) -> None:
    world = build(config=QUICK)
    assert world.post(body(alert())).status == 200
    (to_bob,) = world.until(lambda: world.rings("bob-phone"), "both are paged")
    (to_alice,) = world.rings("alice-phone")
    assert http(to_bob["click"], b"").status == 200
    late = http(to_alice["click"], b"")
    assert "Bob Brown" in late.body
    world.until(lambda: world.channel(contains="acknowledged by Bob Brown"), "the card")
    world.until(lambda: world.dms("alice", "Bob Brown"), "her own message says who has it")


GAP = CONFIG.replace(
    """      - {name: week, start: "2026-01-05T09:00", rotation: {unit: week, every: 1}, users: [alice]}""",
    """      - {name: later, start: "2099-01-05T09:00", rotation: {unit: week, every: 1}, users: [alice]}""",
).replace("      - {after: 5m, page: [person:bob], when: {urgency: high}}\n", "")


def test_a_gap_in_the_schedule_pages_the_fallback_at_once(build: Callable[..., World]) -> None:
    world = build(config=GAP)
    assert world.post(body(alert())).status == 200
    world.until(lambda: world.rings("carol-phone"), "the fallback", within=5)
    assert not world.rings("alice-phone")
    assert "nobody is on call for shop-primary" in _timeline(world, "on call")


UNREACHABLE = CONFIG.replace(
    "  alice: {name: Alice Adams, email: alice@example.com, contacts: {push: alice-phone}}",
    "  alice: {name: Alice Adams, email: nobody-at-all@example.com}",
)


def test_a_person_without_any_road_is_named_and_the_next_is_paged_at_once(
    build: Callable[..., World],
) -> None:
    world = build(config=UNREACHABLE)
    assert world.post(body(alert())).status == 200
    world.until(lambda: world.rings("bob-phone"), "the next step, five minutes early", within=5)
    assert "Alice Adams has no road" in _timeline(world, "Alice Adams")
    world.until(lambda: world.channel(contains="Bob Brown"), "the card names who is paged")


def test_a_low_alert_waits_in_slack_and_an_info_alert_pages_nobody(
    build: Callable[..., World],
) -> None:
    world = build(config=QUICK)
    assert world.post(body(alert("DiskFilling", severity="warning"))).status == 200
    world.until(lambda: world.dms("alice", "Disk filling"), "the direct message")
    assert world.post(body(alert("Deployed", severity="info"))).status == 200
    stays(lambda: not world.phone.rings(), 4)
    assert not world.dms("alice", "Deployed")
    assert not world.channel(contains="Deployed"), "info has no message of its own"
    assert len(world.rows("SELECT id FROM incident WHERE urgency = 'none'")) == 1
    assert not world.dms("bob"), "low urgency asks once"


def test_without_slack_the_telephone_still_rings(build: Callable[..., World]) -> None:
    world = build(slackcheck=None)
    assert world.post(body(alert())).status == 200
    (ring,) = world.until(lambda: world.rings("alice-phone"), "the telephone")
    assert "High error rate" in ring["title"]
    assert http(ring["click"], b"").status == 200
    (incident,) = world.rows("SELECT status, acked_by_name FROM incident")
    assert (incident["status"], incident["acked_by_name"]) == ("acked", "Alice Adams")
    assert "slack_off" in world.serve.log(), "it says that Slack is off"


def _timeline(world: World, contains: str) -> str:
    rows = world.rows("SELECT text FROM incident_event ORDER BY seq")
    return " | ".join(row["text"] for row in rows if contains in row["text"])
