"""Right, wrong, none fits, taken back: one press teaches the bot which runbook an alert has. On both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.outcomes import Outcome
from oncall_bot.core.runbooks import Runbook
from oncall_bot.files.runbooks import read_runbooks, starter_library
from oncall_bot.flows.import_runbooks import import_runbooks
from oncall_bot.flows.judge_runbook import call_none_fitting, call_right, call_wrong, take_back
from oncall_bot.store import timers
from tests.component.flows.world import World

ALERT = "TooManyRestarts"


LIBRARY = read_runbooks(starter_library())[0]


@pytest.fixture
def library(world: World) -> World:
    world.store.write(import_runbooks, "file", LIBRARY).result()
    return world


def burns(world: World, name: str = ALERT, service: str = "checkout") -> int:
    world.clock.now += timedelta(minutes=2)  # beyond the brake of the alert before
    world.told(world.alert(name, service=service), annotations={"summary": "a pod restarts"})
    world.run()
    return max(one.incident_id for one in world.open())


def judged(world: World, flow: object, incident_id: int, *more: int, by: str = "ana") -> Outcome:
    done: Outcome = world.store.write(flow, incident_id, world.person(by), *more).result()  # type: ignore[arg-type]
    world.run()
    return done


def test_what_may_fit_is_offered_and_the_chosen_one_is_certain_from_then_on(library: World) -> None:
    first = burns(library)
    shown = library.shown(first)
    assert shown.runbook is None
    assert shown.possible
    chosen = shown.possible[-1]
    done = judged(library, call_right, first, chosen.runbook_id)
    assert done.done
    assert f"{chosen.title} is the runbook of {ALERT} from now on" in done.reason
    shown = library.shown(first)
    assert shown.runbook is not None
    assert (shown.runbook.title, shown.runbook.why) == (chosen.title, "Ana Ruiz chose it")

    second = library.shown(burns(library, "Other")).incident_id  # nothing is learned for others
    assert (
        library.shown(second).runbook is None or library.shown(second).runbook.title != chosen.title
    )  # type: ignore[union-attr]


def test_the_next_alert_of_the_rule_has_the_runbook_at_once_without_a_search(
    library: World,
) -> None:
    first = burns(library)
    chosen = library.shown(first).possible[0]
    judged(library, call_right, first, chosen.runbook_id)
    library.told(library.alert(ALERT), ended=True, annotations={"summary": "a pod restarts"})
    library.clock.now += timedelta(hours=2)
    library.run()
    library.told(library.alert(ALERT, pod="b"), annotations={"summary": "a pod restarts"})
    library.clock.now += timedelta(seconds=5)
    library.run()
    again = max(one.incident_id for one in library.open())
    shown = library.shown(again)
    assert shown.runbook is not None
    assert shown.runbook.title == chosen.title
    assert shown.runbook.why.startswith("Ana Ruiz called it right for this alert on ")
    assert not library.store.look(timers.searches, limit=10)


def test_the_answer_is_about_this_service_only(library: World) -> None:
    first = burns(library)
    chosen = library.shown(first).possible[0]
    judged(library, call_right, first, chosen.runbook_id)
    elsewhere = library.shown(burns(library, service="search"))
    assert elsewhere.runbook is None


def test_a_wrong_one_goes_at_once_others_are_offered_and_it_does_not_come_back(
    library: World,
) -> None:
    first = burns(library)
    offered = library.shown(first).possible
    judged(library, call_right, first, offered[0].runbook_id)
    done = judged(library, call_wrong, first, offered[0].runbook_id, by="bo")
    assert done.done
    shown = library.shown(first)
    assert shown.runbook is None
    assert offered[0].runbook_id not in {one.runbook_id for one in shown.possible}
    assert [(one.right, one.by) for one in shown.judged] == [(False, "Bo Lindt")], (
        "the last word counts"
    )
    later = library.shown(burns(library, ALERT + "X"))
    assert later.possible, "another rule is not touched"


def test_none_fits_bars_all_that_were_shown(library: World) -> None:
    first = burns(library)
    offered = {one.runbook_id for one in library.shown(first).possible}
    assert judged(library, call_none_fitting, first).done
    shown = library.shown(first)
    assert (shown.runbook, list(shown.possible)) == (None, [])
    assert {one.runbook_id for one in shown.judged} == offered
    assert not judged(library, call_none_fitting, first).done, "nothing is left to bar"


def test_one_press_takes_an_answer_back(library: World) -> None:
    first = burns(library)
    chosen = library.shown(first).possible[0]
    judged(library, call_right, first, chosen.runbook_id)
    judged(library, call_wrong, first, chosen.runbook_id)
    assert judged(library, take_back, first, chosen.runbook_id, by="bo").done
    shown = library.shown(first)
    assert shown.runbook is not None
    assert shown.runbook.title == chosen.title
    assert not shown.judged
    assert not judged(library, take_back, first, chosen.runbook_id).done, "nothing is left"


def test_every_answer_is_audited_and_stands_in_the_timeline(library: World) -> None:
    first = burns(library)
    chosen = library.shown(first).possible[0]
    for flow in (call_right, call_wrong, take_back):
        judged(library, flow, first, chosen.runbook_id)
    verbs = [
        verb for (verb,) in library.rows("SELECT verb FROM audit ORDER BY id") if "runbook" in verb
    ]
    assert verbs == ["runbook.right", "runbook.wrong", "runbook.undo"]
    told = [line for line in library.timeline(first) if line.startswith("Ana Ruiz ")]
    assert told == [
        f"Ana Ruiz called the runbook {chosen.title} right for {ALERT}",
        f"Ana Ruiz called the runbook {chosen.title} wrong for {ALERT}",
        f"Ana Ruiz took back what was said on the runbook {chosen.title}",
    ]


def test_the_threads_message_is_drawn_anew_after_an_answer(library: World) -> None:
    first = burns(library)
    library.pass_time(20, step=1)
    before = len(library.slack)
    judged(library, call_right, first, library.shown(first).possible[0].runbook_id)
    library.pass_time(20, step=1)
    roles = dict(library.rows("SELECT id, role FROM slack_message"))
    drawn = {roles[int(got.what.split(":")[1])] for got in library.slack[before:]}
    assert "runbook" in drawn


def test_of_a_runbook_that_was_never_here_or_is_gone_nothing_is_learned(library: World) -> None:
    first = burns(library)
    assert "does not offer" in judged(library, call_right, first, 4711).reason
    chosen = library.shown(first).possible[0]
    library.store.write(import_runbooks, "file", LIBRARY[:1]).result()
    assert not judged(library, call_right, first, chosen.runbook_id).done
    assert "no incident 99" in judged(library, call_wrong, 99, chosen.runbook_id).reason


def test_where_the_runbooks_own_matchers_name_the_alert_that_is_said(world: World) -> None:
    own = Runbook("file", "own", "Own", matchers=parse_matchers([f'alertname="{ALERT}"']))
    world.store.write(import_runbooks, "file", [own]).result()
    first = burns(world)
    shown = world.shown(first).runbook
    assert shown is not None
    assert shown.runbook_id is not None
    done = judged(world, call_wrong, first, shown.runbook_id)
    assert "Its own matchers name TooManyRestarts: change them in the runbook" in done.reason
    assert world.shown(first).runbook is None
