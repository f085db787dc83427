"""What responders answered makes a runbook certain for an alert, or bars it; matchers of the file stand above."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oncall_bot.core.certain import RunbookIndex, certain, choose
from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.runbooks import Runbook
from oncall_bot.core.verdicts import RULE_LIMIT, Answers, Said, Verdict, rule_of

AT = datetime(2026, 11, 3, 3, 7, tzinfo=UTC)
LABELS = {"alertname": "LedgerLagHigh", "service": "payments"}
LAG = Runbook("file", "queue-lag", "Queue consumer falls behind")
NAMED = Runbook("file", "ledger-lag-high", "Ledger lag")
MATCHED = Runbook(
    "file", "ledger", "The ledger", matchers=parse_matchers(['alertname="LedgerLagHigh"'])
)


def said(verdict: Verdict, *books: Runbook, by: str = "Ana Ruiz", later: int = 0) -> Answers:
    at = AT + timedelta(days=later)
    return {book.identity: Said(verdict, by, at) for book in books}


def chosen(answers: Answers, *books: Runbook) -> str | None:
    match = choose(LABELS, {}, RunbookIndex(books), answers=answers)
    return match.runbook.slug if match else None


def test_one_right_answer_makes_the_same_alert_certain_and_says_whose_word_it_was() -> None:
    assert chosen({}, LAG) is None
    (match,) = certain(LABELS, {}, RunbookIndex([LAG]), answers=said(Verdict.RIGHT, LAG))
    assert (match.runbook, match.how, match.score) == (LAG, "learned", 1.0)
    assert match.why == "Ana Ruiz called it right for this alert on 2026-11-03"


def test_one_wrong_answer_bars_a_name_and_a_link_but_not_the_runbooks_own_matchers() -> None:
    assert chosen({}, NAMED) == "ledger-lag-high"
    assert chosen(said(Verdict.WRONG, NAMED), NAMED) is None
    linked = {"runbook_url": "https://wiki/queue-lag"}
    index = RunbookIndex([LAG])
    assert choose(LABELS, linked, index) is not None
    assert choose(LABELS, linked, index, answers=said(Verdict.WRONG, LAG)) is None
    assert chosen(said(Verdict.WRONG, MATCHED), MATCHED) == "ledger"


def test_the_name_stands_above_an_answer_and_the_newest_answer_above_older_ones() -> None:
    assert chosen(said(Verdict.RIGHT, LAG), LAG, NAMED) == "ledger-lag-high"
    other = Runbook("file", "restart", "Restart a stuck worker")
    both = {**said(Verdict.RIGHT, LAG), **said(Verdict.RIGHT, other, later=1)}
    assert chosen(both, LAG, other) == "restart"


def test_an_answer_on_a_runbook_that_is_gone_is_passed_over() -> None:
    assert chosen(said(Verdict.RIGHT, LAG), NAMED.__class__("file", "other", "Other")) is None


def test_an_answer_is_about_the_alert_in_its_service() -> None:
    assert rule_of("HighErrorRate", "checkout") != rule_of("HighErrorRate", "search")
    assert len(rule_of("x" * 5000, "y")) == RULE_LIMIT
    assert rule_of(None, None) == "|"
