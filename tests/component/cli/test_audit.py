"""`oncall-bot audit`: who did what, newest first, in words and as JSON."""

from __future__ import annotations

from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.declare import declare
from oncall_bot.flows.resolve import resolve
from oncall_bot.store.db import Store
from tests.component.cli.conftest import CONFIG, Run

ANA = Actor("person", "ana", "Ana Ruiz")
EVE = Actor("slack", "U0EVEEVE1", "Eve")


def test_the_audit_tells_who_did_what_and_who_was_refused(
    run: Run, url: str, store: Store, home: object
) -> None:
    from pathlib import Path

    file = Path(str(home)) / "oncall.yaml"
    file.write_text(CONFIG.replace("version: 1", "version: 1\nrights: {default: viewer}"))
    assert run("apply", "oncall.yaml").code == 0
    for n in (1, 2):
        assert (
            store.write(
                declare, f"Checkout fails {n}", "SEV2", ANA, service="checkout", press_id=str(n)
            )
            .result()
            .done
        )
    assert store.write(resolve, 1, EVE).result().refused
    assert store.write(resolve, 2, ANA, reason="it was the pool").result().done

    told = run("audit").out.splitlines()
    assert told[0].split() == ["WHEN", "WHO", "WHAT"]
    assert "Ana Ruiz" in told[1]
    assert "resolved incident 2." in told[1]
    assert "applied revision" in told[-1]
    (line,) = run("audit", "--refused", "--since", "7d", "--json").json
    assert (line["actor"], line["about"], line["refused"]) == (
        "slack:U0EVEEVE1",
        "incident:1",
        True,
    )
    assert "Your role is viewer in team shop" in line["text"]
    assert len(run("audit", "--incident", "1", "--json").json) == 2
    assert len(run("audit", "--by", "Ana Ruiz", "--json").json) == 3
    assert len(run("audit", "--by", "ana", "--incident", "2", "--limit", "1", "--json").json) == 1
    assert run("audit", "--incident", "99").out == "The audit holds nothing of that.\n"
    assert run("audit", "--since", "lately").code == 1
