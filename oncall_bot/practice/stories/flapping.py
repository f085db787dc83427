"""An alert that comes and goes: one incident that says so, no noise, and nobody woken again and again."""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.practice.alertmanager import Routing
from oncall_bot.practice.plot import Expectation, Hands, Look, Script, Setting, Step, Story
from oncall_bot.practice.stage import Stage
from oncall_bot.practice.stories.shop import error_rate, shop

TIMES = 4
APART = timedelta(seconds=60)
WELL_FOR = timedelta(seconds=35)
WINDOW = "15s"


def write(setting: Setting, at: datetime) -> Script:
    place = shop(setting.service, at)

    def flaps(stage: Stage) -> None:
        for n in range(TIMES):
            stage.at(APART * n, lambda: place.heals(stage))
            if n + 1 < TIMES:
                stage.at(APART * n + WELL_FOR, lambda: place.breaks(stage))
        stage.at(APART * (TIMES - 1) + WELL_FOR, lambda: calm.append(True))

    calm: list[bool] = []

    return Script(
        scraped=place.scraped,
        rules=[error_rate(place, setting.labels, window=WINDOW)],
        routing=Routing(group_wait=timedelta(seconds=1), group_interval=timedelta(seconds=5)),
        steps=[
            Step(
                text=f"Something in {setting.service} is loose: it fails, recovers, fails again.",
                hint="Watch #incidents. Press 10× if you are in a hurry.",
                begins=place.breaks,
                says="somebody is paged",
                done=lambda look: bool(look.paged()),
                within=timedelta(minutes=2) if not setting.own else timedelta(minutes=20),
            ),
            Step(
                text="Take it, then watch it come and go.",
                hint="Press Acknowledge.",
                hands=_take,
                says="it is acknowledged",
                done=lambda look: look.came_so_far("acknowledged"),
                within=timedelta(minutes=1),
            ),
            Step(
                text="It recovers and fails again, and again. The card counts; nothing new is posted.",
                hint="Press 10× or 30×: it takes some minutes.",
                begins=flaps,
                says="the card tells that it goes on and off",
                done=lambda look: "on and off" in _text(look) or "come back" in _text(look),
                within=timedelta(minutes=6),
            ),
            Step(
                text="At last it stays well. The same incident ends by itself, once its alerts have ended.",
                hint=None,
                says="the incident ends with its alerts",
                done=lambda look: bool(calm) and _state(look) == "resolved",
                within=timedelta(minutes=10),
            ),
        ],
        expectations=[
            Expectation(
                "one card, however often it came back",
                lambda look: len(look.cards()) == 1,
                lambda look: f"{len(look.cards())} cards",
            ),
            Expectation(
                "nobody's phone rang twice",
                lambda look: len({one.topic for one in look.all_rings()}) == len(look.all_rings()),
                lambda look: f"{len(look.all_rings())} rings",
            ),
        ],
        over="An alert that comes and goes leaves one incident and one page.",
    )


def _text(look: Look) -> str:
    card = look.card()
    return card.text if card else ""


def _state(look: Look) -> str:
    card = look.card()
    return card.state if card else ""


async def _take(hands: Hands, look: Look) -> None:
    await hands.press_page(look.paged()[0], "Acknowledge")


FLAPPING = Story(
    name="flapping",
    title="A flapping alert",
    about="An alert comes and goes four times: one incident, one page, no noise.",
    minutes=3,
    write=write,
)
