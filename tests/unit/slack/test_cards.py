"""The card answers in this order: what is broken, who has it, now, known, next, then the buttons."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oncall_bot.core.situation import Paged, RoadFate, Situation, State
from oncall_bot.slack.cards import card
from oncall_bot.slack.dms import page
from oncall_bot.slack.threads import work_log
from tests.unit.slack import situations as s
from tests.unit.slack.situations import at


def plain(text: str) -> str:
    """As a reader in UTC sees it."""
    shown = re.sub(
        r"<!date\^\d+\^[^|]*\|([^>]*)>", lambda found: found[1].removesuffix(" UTC"), text
    )
    shown = re.sub(r"<(?:https?:)[^|>]*\|([^>]*)>", r"\1", shown)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def lines(situation: Situation, **more: Any) -> list[str]:
    """The card's words block by block; buttons as [Name]."""
    out = []
    for block in card(situation, situation.updated_at, **more).blocks:
        if block["type"] == "actions":
            out.append(" ".join(f"[{_name(element)}]" for element in block["elements"]))
        elif "fields" in block:
            out += [plain(one["text"]).replace("\n", ": ") for one in block["fields"]]
        elif block["type"] == "context":
            out += [plain(one["text"]) for one in block["elements"]]
        else:
            out.append(plain(block["text"]["text"]))
    return out


def _name(element: dict[str, Any]) -> str:
    if element["type"] == "overflow":
        return ", ".join(option["text"]["text"] for option in element["options"])
    return str(element["text"]["text"]) + ("*" if element.get("style") == "primary" else "")


def test_a_firing_incident_asks_for_an_answer_and_says_what_happens_without_one() -> None:
    assert lines(s.FIRING) == [
        "🔴 High error rate on checkout",
        "*Nobody has answered yet.* SEV2, firing since 03:07.",
        "*Now*  3 alerts firing on checkout.",
        "*Known*  First alert: `HighErrorRate` 03:07.",
        "*Next*  Ana Ruiz has until 03:12 to acknowledge, then Bo Lindt is paged (step 2 of 3).",
        "[Acknowledge*] [Escalate now] [Silence…, Hand over…, Change severity…, Resolve…, Why was this paged?]",
        (
            "*3 alerts firing*\n`HighErrorRate` 2 (eu-west, eu-north)  ·  `SlowCheckout` 1\n"
            ">5xx ratio > 2 % & rising <!channel> see wiki"
        ),
        (
            "*Runbook* Checkout error rate is high, 5 steps, in the thread\n"
            "_Why this one:_ its rule names alertname=HighErrorRate and service=checkout"
        ),
        "*Paged*\nAna Ruiz, step 1: Slack sent 03:07, push sent 03:07, phone 03:08\nBo Lindt, step 2 of 3: at 03:12",
        "Incident 42  ·  SEV2  ·  checkout  ·  updated 03:10",
    ]


def test_the_push_lines_say_what_it_is_how_bad_what_and_where() -> None:
    assert {
        name: card(one, one.updated_at).text
        for name, one in s.STATES.items()
        if name != "hostile-text"
    } == {
        "firing": "Incident 42 SEV2 firing: High error rate on checkout. Paging Ana Ruiz.",
        "acknowledged": "Incident 42 SEV2 acknowledged by Ana Ruiz: High error rate on checkout.",
        "unanswered": "Incident 42 SEV2: nobody has answered for 15 min. High error rate on checkout",
        "storm": "Incident 43 SEV1 storm: Many alerts at once on shop. Paging Ana Ruiz.",
        "mitigated": "Incident 42 SEV2 mitigated: High error rate on checkout.",
        "resolved": "Incident 42 SEV2 resolved after 39 min: High error rate on checkout.",
        "ended-alone": "Incident 42 SEV2 resolved after 39 min: High error rate on checkout.",
        "nobody": "Incident 42 SEV2: nobody is on call for checkout Paging Dee Marsh.",
        "second-road": "Incident 42 SEV2 firing: High error rate on checkout. Paging Ana Ruiz.",
        "silenced": "Incident 42 SEV2 silenced until 06:00 UTC: High error rate on checkout. Nobody is paged.",
        "flapping": "Incident 42 SEV3 acknowledged by Ana Ruiz: High error rate on checkout.",
        "merged": "Incident 42 SEV2 is now part of incident 43: High error rate on checkout.",
        "declared": "Incident 46 SEV2 declared: Checkout fails for some cards. Paging Ana Ruiz.",
        "quiet": "Incident 42 SEV5 firing: High error rate on checkout.",
    }


