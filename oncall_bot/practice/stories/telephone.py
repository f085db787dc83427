"""An old telephone: Cy has no app, so a text message and a call wake her, and four digits answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.practice.plot import Expectation, Hands, Look, Script, Setting, Step, Story
from oncall_bot.practice.stories.cast import CY_NUMBER, weekly
from oncall_bot.practice.stories.shop import error_rate, shop

WHO = "cy"
ROADS = """\
  sms: {url_file: "@SMS@"}
  voice: {url_file: "@VOICE@"}
personal_rules:
  high: [{after: 0m, by: slack}, {after: 0m, by: sms}, {after: 0m, by: push}, {after: 1m, by: voice}]
  low: [{after: 0m, by: slack}]
teams:
"""


def config(at: datetime) -> str:
    """Cy is on call, and has a telephone instead of an app."""
    return (
        weekly(at)
        .replace("users: [ana, bo, cy]", "users: [cy, ana, bo]")
        .replace(
            "contacts: {push: cy-phone}", f'contacts: {{sms: "{CY_NUMBER}", voice: "{CY_NUMBER}"}}'
        )
        .replace("teams:\n", ROADS, 1)
    )


def write(setting: Setting, at: datetime) -> Script:
    place = shop("search", at)
    labels = {**setting.labels, "service": "search"}
    return Script(
        scraped=place.scraped,
        rules=[error_rate(place, labels)],
        steps=[
            Step(
                text="search fails, and Cy is on call for it. She has an old telephone and no app.",
                hint="Be Cy, and look at her phone: a text message is coming.",
                begins=place.breaks,
                says="Cy gets a text message with four digits to answer by",
                done=lambda look: bool(_texts(look)),
                within=timedelta(minutes=2),
            ),
            Step(
                text="She sleeps on. A minute later her telephone rings.",
                hint="Wait, or press Skip; then press 4 during the call, or send the reply.",
                says="Cy is called a minute after the text message",
                done=lambda look: bool(_calls(look)),
                within=timedelta(minutes=3),
            ),
            Step(
                text="The voice reads the page and says which key does what.",
                hint="Press 4 to take it. The text message's reply does the same.",
                hands=_press_four,
                says="the key takes the incident",
                done=lambda look: look.came_so_far("acknowledged"),
                within=timedelta(minutes=1),
            ),
            Step(
                text="Taken, from bed. Mend it and resolve it.",
                hint="Press Resolve on the card.",
                begins=place.heals,
                hands=_resolve,
                says="the incident is resolved",
                done=lambda look: look.came_so_far("resolved"),
                within=timedelta(minutes=5),
            ),
        ],
        expectations=[
            Expectation(
                "she got one text message and one call",
                lambda look: (len(_texts(look)), len(_calls(look))) == (1, 1),
                lambda look: f"{len(_texts(look))} and {len(_calls(look))}",
            ),
            Expectation(
                "nobody else was woken",
                lambda look: set(look.paged()) == {WHO},
                lambda look: f"paged: {', '.join(look.paged())}",
            ),
        ],
        over="Any telephone will do. What its provider told of each message stands on the card.",
    )


def _texts(look: Look) -> list[object]:
    return [one for one in look.rings(WHO) if any(a.kind == "reply" for a in one.actions)]


def _calls(look: Look) -> list[object]:
    return [one for one in look.rings(WHO) if any(a.kind == "key" for a in one.actions)]


async def _press_four(hands: Hands, look: Look) -> None:
    await hands.press_phone(WHO, "4  to take it")


async def _resolve(hands: Hands, look: Look) -> None:
    await hands.press_card(WHO, "Resolve")


TELEPHONE = Story(
    name="telephone",
    title="An old telephone",
    about="Somebody without an app is woken by a text message and a call, and answers by pressing a key.",
    minutes=2,
    write=write,
    config=config,
    for_own=False,
)
