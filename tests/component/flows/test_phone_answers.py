"""Somebody half asleep answers from a telephone, and nobody else can; what became of a message is known."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from oncall_bot.core.ack_links import make_token
from oncall_bot.core.replies import reply_code
from oncall_bot.flows.contacts import send_test_page
from oncall_bot.flows.delivered import delivered
from oncall_bot.flows.phone_answers import answer_by_key, answer_by_text
from oncall_bot.flows.receipts import take_receipt
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.strike import strike
from oncall_bot.ports import Blame
from oncall_bot.store import outbox, timers, views
from oncall_bot.store.db import Store
from oncall_bot.store.outbox import Fate
from tests.component.flows.world import DOCUMENT, World
from tests.databases import HandClock

SECRET = b"s" * 32
ANA, BO = "+4915550100001", "+4915550100002"


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    """Ana and Bo are paged by text message, and called a minute later."""
    document = copy.deepcopy(DOCUMENT)
    document["channels"] |= {"sms": {"url_env": "SMS"}, "voice": {"url_env": "VOICE"}}
    for who, number in (("ana", ANA), ("bo", BO)):
        document["people"][who]["contacts"] = {"sms": number, "voice": number}
    rules = [{"after": "0m", "by": "slack"}, {"after": "0m", "by": "sms"}]
    document["personal_rules"] = {
        "high": [*rules, {"after": "1m", "by": "voice"}],
        "low": [{"after": "0m", "by": "slack"}],
    }
    found = World(store, clock)
    found.apply(document)
    return found


class Telephone:
    """Texts and keys as they come in; each text message has an id of its own unless it is named."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = 0
        self.again = False

    def text(self, words: str, number: str = ANA, message_id: str = "") -> str | None:
        self.count += 1
        return self.world.store.write(
            answer_by_text, SECRET, ["sms"], number, words, message_id or f"SM{self.count}"
        ).result()

    def key(
        self, key: str, page_id: int = 1, call: str = "CA1", contact: str = "file:voice"
    ) -> Any:
        ends = self.world.clock.now + timedelta(hours=24)
        token = make_token(SECRET, page_id, contact, ends)
        said = self.world.store.write(answer_by_key, SECRET, token, key, call).result()
        self.again = said.again
        return said.words

    def code(self, whom: str = "ana", nth: int = -1) -> str:
        """The code in the newest text message to that person."""
        sent = sorted(
            self.world.rows(
                f"SELECT id, bundle_id FROM outbox WHERE destination = 'sms:{whom}' AND state = 'sent'"
            )
        )
        row_id, bundle_id = sent[nth]
        return reply_code(SECRET, bundle_id or row_id, "file:sms")


@pytest.fixture
def telephone(world: World) -> Telephone:
    world.told(world.alert())
    world.run()
    return Telephone(world)


def sent_row(world: World, road: str = "sms") -> int:
    where = f"destination = '{road}:ana' AND page_id IS NOT NULL"
    return int(world.rows(f"SELECT max(id) FROM outbox WHERE {where}")[0][0])


def test_a_reply_with_the_code_takes_the_incident(world: World, telephone: Telephone) -> None:
    assert telephone.text(f"a{telephone.code()}") == "You have incident 1. Nobody else is paged."
    assert world.shown().acked_by == "Ana Ruiz"
    assert "Ana Ruiz acknowledged by text message" in world.timeline()
    world.pass_time(3600 / 4)
    assert world.rang() == [ANA], "nobody was called after that"


def test_a_reply_may_ask_for_the_next_person(world: World, telephone: Telephone) -> None:
    assert "next step" in str(telephone.text(f"E {telephone.code()}"))
    world.run()
    assert BO in world.rang()


def test_a_reply_may_say_that_it_is_over(world: World, telephone: Telephone) -> None:
    assert telephone.text(f"r{telephone.code()}") == "Incident 1 is resolved."
    assert world.shown().resolved_by == "Ana Ruiz"


def test_a_number_nobody_has_is_not_answered_and_changes_nothing(
    world: World, telephone: Telephone
) -> None:
    assert telephone.text(f"a{telephone.code()}", "+4915550999999") is None
    assert world.shown().acked_by is None


def test_without_a_code_one_is_told_which_there_are(world: World, telephone: Telephone) -> None:
    code = telephone.code()
    assert telephone.text("a") == f"Reply A{code} takes 1."
    assert telephone.text("what is this?") == f"I can't read that. Reply A{code} takes 1."
    assert world.shown().acked_by is None, "who forged the number does not hear the code"


def test_a_code_of_somebody_else_is_worth_nothing(world: World, telephone: Telephone) -> None:
    assert "No page of yours" in str(telephone.text(f"a{telephone.code()}", BO))
    assert world.shown().acked_by is None


def test_codes_cannot_be_tried_out(world: World, telephone: Telephone) -> None:
    right = telephone.code()
    wrong = [f"{n:04d}" for n in range(20) if f"{n:04d}" != right]
    for code in wrong[:10]:
        telephone.text(f"a{code}")
    assert "Too many wrong codes" in str(telephone.text(f"a{right}"))
    assert world.shown().acked_by is None
    world.clock.now += timedelta(hours=1, seconds=1)
    assert "You have incident 1" in str(telephone.text(f"a{right}"))


