"""One long night in Slack: everything people can do there, with faults in between, judged by a strict Slack.

Played twice, in Socket Mode and over signed HTTP, with Slack's rate limits on and the app installed from our manifest.
At the end Slack has not one error and not one warning to report, and no permission was asked for in vain.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.world import CONFIG, REPOSITORY, World, alert, body, ended, shown

COMMAND = "/oncall"
ACK_WITHIN_MS = 3000


@dataclass
class Night:
    """The world, and the gestures that the script makes again and again."""

    world: World

    def says(self, who: str, words: str, answer: str | None = None) -> dict[str, Any]:
        """A person types the command; the answer comes to them alone."""
        began = f"{time.time():.6f}"
        human = self.world.human(who)
        acked(human.slash("incidents", COMMAND, words))
        if answer is None:
            return {}
        found: dict[str, Any] = human.wait(
            channel="incidents", contains=answer, after=began, timeout=10
        )
        return found

    def presses(self, who: str, text: str, **where: Any) -> None:
        given = {"channel": "incidents", **where}
        acked(self.world.human(who).click(text=text, **given))

    def picks(self, who: str, entry: str) -> None:
        """An entry of the card's menu."""
        acked(self.world.human(who).click("incidents", "incident.more", value=entry))

    def submits(self, who: str, values: dict[str, Any]) -> None:
        done = self.world.human(who).submit(values)
        acked(done)
        assert not done["errors"], done["errors"]
        assert not done["open"]

    def card(self, contains: str) -> dict[str, Any]:
        """The newest card, once it says so."""
        found = self.world.until(
            lambda: self.world.channel(contains=contains), f"a card says {contains!r}", within=20
        )
        return found[-1]

    def timeline(self, kind: str) -> list[str]:
        rows = self.world.rows("SELECT text FROM incident_event WHERE kind = :kind", kind=kind)
        return [row["text"] for row in rows]


def acked(gesture: dict[str, Any]) -> None:
    """Slack heard of each delivery in time."""
    assert gesture["deliveries"]
    for one in gesture["deliveries"]:
        assert one["acked"], one
        assert one["latency_ms"] < ACK_WITHIN_MS, one


@pytest.mark.timeout(240)
@pytest.mark.parametrize("mode", ["socket", pytest.param("http", marks=pytest.mark.long)])
def test_a_whole_night_in_slack_leaves_nothing_to_complain_about(
    build: Callable[..., World], mode: str
) -> None:
    world = build(
        config=CONFIG.replace("managers: [carol]", "managers: [carol], usergroup: oncall-sre"),
        mode=mode,
        known=False,
        rate_limits=True,
        env={"ONCALL_RUNBOOKS_DIR": str(REPOSITORY / "runbooks")},
    )
    night = Night(world)
    before_it_burns(night)
    fires = it_burns_while_slack_fails(night)
    people_answer(night)
    people_talk(night)
    people_hold_it_back(night)
    the_line_breaks(night)
    it_is_over(night, fires)
    somebody_declares(night)
    people_ask(night)
    world.until(lambda: _all_sent(world), "everything is sent", within=30)
    report = world.judged_clean()
    assert report["acks"]["unacked"] == 0
    assert not set(report["unused_scopes"]) - {"commands"}, "typing the command is no call"
    assert not world.rows("SELECT kind, last_error FROM outbox WHERE state = 'dead'")
    assert "Traceback" not in world.serve.log_file.read_text()


def alice_gives_a_shift_away(night: Night) -> None:
    """Bob is asked, accepts in his direct message, and the schedule says so; then Alice takes it back."""
    world = night.world
    night.says("alice", "schedule", "Next: ")
    night.says("alice", "cover shop-primary in 30h to in 36h ask bob", "Bob Brown is asked")
    world.until(lambda: world.dms("bob", "asks you to"), "the request")
    night.presses("bob", "Accept", channel="dm")
    world.until(lambda: world.dms("alice", "covers for you"), "the asker's message is edited")
    night.says("alice", "schedule shop-primary", "(cover)")
    night.presses("alice", "Undo", channel="dm")
    world.until(lambda: world.dms("bob", "It was taken back"), "the other's message is edited")
    night.says("alice", "remind 24h 1h", "You are reminded 24 h and 1 h before each shift")
    acked(world.human("alice").home())
    assert "Your next shifts" in str(world.human("alice").wait(home=True))


