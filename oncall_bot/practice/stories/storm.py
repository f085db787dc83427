"""A storm: a network breaks, forty things fire within seconds, and people get one incident and one page."""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.practice.alertmanager import Routing
from oncall_bot.practice.plot import Card, Expectation, Hands, Look, Script, Setting, Step, Story
from oncall_bot.practice.prometheus import Rule
from oncall_bot.practice.series import Scraped, Signal
from oncall_bot.practice.stage import Stage

PLACES = 40


def write(setting: Setting, at: datetime) -> Script:
    scraped = Scraped()
    down = [Signal(1.0) for _ in range(PLACES)]
    rules = []
    for n, signal in enumerate(down):
        host = f"host-{n + 1:02d}"
        name, labels = _alert(setting, n)
        scraped.gauge("up", signal, instance=f"{host}:9100", job="node")
        rules.append(
            Rule(
                alert=name,
                expr=f'up{{instance="{host}:9100"}} == 0',
                labels=labels,
                annotations={"summary": host + " does not answer"},
            )
        )

    def breaks(stage: Stage) -> None:
        now = stage.clock.now().timestamp()
        for signal in down:
            signal.move(now, 0.0)

    def heals(stage: Stage) -> None:
        now = stage.clock.now().timestamp()
        for signal in down:
            signal.move(now, 1.0, 1.0)

    return Script(
        scraped=scraped,
        rules=rules,
        routing=Routing(
            group_by=("alertname", "service", "instance"),
            group_wait=timedelta(seconds=1),
            group_interval=timedelta(seconds=10),
        ),
        steps=[
            Step(
                text=f"A switch dies. {PLACES} hosts stop answering within seconds, each with an alert of its own.",
                hint="Watch #incidents: how many cards will there be?",
                begins=breaks,
                says="somebody is paged",
                done=lambda look: bool(look.paged()),
                within=timedelta(minutes=2) if not setting.own else timedelta(minutes=20),
            ),
            Step(
                text="oncall-bot sees that this is one thing, not forty.",
                hint="Look at the card: it counts alerts and names where.",
                says="all of it is one storm incident" if not setting.own else "it has its card",
                done=lambda look: setting.own or any(map(_is_storm, look.cards())),
                within=timedelta(minutes=2),
            ),
            Step(
                text="One person has it all. Take it.",
                hint="Press Acknowledge on the newest card.",
                hands=_take,
                says="one acknowledgement is enough",
                done=_taken,
                within=timedelta(minutes=1),
            ),
            Step(
                text="The switch is replaced, and the alerts end.",
                hint="Wait a moment: the incident ends with its alerts.",
                begins=heals,
                says="the storm is over once its alerts have ended",
                done=lambda look: bool(look.cards()) and _main(look).is_at_least("resolved"),
                within=timedelta(minutes=5),
            ),
        ],
        expectations=[
            Expectation(
                "one card for forty alerts",
                lambda look: len(look.cards()) == 1,
                lambda look: f"{len(look.cards())} cards",
            ),
            Expectation(
                "no phone rang twice",
                lambda look: max(map(len, _phones(look)), default=0) <= 1,
                lambda look: f"{len(look.all_rings())} rings",
            ),
        ],
        over="Forty alerts, one page. Every alert is stored all the same.",
    )


def _alert(setting: Setting, n: int) -> tuple[str, dict[str, str]]:
    """The name and the labels of one host's alert: enough groups for a storm under anybody's routes."""
    labels = {k: v for k, v in setting.labels.items() if k != "alertname"}
    if setting.own:
        return f"HostUnreachable{n + 1:02d}", labels
    return "HostUnreachable", {**labels, "service": ("checkout", "search")[n % 2]}


def _is_storm(card: Card) -> bool:
    return "Many alerts at once" in card.text


def _main(look: Look) -> Card:
    """The storm's card, else the first that is not part of another."""
    cards = look.cards()
    return next(
        (one for one in cards if _is_storm(one)),
        next((one for one in cards if one.state != "quiet"), cards[0]),
    )


def _taken(look: Look) -> bool:
    return bool(look.cards()) and _main(look).is_at_least("acknowledged")


def _phones(look: Look) -> list[list[object]]:
    by_topic: dict[str, list[object]] = {}
    for ring in look.all_rings():
        by_topic.setdefault(ring.topic, []).append(ring)
    return list(by_topic.values())


async def _take(hands: Hands, look: Look) -> None:
    card = _main(look)
    await hands.press(look.paged()[0], card.channel, card.message, "Acknowledge")


STORM = Story(
    name="storm",
    title="A storm",
    about="A switch dies and forty alerts fire within seconds: one incident, one page.",
    minutes=2,
    write=write,
)