def test_a_message_delivered_twice_is_one_answer(world: World, telephone: Telephone) -> None:
    code = telephone.code()
    assert telephone.text(f"a{code}", message_id="SMonce") is not None
    world.store.write(resolve, 1, world.person("ana")).result()
    assert telephone.text(f"a{code}", message_id="SMonce") is None


def test_who_answers_second_is_told_who_has_it(world: World, telephone: Telephone) -> None:
    code = telephone.code()
    world.ack(1, "bo")
    assert telephone.text(f"a{code}") == "Bo Lindt already has incident 1. Nothing is left to do."
    assert telephone.key("4").startswith("Bo Lindt already has incident 1.")
    for words in (f"r{code}", f"e{code}"):
        assert "already has incident 1" in str(telephone.text(words)), "nor does it touch theirs"
    assert world.shown().acked_by == "Bo Lindt"


def test_who_has_it_may_resolve_it_by_text_later(world: World, telephone: Telephone) -> None:
    code = telephone.code()
    telephone.text(f"a{code}")
    assert telephone.text(f"r{code}") == "Incident 1 is resolved."
    assert telephone.text(f"r{code}") == "Incident 1 is over. Nothing is left to do."


def test_a_reply_that_comes_late_does_not_take_what_fires_anew(
    world: World, telephone: Telephone
) -> None:
    """The text was on its way for an hour: it was answered, ended and fires again by then."""
    old = telephone.code()
    world.ack(1, "ana")
    world.told(world.alert(), starts_at=world.clock.now, ended=True)
    world.clock.now += timedelta(minutes=5)
    world.told(world.alert(), starts_at=world.clock.now)
    world.run()
    assert world.shown().acked_by is None, "it fires again and nobody has it"
    assert "older than what fires now" in str(telephone.text(f"a{old}"))
    assert world.shown().acked_by is None
    assert "You have incident 1" in str(telephone.text(f"a{telephone.code()}"))


def test_one_code_takes_all_that_came_in_one_message(world: World, telephone: Telephone) -> None:
    for name in ("DiskFull", "SlowQueries"):
        world.told(world.alert(name))
    world.pass_time(10, step=1)
    assert (
        telephone.text(f"a{telephone.code()}") == "You have incidents 2, 3. Nobody else is paged."
    )
    assert world.shown(1).acked_by is None


@pytest.mark.parametrize(
    ("key", "said"),
    [("4", "You have incident 1."), ("8", "The next step of incident 1"), ("6", "is resolved")],
)
def test_a_key_on_the_phone_answers(
    world: World, telephone: Telephone, key: str, said: str
) -> None:
    assert said in telephone.key(key)
    assert any("Ana Ruiz" in line for line in world.timeline())


def test_a_key_without_meaning_is_asked_for_again(world: World, telephone: Telephone) -> None:
    for key in ("1", "#"):
        assert telephone.key(key) == "That key does nothing."
        assert telephone.again
    assert "SEV2 High error rate on checkout. Firing since" in telephone.key("*")
    assert telephone.again, "the star reads it once more"
    assert world.shown().acked_by is None


def test_a_key_posted_twice_is_one_answer(world: World, telephone: Telephone) -> None:
    assert "paged now" in telephone.key("8")
    assert telephone.key("8") == "That was already taken."


def test_a_call_of_somebody_elses_making_is_worth_nothing(
    world: World, telephone: Telephone
) -> None:
    ends = world.clock.now + timedelta(hours=24)
    forged = make_token(b"x" * 32, 1, "file:voice", ends)
    said = world.store.write(answer_by_key, SECRET, forged, "4", "CA9").result()
    assert "too old" in said.words
    assert world.shown().acked_by is None


# --- what became of a message -------------------------------------------------------------------------------------


def fates(world: World) -> list[tuple[str, str]]:
    return [(one.road, one.state) for page in world.shown().paged for one in page.roads]


def receipt(world: World, row_id: int, state: str, why: str | None = None, **more: Any) -> bool:
    sid = world.rows(f"SELECT provider_id FROM outbox WHERE id = {row_id}")[0][0]
    said = world.store.write(take_receipt, row_id, sid, state, why, **more).result()
    return bool(said.done)


def test_a_receipt_shows_on_the_incident_and_in_why(world: World, telephone: Telephone) -> None:
    assert receipt(world, sent_row(world), "delivered")
    assert ("sms", "delivered") in fates(world)
    why = [line.text(str) for line in world.store.look(views.why, 1)]
    assert any("sms sent at" in line and "delivered at" in line for line in why)


def test_receipts_in_any_order_and_twice_tell_the_same(world: World, telephone: Telephone) -> None:
    world.pass_time(61, step=1)
    row = sent_row(world, "voice")
    assert receipt(world, row, "picked up")
    assert receipt(world, row, "rang")
    assert not receipt(world, row, "picked up")
    assert ("voice", "picked up") in fates(world)
    assert world.shown().acked_by is None, "a voicemail picks up too"