@pytest.mark.parametrize(
    ("situation", "people"),
    [
        (s.ACKNOWLEDGED, "*Ana Ruiz is on it.* SEV2, acknowledged 03:10, 3 min after the page."),
        (s.UNANSWERED, "*Nobody has answered for 15 min.* SEV2, firing since 03:07."),
        (s.MITIGATED, "*Mitigated, being watched.* SEV2, Ana Ruiz has it, since 03:31."),
        (s.RESOLVED, "*Resolved by Ana Ruiz.* SEV2, 03:07 to 03:46, 39 min."),
        (s.ENDED_ALONE, "*Resolved, its alerts ended.* SEV2, 03:07 to 03:46, 39 min."),
        (s.NOBODY, "*Nobody is on call. The fallback was paged.* SEV2, firing since 03:07."),
        (s.SILENCED, "*Silenced by Bo Lindt, nobody is paged.* SEV2, until 06:00."),
        (s.FLAPPING, "*Ana Ruiz is on it.* SEV3, on and off 4 times in 17 min."),
        (s.MERGED, "*Part of incident 43, nobody is paged here.* SEV2."),
        (s.DECLARED, "*Nobody has answered yet.* SEV2, declared by Cy Okafor 03:07."),
        (s.QUIET, "*Nobody is paged for this.* SEV5, firing since 03:07."),
    ],
)
def test_line_two_says_who_has_it(situation: Situation, people: str) -> None:
    assert lines(situation)[1] == people


@pytest.mark.parametrize(
    ("situation", "buttons"),
    [
        (s.FIRING, "[Acknowledge*] [Escalate now]"),
        (s.NOBODY, "[Acknowledge*] [Escalate now] [Page someone…]"),
        (s.STORM, "[Acknowledge*] [Escalate now] [All alerts]"),
        (s.ACKNOWLEDGED, "[Mitigated] [Resolve] [Get help]"),
        (s.MITIGATED, "[Resolve]"),
        (s.RESOLVED, "[Review summary*] [Draft postmortem]"),
        (s.SILENCED, "[End the silence] [Acknowledge]"),
        (s.QUIET, "[Acknowledge*]"),
    ],
)
def test_a_state_offers_what_helps_and_no_more(situation: Situation, buttons: str) -> None:
    shown = next(line for line in lines(situation) if line.startswith("["))
    assert shown.rpartition(" [")[0].startswith(buttons)


def test_a_resolved_card_is_figures_that_were_counted() -> None:
    assert lines(s.RESOLVED)[2:8] == [
        "*Open for*: 39 min",
        "*Acknowledged after*: 3 min",
        "*Mitigated after*: 24 min",
        "*Pages*: 1 person, 2 messages",
        "*Alerts*: 3",
        "*Ended by*: Ana Ruiz",
    ]


def test_an_unanswered_card_shows_the_fate_of_each_page_first() -> None:
    shown = lines(s.UNANSWERED)
    buttons = next(n for n, line in enumerate(shown) if line.startswith("["))
    assert shown[buttons + 1].startswith("*Paged*")
    assert (
        "Bo Lindt, step 2: Slack sent 03:12, *phone failed* 03:13 (number not reachable)"
        in shown[buttons + 1]
    )


def test_the_counts_of_a_storm_add_up() -> None:
    where = next(line for line in lines(s.STORM) if line.startswith("*Where*"))
    counts = [int(line.rsplit(" ", 1)[1]) for line in where.splitlines()[1:]]
    assert sum(counts) == 412
    assert where.endswith("2 more services 14")


def test_a_page_that_slack_refused_is_told_with_the_road_that_carried_it() -> None:
    assert lines(s.SECOND_ROAD)[3].startswith(
        "*Known*  Slack refused Ana Ruiz's page 03:07; it went by phone."
    )


def test_a_late_card_says_so() -> None:
    assert "this card was posted 6 min late" in lines(s.FIRING, late=timedelta(minutes=6))[-1]