def before_it_burns(night: Night) -> None:
    """Who is on call, can I be reached: looked at and tried in quiet hours."""
    world = night.world
    alice = world.human("alice")
    acked(alice.home())
    view = alice.wait(home=True)
    assert "You are on call" in str(view)
    night.says("alice", "", "When it burns")
    night.says("alice", "help", "When it burns")
    night.says("alice", "who", "shop-primary")
    night.says("alice", "who checkout at tomorrow 03:00", "shop-primary")
    night.says("alice", "incidents", "o open incidents")
    night.says("alice", "explain service=checkout,severity=critical", "rest")
    night.says("alice", "runbook disk is filling", "ilesystem")
    night.says("alice", "whom", "Did you mean")

    night.says("bob", "contact", "How you can be woken")
    night.says("bob", "contact add push bob-tablet", "A code is on its way")
    (ring,) = world.until(lambda: world.rings("bob-tablet"), "the code")
    (code,) = re.findall(r"code is (\d{6})", ring["message"])
    night.says(
        "bob", "contact verify 000000" if code != "000000" else "contact verify 1", "not right"
    )
    night.says("bob", f"contact verify {code}", "Your push works")
    night.says("bob", "test", "A test page is on its way")
    world.until(lambda: world.dms("bob", "Test page"), "the test page in Slack")
    world.until(lambda: world.rings("bob-tablet", "Test page"), "the test page by push")
    night.presses("bob", "Received", channel="dm")
    world.until(lambda: world.dms("bob", "Test page received"), "it was received")
    night.says("bob", "contact remove push", "is removed")
    night.says("carol", "override shop-primary bob in 20h to in 21h", "Bob Brown is on call")
    alice_gives_a_shift_away(night)


def it_burns_while_slack_fails(night: Night) -> dict[str, Any]:
    """Slack answers 500 twice: the telephone rings at once, the messages come a little later, once each."""
    world = night.world
    world.slack.act("fault", kind="http500", method="chat.postMessage", times=2)
    fires = alert("NodeFilesystemAlmostFull", instance="db-1:9100")
    assert world.post(body(fires)).status == 200
    world.until(lambda: world.rings("alice-phone"), "the telephone", within=5)
    night.card("Node filesystem almost full")
    world.until(lambda: world.dms("alice", "filesystem"), "the direct message")
    assert len(world.channel(contains="ilesystem")) == 1
    assert len([one for one in world.dms("alice") if "ilesystem" in shown(one)]) == 1
    return fires


def people_answer(night: Night) -> None:
    """The button on the page, a late press, the next step by hand, somebody else takes it."""
    world = night.world
    night.presses("alice", "Acknowledge", channel="dm")
    night.card("acknowledged by Alice Adams")
    night.says("bob", "ack 1", "Alice Adams already has")
    world.slack.act("fault", kind="ratelimited", method="chat.update", times=1, delay=2)
    night.says("alice", "escalate 1", "next step")
    world.until(lambda: world.rings("bob-phone", "filesystem"), "bob is paged")
    night.says("bob", "ack 1", "You have incident 1")
    night.card("acknowledged by Bob Brown")
    night.says("bob", "page carol 1 please look at the disk", "carol is paged")
    world.until(lambda: world.rings("carol-phone"), "carol is paged")
    night.picks("bob", "Hand over…")
    night.submits("bob", {"to": "carol"})
    night.card("Carol Chen")
    night.says("carol", "ack 1", "You have incident 1")
    night.card("acknowledged by Carol Chen")


def people_talk(night: Night) -> None:
    """Words in the thread are the record; a pin marks one; an event that comes twice counts once."""
    world = night.world
    card = night.card("acknowledged by Carol Chen")
    world.slack.act("fault", kind="duplicate_events", times=1)
    said = world.human("alice").post("incidents", "the <disk> is full & slow", thread=card["ts"])
    acked(said)
    acked(world.reacts("bob", "incidents", said["ts"], "pushpin"))
    world.until(lambda: night.timeline("pin"), "the pin is kept")
    world.slack.act("fault", kind="duplicate_events", times=0)
    assert len(night.timeline("chat")) == 1
    assert len(night.timeline("pin")) == 1
    night.says("alice", "note 1 removed <old> logs & restarted", "Written on incident 1")
    night.picks("carol", "Add a note…")
    night.submits("carol", {"text": "80 % used now"})
    kept = [row["text"] for row in world.rows("SELECT text FROM incident_event")]
    assert "removed <old> logs & restarted" in kept
    assert "80 % used now" in kept
    night.picks("carol", "Why was this paged?")
    world.human("carol").wait(channel="incidents", contains="Why incident 1 paged", timeout=10)
    night.says("bob", "why 1", "Why incident 1 paged")
    night.picks("carol", "Change severity…")
    night.submits("carol", {"severity": "SEV3"})
    night.card("SEV3")