def test_a_receipt_for_another_message_counts_for_nothing(
    world: World, telephone: Telephone
) -> None:
    row = sent_row(world)
    forged = world.store.write(take_receipt, row, "SMother", "failed", None).result()
    assert not forged.done
    assert not world.store.write(take_receipt, 10**9, "SM1", "failed", None).result().done
    assert ("sms", "sent") in fates(world)


def test_a_text_that_fails_lets_the_call_go_at_once(world: World, telephone: Telephone) -> None:
    receipt(world, sent_row(world), "failed", "the phone is off or out of reach (30003)")
    began = world.clock.now
    world.run()
    assert [(got.kind, got.at) for got in world.phone] == [("sms", began), ("voice", began)]
    assert "voice goes at once, because sms failed" in world.timeline()
    assert any("30003" in line for line in world.timeline())


def test_a_number_that_will_never_work_is_set_aside_and_told(
    world: World, telephone: Telephone
) -> None:
    receipt(world, sent_row(world), "failed", "the number is unknown (30005)", bad_address=True)
    world.run()
    told = {got.to: got.what for got in world.slack if got.kind == "notice"}
    assert "sms does not reach you: the number is unknown" in told["U0ANAANA1"]
    assert "sms does not reach Ana Ruiz" in told["U0DEEDEE1"], "who answers for the rota hears it"
    assert any(got.kind == "voice" and "does not work" in got.what for got in world.phone)
    world.ack(1)
    world.phone.clear()
    world.told(world.alert("DiskFull"))
    world.pass_time(10, step=1)
    assert [got.kind for got in world.phone] == ["voice"], "the road that works goes at once"
    shown = world.store.look(views.contacts, "ana")
    assert {one.kind: one.set_aside for one in shown}["sms"]


def test_the_only_loud_road_is_tried_all_the_same(world: World, telephone: Telephone) -> None:
    for road in ("sms", "voice"):
        if road == "voice":
            world.pass_time(61, step=1)
        receipt(world, sent_row(world, road), "failed", "unknown (30005)", bad_address=True)
    world.run()
    world.ack(1)
    world.phone.clear()
    world.told(world.alert("DiskFull"))
    world.run()
    assert len(world.phone) == 1, "a page that may fail beats none"
    assert world.shown(2).paged[0].note == "no loud road"


def test_a_road_that_refuses_everything_is_set_aside_unless_the_fault_is_ours(
    world: World,
) -> None:
    """Three refusals for good end a message; a road whose own address is wrong sets nobody aside."""
    for blame, aside in ((Blame.ROAD, False), (Blame.MESSAGE, True)):
        world.told(world.alert(f"Broken{blame}"))
        for _ in range(60):
            world.clock.now += timedelta(seconds=5)
            for due in world.store.look(timers.due, limit=100):
                world.store.write(strike, due).result()
            for row in world.store.write(outbox.claim, "me", 100, timedelta(minutes=2)).result():
                fate = Fate("sent", provider_id="1")
                if row.kind == "loud" and row.payload["road"] == "sms":
                    fate = Fate("failed", answer="no", permanent=True, blame=blame)
                world.store.write(delivered, row.id, "me", fate).result()
        shown = {one.kind: one for one in world.store.look(views.contacts, "ana")}
        assert shown["sms"].set_aside is aside
        assert shown["sms"].why == "no"


def test_a_test_page_that_arrives_makes_a_road_good_again(
    world: World, telephone: Telephone
) -> None:
    receipt(world, sent_row(world), "failed", "unknown (30005)", bad_address=True)
    done = world.store.write(send_test_page, "ana", world.person("ana")).result()
    assert done.done
    world.run()
    assert not {one.kind: one for one in world.store.look(views.contacts, "ana")}["sms"].set_aside


def test_a_road_that_works_again_is_used_again(world: World, telephone: Telephone) -> None:
    row = sent_row(world)
    receipt(world, row, "failed", "unknown (30005)", bad_address=True)
    assert receipt(world, row, "delivered")
    shown = {one.kind: one for one in world.store.look(views.contacts, "ana")}
    assert not shown["sms"].set_aside
    assert shown["sms"].worked_at is not None


def test_a_refusal_at_once_ends_that_road_and_no_other(world: World) -> None:
    """The provider knows the number as bad when it is asked: no second try, the call goes at once."""
    world.told(world.alert())
    for row in world.store.write(outbox.claim, "me", 100, timedelta(minutes=2)).result():
        fate = Fate("sent", provider_id="1")
        if row.kind == "loud":
            fate = Fate("failed", answer="no such number", permanent=True, blame=Blame.ADDRESS)
        world.store.write(delivered, row.id, "me", fate).result()
    world.run()
    assert [got.kind for got in world.phone if got.incidents] == ["voice"]
    assert ("sms", "failed") in fates(world)
