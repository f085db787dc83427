"""What people do by hand: declare, draft, write down, add a road, cover a shift."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.pins import PinKind
from oncall_bot.core.situation import State
from oncall_bot.core.spending import Ending, Judged, ModelCall, Usage
from oncall_bot.core.verification import Claim
from oncall_bot.flows.contacts import add_contact, remove_contact, send_test_page, verify_contact
from oncall_bot.flows.declare import change_severity, declare, note
from oncall_bot.flows.drafting import add_narrative, request_draft
from oncall_bot.flows.inbound import seen
from oncall_bot.flows.model_calls import book_call
from oncall_bot.flows.pinning import pin
from oncall_bot.flows.record_chat import record_chat
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.set_override import set_override
from oncall_bot.ports import Prose
from oncall_bot.store import drafts, model_calls, views
from tests.component.flows.world import DOCUMENT, World
from tests.databases import HandClock


def test_a_declared_incident_pages_and_is_never_closed_by_alerts(world: World) -> None:
    outcome = world.store.write(
        declare, "Checkout is slow", "SEV1", world.person("bo"), service="checkout", press_id="p1"
    ).result()
    world.run()
    assert outcome.incident_id == 1
    assert world.rang() == ["ana-phone"]
    assert (world.shown().origin, world.shown().declared_by) == ("declared", "Bo Lindt")


def test_the_same_press_declares_once(world: World) -> None:
    first = world.store.write(declare, "Slow", "SEV2", world.person("bo"), press_id="p1").result()
    second = world.store.write(declare, "Slow", "SEV2", world.person("bo"), press_id="p1").result()
    assert (first.done, second.done, second.incident_id) == (True, False, 1)


@pytest.mark.parametrize(
    ("title", "severity", "reason"),
    [
        ("  ", "SEV2", "Give the incident a title: what is broken, and where."),
        ("Slow", "SEV9", "I can't read 'SEV9' as a severity; use SEV1 to SEV5."),
    ],
)
def test_a_declaration_that_cannot_be_read_says_what_would_do(
    world: World, title: str, severity: str, reason: str
) -> None:
    assert (
        world.store.write(declare, title, severity, world.person("bo"), press_id="p")
        .result()
        .reason
        == reason
    )


def test_raising_the_severity_by_hand_pages_from_step_one(world: World) -> None:
    world.told(world.alert(severity="warning"))
    world.run()
    world.store.write(change_severity, 1, "SEV1", world.person("bo")).result()
    world.run()
    assert world.rang() == ["ana-phone"]
    world.store.write(change_severity, 1, "SEV3", world.person("bo")).result()
    assert world.shown().severity == "SEV3"


def test_a_resolved_critical_incident_is_drafted_after_a_quiet_quarter_of_an_hour(
    world: World,
) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.ack(1)
    world.clock.advance(600)
    world.told(world.alert(), starts_at=start, ended=True)
    world.pass_time(14 * 60)
    assert world.store.look(views.draft, 1, "postmortem") is None
    world.pass_time(2 * 60)
    text = world.store.look(views.draft, 1, "postmortem") or ""
    assert "High error rate on checkout" in text
    assert "## Timeline" in text


def test_a_warning_is_not_drafted_unless_somebody_asks(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(severity="warning"), starts_at=start)
    world.told(world.alert(severity="warning"), starts_at=start, ended=True)
    world.pass_time(3600)
    assert world.store.look(views.draft, 1, "postmortem") is None
    world.store.write(request_draft, 1, "postmortem", world.person("ana")).result()
    assert world.store.look(views.draft, 1, "postmortem")


def test_a_models_sentence_with_a_number_the_record_lacks_is_left_out(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1)
    world.store.write(request_draft, 1, "summary", world.person("ana")).result()
    events = world.store.look(views.record, 1)["events"]
    ack = next(e["id"] for e in events if e["kind"] == "ack")
    claims = [
        Claim("Ana Ruiz acknowledged the incident.", "summary", (ack,)),
        Claim("Ana Ruiz acknowledged after 4711 users had complained.", "summary", (ack,)),
    ]
    call = ModelCall("m1", "draft", Ending.ANSWERED, Usage(900, 80), 1200, "ab" * 32, 2, 1, 1)
    world.store.write(book_call, call).result()
    prose = Prose(
        tuple(claims), (Judged("ab" * 32, 1, 0, 1),), "Some prose is missing: it was late."
    )
    kept = world.store.write(add_narrative, 1, prose).result()
    text = world.store.look(views.draft, 1, "summary") or ""
    assert kept <= 1
    assert "4711" not in text
    assert "Some prose is missing: it was late." in text
    assert "does not bear out" in text
    (row,) = world.rows(
        "SELECT purpose, outcome, tokens, cost, kept, marked, dropped FROM llm_call"
    )
    assert tuple(row) == ("draft", "answered", 980, pytest.approx(0.0183), 1, 0, 1)
    (check,) = drafts.sentences_of(world.store.look(lambda reader: drafts.get(reader, 1)))
    assert "4711" in check["text"]
    assert check["outcome"] == "drop"


def test_what_was_spent_counts_the_incident_for_ever_and_money_for_a_day(
    world: World, clock: HandClock
) -> None:
    world.told(world.alert())
    call = ModelCall("m1", "draft", Ending.ANSWERED, Usage(100_000, 0), 1, "ab" * 32, 0, 1)
    world.store.write(book_call, call).result()
    before = world.store.look(model_calls.spent, 1)
    assert (before.incident_tokens, before.day_cost) == (100_000, pytest.approx(1.5))
    world.apply({**DOCUMENT, "llm": {"daily_cap": "1.50 USD"}})
    assert "daily_cap" in (world.store.look(views.model_allowance, "m1").refused or "")
    assert "daily_cap" in (world.store.look(views.disclosure, 1, "m1").refused or "")
    clock.advance(24 * 3600 + 60)
    after = world.store.look(model_calls.spent, 1)
    assert (after.incident_tokens, after.day_cost) == (100_000, 0.0)


def test_labels_that_are_withheld_are_found_on_the_alerts_of_the_incident(world: World) -> None:
    llm = {"never_labels": ["customer"], "sends": ["severity:SEV2"]}
    world.apply({**DOCUMENT, "llm": llm})
    world.told(world.alert(customer="Acme GmbH"))
    found = world.store.look(views.disclosure, 1, "m1")
    assert found.refused is None
    assert found.withheld == ("Acme GmbH",)
    world.apply({**DOCUMENT, "llm": {"sends": ["severity:SEV1"]}})
    assert "does not name" in (world.store.look(views.disclosure, 1, "m1").refused or "")


def test_what_is_said_in_the_thread_goes_on_the_record_once_and_can_be_pinned(world: World) -> None:
    world.told(world.alert())
    world.run()
    root = world.rows("SELECT channel_id, ts FROM slack_message WHERE role = 'root'")[0]
    ana = world.person("ana")
    for _ in range(2):
        world.store.write(
            record_chat, root[0], root[1], "1772452900.000100", ana, "pool is empty"
        ).result()
    bo = world.person("bo")
    world.store.write(pin, root[0], "1772452900.000100", PinKind.KEEP, bo).result()
    assert world.timeline().count("pool is empty") == 2  # said once, pinned once
    elsewhere = world.store.write(record_chat, "C1", "9.9", "9.9", ana, "lunch?").result()
    assert not elsewhere.done


def test_a_note_of_nothing_is_refused(world: World) -> None:
    world.told(world.alert())
    assert not world.store.write(note, 1, "   ", world.person("ana")).result().done
    assert not world.store.write(note, 99, "hello", world.person("ana")).result().done


def test_an_event_is_taken_once(world: World) -> None:
    assert world.store.write(seen, "slack", "Ev1").result() is False
    assert world.store.write(seen, "slack", "Ev1").result() is True


def code_of(world: World) -> str:
    """The six digits that came over the new road."""
    payload = world.rows("SELECT payload FROM outbox WHERE kind = 'loud' ORDER BY id DESC LIMIT 1")[
        0
    ][0]
    text = payload if isinstance(payload, str) else str(payload)
    return next(word.strip('.",') for word in text.split() if word.strip('.",').isdigit())


def test_a_road_counts_once_its_code_came_back(world: World) -> None:
    cy = world.person("cy")
    added = world.store.write(add_contact, "cy", "push", "cy-phone", cy).result()
    code = code_of(world)
    world.run()
    assert added.done
    assert world.rang() == ["cy-phone"]
    assert (
        not world.store.write(verify_contact, "cy", "000000" if code != "000000" else "1", cy)
        .result()
        .done
    )
    assert world.store.write(verify_contact, "cy", code, cy).result().reason == "Your push works."
    shown = world.store.look(views.contacts, "cy")
    assert [(c.kind, c.verified, c.loud) for c in shown] == [("push", True, True)]


def test_a_code_is_not_guessed_and_not_used_late(world: World) -> None:
    cy = world.person("cy")
    world.store.write(add_contact, "cy", "push", "cy-phone", cy).result()
    code = code_of(world)
    for _ in range(5):
        world.store.write(
            verify_contact, "cy", "111111" if code != "111111" else "222222", cy
        ).result()
    assert not world.store.write(verify_contact, "cy", code, cy).result().done
    world.store.write(add_contact, "cy", "push", "cy-phone", cy).result()
    code = code_of(world)
    world.clock.advance(16 * 60)
    assert not world.store.write(verify_contact, "cy", code, cy).result().done


def test_the_code_is_not_kept_in_the_database_as_it_is(world: World) -> None:
    world.store.write(add_contact, "cy", "push", "cy-phone", world.person("cy")).result()
    stored = world.rows("SELECT code_sha256 FROM contact_method")[0][0]
    assert stored == hashlib.sha256(f"cy:{code_of(world)}".encode()).hexdigest()


def test_own_roads_can_be_removed_and_tested(world: World) -> None:
    ana = world.person("ana")
    tested = world.store.write(send_test_page, "ana", ana).result()
    world.run()
    assert tested.reason == "A test page is on its way by Slack, push."
    assert world.rang() == ["ana-phone"]
    assert (
        not world.store.write(remove_contact, "ana", "push", None, ana).result().done
    )  # the file owns it


def test_an_override_changes_who_is_paged_and_tells_both(world: World) -> None:
    now = world.clock.now
    outcome = world.store.write(
        set_override, "primary", now, now + timedelta(hours=2), "bo", world.person("cy")
    ).result()
    world.run()
    world.told(world.alert())
    world.run()
    assert outcome.done
    assert world.rang() == ["bo-phone"]
    assert {got.to for got in world.slack if got.kind == "notice"} == {"U0ANAANA1", "U0BOBOBO1"}


def test_an_override_that_cannot_be_is_refused(world: World) -> None:
    now, bo = world.clock.now, world.person("bo")
    past = world.store.write(
        set_override, "primary", now - timedelta(hours=3), now, "bo", bo
    ).result()
    unknown = world.store.write(
        set_override, "nowhere", now, now + timedelta(hours=1), "bo", bo
    ).result()
    assert (past.done, unknown.done) == (False, False)
    assert "Schedules: nobody, primary" in unknown.reason or "primary" in unknown.reason


def test_the_record_of_an_incident_makes_a_draft_by_itself(world: World) -> None:
    from oncall_bot.core.facts import facts_of
    from oncall_bot.core.records import parse_record

    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.clock.advance(180)
    world.ack(1)
    world.clock.advance(600)
    world.store.write(resolve, 1, Actor("person", "ana", "Ana Ruiz")).result()
    facts = facts_of(parse_record(world.store.look(views.record, 1)))
    assert facts.time_to_ack == timedelta(minutes=3)
    assert facts.time_to_resolve == timedelta(minutes=13)
    assert world.shown().state is State.RESOLVED