def people_hold_it_back(night: Night) -> None:
    """A silence with its reason, and its end: what still fires pages again."""
    world = night.world
    rings = len(world.rings("alice-phone"))
    night.says("carol", "silence 1 2h planned move of the disk", "silence")
    night.card("silenced")
    night.presses("carol", "End the silence")
    world.until(lambda: len(world.rings("alice-phone")) > rings, "it pages again")
    night.presses("alice", "Acknowledge")
    night.card("acknowledged by Alice Adams")


def the_line_breaks(night: Night) -> None:
    """Slack cuts the line, or in HTTP mode somebody forges requests."""
    world = night.world
    if world.mode == "http":
        results = world.slack.act("probe")
        assert results.pop("good") == 200
        assert set(results.values()) == {401}
        return
    deliveries = world.slack.server.deliveries
    for kind in ("disconnect", "drop"):
        old = len(deliveries)
        world.until(lambda: _all_sent(world), "Slack has nothing more to tell of")
        world.until(lambda: all(one["acked"] for one in list(deliveries)), "nothing is on its way")
        world.slack.act("fault", kind=kind)
        world.slack.act("wait", connected=True, timeout=30)
        night.says("alice", "who", "shop-primary")
        assert len(deliveries) > old


def it_is_over(night: Night, fires: dict[str, Any]) -> None:
    """The alert ends; the summary and the postmortem are drafted without any model."""
    world = night.world
    night.presses("alice", "Mitigated")
    night.card("mitigated")
    assert world.post(body(ended(fires))).status == 200
    night.card("resolved after")
    night.presses("alice", "Review summary")
    night.says("alice", "postmortem 1")
    world.until(
        lambda: world.rows("SELECT id FROM draft WHERE kind = 'postmortem'"), "it is drafted"
    )
    night.says("alice", "postmortem 1", "ostmortem")
    night.says("alice", "summary 1", "ummary")
    acked(world.human("alice").click("incidents", "postmortem.file"))
    world.until(
        lambda: any(
            one.get("files") for one in world.slack.act("messages", channel="dm", user="alice")
        ),
        "the file lies in her direct messages",
    )


def somebody_declares(night: Night) -> None:
    """By command, by form and by shortcut; a form pressed twice declares once."""
    world = night.world
    night.says("alice", "declare sev3 search is slow", "Incident 2 is open")
    night.card("search is slow")
    acked(world.human("bob").shortcut("declare_incident"))
    world.human("bob").wait(view=True, contains="Declare incident")
    night.submits("bob", {"title": "Mail is late", "severity": "SEV4"})
    night.card("Mail is late")
    night.says("bob", "resolve 3 the queue is empty again", "Incident 3 is resolved")
    night.says("alice", "resolve 2", "Incident 2 is resolved")
    world.until(
        lambda: len(world.channel(contains="resolved after")) == 3, "all three are resolved"
    )


def people_ask(night: Night) -> None:
    """A mention and a direct message are answered where they were asked."""
    world = night.world
    said = world.human("bob").mention("incidents", "who is on call?")
    acked(said)
    answer = world.slack.act(
        "wait", channel="incidents", contains="shop-primary", after=said["ts"], timeout=10
    )
    assert answer["thread_ts"] == said["ts"]
    acked(world.human("bob").post("dm", "help"))
    world.until(lambda: world.dms("bob", "When it burns"), "the answer")
    acked(world.slack.act("assistant", user="bob", context_channel="incidents"))
    world.until(lambda: world.calls("assistant.threads.setSuggestedPrompts"), "prompts in the pane")


def _all_sent(world: World) -> bool:
    return not world.rows("SELECT id FROM outbox WHERE state IN ('pending', 'sending')")
