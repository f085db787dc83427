"""An unanswered page: Ana does not answer, so the next person is paged, by time and not by luck."""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.practice.plot import Expectation, Hands, Look, Script, Setting, Step, Story
from oncall_bot.practice.stories.shop import error_rate, shop


def write(setting: Setting, at: datetime) -> Script:
    place = shop(setting.service, at)
    first = "Ana" if not setting.own else "whoever is on call"
    return Script(
        scraped=place.scraped,
        rules=[error_rate(place, setting.labels)],
        steps=[
            Step(
                text=f"{setting.service} fails in the night, and {first} is paged.",
                hint="Do nothing. That is the story.",
                begins=place.breaks,
                says=f"{first} is paged",
                done=lambda look: len(look.paged()) >= 1,
                within=timedelta(minutes=2) if not setting.own else timedelta(minutes=20),
            ),
            Step(
                text="Nobody answers. The card says who is next, and when.",
                hint="Do nothing still; press 30× or Skip ahead.",
                says="the next person is paged because nobody answered",
                done=lambda look: len(look.paged()) >= 2,
                within=timedelta(minutes=6) if not setting.own else timedelta(minutes=90),
            ),
            Step(
                text="The next one is paged. Be that person: the phone rings.",
                hint="Switch to the person whose phone rings, and press Acknowledge on the phone.",
                hands=_answer_by_phone,
                says="the acknowledgement on the phone is shown in Slack",
                done=lambda look: look.came_so_far("acknowledged"),
                within=timedelta(minutes=1),
            ),
            Step(
                text="Answered. Nobody else is paged; mend it and resolve it.",
                hint="Press Resolve on the card.",
                begins=place.heals,
                hands=_resolve,
                says="the incident is resolved",
                done=lambda look: look.came_so_far("resolved"),
                within=timedelta(minutes=5),
            ),
        ],
        expectations=[] if setting.own else _at_home(),
        over=(
            "A page that nobody answers goes on by itself until somebody does."
            " “Why was this paged?” in the card's menu tells how."
        ),
    )


def _at_home() -> list[Expectation]:
    return [
        Expectation(
            "Bo was paged five minutes after Ana",
            lambda look: abs(_after(look) - timedelta(minutes=5)) <= timedelta(seconds=15),
            lambda look: f"{_after(look)} after",
        ),
        Expectation(
            "Cy and Dee slept on",
            lambda look: not {"cy", "dee"} & set(look.paged()),
            lambda look: f"paged: {', '.join(look.paged())}",
        ),
    ]


def _after(look: Look) -> timedelta:
    if not look.rings("ana") or not look.rings("bo"):
        return timedelta(0)
    return look.rings("bo")[0].at - look.rings("ana")[0].at


async def _answer_by_phone(hands: Hands, look: Look) -> None:
    who = look.paged()[-1]
    if look.rings(who):
        await hands.press_phone(who, "Acknowledge")
    else:
        await hands.press_page(who, "Acknowledge")


async def _resolve(hands: Hands, look: Look) -> None:
    await hands.press_card(look.paged()[-1], "Resolve")


ESCALATION = Story(
    name="unanswered",
    title="An unanswered page",
    about="The person on call does not answer; five minutes later the next one is paged and takes it from the phone.",
    minutes=2,
    write=write,
)
