"""Your own alerts: an example for every route of your configuration, one after the other.

What must be true is little, because it is your configuration: each of them reaches somebody or says why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from oncall_bot.practice.plot import ExampleAlert, Expectation, Look, Script, Setting, Step, Story
from oncall_bot.practice.series import Scraped
from oncall_bot.practice.stage import Stage

WAIT = timedelta(minutes=15)


def write(setting: Setting, at: datetime) -> Script:
    urgent = [one for one in setting.examples if one.urgent] or list(setting.examples)

    return Script(
        scraped=Scraped(),
        rules=(),
        steps=[
            Step(
                text=f"An alert for the route {one.route} fires: {_shown(one.labels)}.",
                hint="Watch who is paged, and on which roads.",
                begins=partial(_fires, one),
                says=f"the route {one.route} opens an incident with a card",
                done=partial(_mentioned, one),
                within=WAIT,
            )
            for one in urgent
        ],
        expectations=[
            Expectation("somebody was paged", lambda look: bool(look.paged())),
        ],
        over="Every route fired once. Ask “Why was this paged?” in a card's menu.",
    )


def _fires(one: ExampleAlert, stage: Stage) -> None:
    stage.alertmanager.fire(
        one.labels, {"summary": f"An example for the route {one.route}, from the practice"}
    )


def _mentioned(one: ExampleAlert, look: Look) -> bool:
    """Whether some card shows this alert; alerts of one group share a card."""
    return any(one.labels["alertname"] in card.text for card in look.cards())


def _shown(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()))


OWN_ALERTS = Story(
    name="own-alerts",
    title="Your own alerts",
    about="An example alert for every route of your configuration that wakes somebody.",
    minutes=3,
    write=write,
)