def test_no_measured_value_is_invented() -> None:
    assert lines(replace(s.FIRING, firing=1))[2] == "*Now*  1 alert firing on checkout."
    assert lines(s.DECLARED)[2] == "*Now*  No alert belongs to this incident."
    assert lines(s.MITIGATED)[2] == "*Now*  No alert fires now; all 3 have ended."
    assert "No runbook fits." in lines(replace(s.FIRING, runbook=None))[3]


def test_resolving_while_alerts_fire_asks_once_more() -> None:
    def asked(situation: Situation) -> Any:
        blocks = card(situation, situation.updated_at).blocks
        elements = next(block for block in blocks if block["type"] == "actions")["elements"]
        return next(e for e in elements if e["action_id"] == "incident.resolve").get("confirm")

    assert asked(s.ACKNOWLEDGED)["text"]["text"].startswith("3 alerts still fire.")
    assert asked(s.MITIGATED) is None


def test_a_card_with_hundreds_of_pages_and_alerts_still_fits() -> None:
    many = tuple(
        Paged(f"p{n}", f"Person {n}", n, at(n), (RoadFate("slack", "sent", at(n)),))
        for n in range(1, 400)
    )
    shown = lines(replace(s.FIRING, paged=many, updated_at=at(400)))
    paged = next(line for line in shown if line.startswith("*Paged*"))
    assert "391 earlier pages not shown" in paged
    assert "Person 399" in paged


def dm(situation: Situation, **changed: object) -> str:
    drawn = page(s.notice(situation, **changed), at(15))
    return plain("\n".join(b["text"]["text"] for b in drawn.blocks if b["type"] == "section"))


def test_the_page_names_the_duty_first_on_the_phone() -> None:
    assert page(s.notice(s.FIRING), at(0)).text == (
        "Page: SEV2 High error rate on checkout. Answer by 03:12 UTC."
    )
    assert "*You are on call* (shop-primary, step 1 of 3)." in dm(s.FIRING)


def test_whoever_answered_gets_the_way_on_and_the_others_may_sleep() -> None:
    assert "*You have it* since 03:10." in dm(s.ACKNOWLEDGED)
    assert "*You have it* since 03:10." in dm(replace(s.ACKNOWLEDGED, acked_by_key="U0ANA00001"))
    other = dm(s.ACKNOWLEDGED, person_key="bo", slack_id="U0BO000001", step=2)
    assert "Ana Ruiz has it since 03:10. *Nothing for you to do.*" in other


@pytest.mark.parametrize("state", [state for state in State if state is not State.FIRING])
def test_a_page_that_is_over_has_no_acknowledge_button(state: State) -> None:
    drawn = page(s.notice(replace(s.SILENCED, state=state)), at(15))
    assert "page.ack" not in str(drawn.blocks)


def test_the_work_log_is_one_message_newest_last_with_the_oldest_folded() -> None:
    blocks = work_log(s.LOG, at(15)).blocks
    assert plain(blocks[1]["text"]["text"]) == "22 older entries"
    assert plain(blocks[2]["text"]["text"]).splitlines()[-2:] == [
        "03:16  *Ana Ruiz:* “pool is empty on both pods, 0 idle” 📌",
        "03:19  *Bo <Lindt>:* “<!channel> :\u2060fire: ∗not ours∗”",
    ]


def test_a_long_work_log_folds_itself() -> None:
    many = replace(s.LOG, entries=[replace(s.LOG.entries[3], text="x" * 300)] * 400)
    drawn = work_log(many, at(15))
    assert "older entries" in drawn.blocks[1]["text"]["text"]
    assert len(str(drawn.blocks)) < 13_000


def test_a_deed_is_told_once_and_a_word_is_quoted() -> None:
    deed = replace(s.LOG.entries[3], actor="Ana Ruiz", text="Ana Ruiz acknowledged", pinned=False)
    blocks = work_log(replace(s.LOG, entries=[deed], folded=0), at(15)).blocks
    assert plain(blocks[1]["text"]["text"]) == "03:16  *Ana Ruiz* acknowledged"


def test_where_no_runbook_is_sure_the_card_says_where_the_possible_ones_lie() -> None:
    s_ = replace(s.FIRING, runbook=None, possible=s.POSSIBLE)
    assert "No runbook is sure; 2 possible ones in the thread." in lines(s_)[3]
