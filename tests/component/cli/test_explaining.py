"""explain tells what would happen, by the real intake, and keeps nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from oncall_bot.cli.explaining import labels_of
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.prometheus.decode import decode
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.cli.conftest import CONFIG, Run, alert, body

RUNBOOK = (
    '---\ntitle: Checkout errors\nmatch: alertname="CheckoutErrors"\n---\n\n## Steps\n\n1. Look.\n'
)


@pytest.fixture
def applied(run: Run, url: str, config: Path) -> Run:
    """`run`, with Ana on call whatever the day of the test."""
    config.write_text(CONFIG.replace("users: [ana, bo]", "users: [ana]"))
    assert run("apply", str(config)).code == 0
    return run


def test_labels_alone_tell_route_group_severity_policy_people_and_roads(applied: Run) -> None:
    said = applied(
        "explain", "--labels", "alertname=CheckoutErrors,service=checkout,severity=critical"
    )
    assert said.code == 0
    assert "Alerts: 1 new." in said.out
    assert "Route: route rest" in said.out
    assert "Group: alertname=CheckoutErrors, service=checkout." in said.out
    assert "Severity: SEV2, urgency high, from severity=critical." in said.out
    assert "It would open an incident:" in said.out
    assert "Paged at once: Ana Ruiz: Ana Ruiz is on call for shop." in said.out
    assert "Ana Ruiz by push at" in said.out
    assert "Then, at" in said.out
    assert "Dee Marsh (step 2 of 2)" in said.out
    assert said.out.splitlines()[-1] == "Nothing of this was kept."


def test_a_payload_runs_the_real_intake_and_nothing_of_it_stays(
    applied: Run, home: Path, store: Store
) -> None:
    path = home / "body.json"
    path.write_text(body(alert("A", service="checkout"), alert("B", service="checkout")))
    found = applied("explain", "--payload", str(path), "--json").json
    assert found["verdicts"] == {"new": 2}
    assert [one["is_new"] for one in found["incidents"]] == [True]
    assert found["waiting"] == 1  # the second group of a team in a minute
    assert len(found["incidents"][0]["pages"]) == 1
    assert store.look(views.latest_incidents) == []
    again = applied("explain", "--payload", str(path), "--json").json
    assert again["verdicts"] == {"new": 2}


def test_a_payload_that_was_taken_already_would_change_nothing(applied: Run, store: Store) -> None:
    posted = body(alert("A", service="checkout"))
    store.write(receive_alerts, decode(posted.encode(), "default", datetime.now(UTC))).result()
    said = applied("explain", "--payload", "-", stdin=posted)
    assert "Alerts: 1 known to fire." in said.out
    assert "It would touch incident 1:" in said.out
    assert "Nobody would be paged by this." in said.out or "Then, at" in said.out
    assert "Paged at once" not in said.out


def test_an_alert_of_urgency_none_pages_nobody(applied: Run) -> None:
    said = applied("explain", "--labels", "alertname=Hello,severity=info")
    assert "Nobody is paged: urgency none is stored and searchable only." in said.out
    assert "Paged at once" not in said.out


def test_a_body_that_is_no_webhook_would_open_an_incident_about_it(applied: Run) -> None:
    said = applied("explain", "--payload", "-", stdin='{"alerts": [{"labels": 3}]}')
    assert "Unreadable, kept as it came: it has no labels." in said.out
    assert "Unreadable alerts from default" in said.out


def test_a_file_is_tried_with_its_runbooks_before_it_is_applied(run: Run, home: Path) -> None:
    (home / "runbooks").mkdir()
    (home / "runbooks" / "checkout-errors.md").write_text(RUNBOOK)
    path = home / "oncall.yaml"
    path.write_text(CONFIG + "runbooks: {dir: runbooks}\n")
    said = run(
        "explain", "--config", str(path), "--labels", "alertname=CheckoutErrors,service=checkout"
    )
    assert said.code == 0
    assert "Runbook: Checkout errors, because" in said.out
    assert sorted(one.name for one in home.iterdir()) == ["oncall.yaml", "runbooks"]


def test_what_is_no_json_is_one_line(applied: Run) -> None:
    said = applied("explain", "--payload", "-", stdin="nonsense")
    assert said.code == 1
    assert said.err.startswith("oncall-bot: The body is not JSON")


def test_an_unknown_source_is_told(applied: Run) -> None:
    said = applied("explain", "--labels", "alertname=A", "--source", "defalt")
    assert said.err == "oncall-bot: There is no source defalt; did you mean default?\n"


@pytest.mark.parametrize(
    "words", [(), ("--labels", "a=b", "--payload", "x"), ("--labels", "nonsense"), ("--labels", "")]
)
def test_one_of_labels_and_payload_is_needed_and_must_be_readable(
    words: tuple[str, ...], run: Run
) -> None:
    assert run("explain", *words).code == 2


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("a=b", {"a": "b"}),
        ("a=b,c=d e", {"a": "b", "c": "d e"}),
        (' a = b , c = "d,e" ', {"a": "b", "c": "d,e"}),
        (r'a="say \"hi\"",b=', {"a": 'say "hi"', "b": ""}),
        ("a=x=y", {"a": "x=y"}),
    ],
)
def test_labels_are_read_as_people_write_them(text: str, labels: dict[str, str]) -> None:
    assert labels_of(text) == labels


def test_escape_sequences_of_an_alert_never_reach_the_terminal(applied: Run) -> None:
    """A label may hold what moves the cursor or turns the text around."""
    evil = alert("A\x1b[2J\u202eB", service="checkout")
    said = applied("explain", "--payload", "-", stdin=body(evil))
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out
