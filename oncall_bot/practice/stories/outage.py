"""A single outage: a deploy breaks the checkout, one person is paged, reads the runbook, mends it, and reads the draft.

The first story a newcomer lives through; every step waits for the one at the keyboard.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.practice.plot import Deed, Expectation, Hands, Look, Script, Setting, Step, Story
from oncall_bot.practice.stage import Stage
from oncall_bot.practice.stories.shop import Shop, error_rate, shop

ROLLS_BACK_ITSELF = timedelta(seconds=40)
QUIET = timedelta(minutes=16)
POSTMORTEM = "Postmortem draft"


def write(setting: Setting, at: datetime) -> Script:
    place = shop(setting.service, at)
    who = "Ana" if not setting.own else "whoever is on call"
    return Script(
        scraped=place.scraped,
        rules=[error_rate(place, setting.labels, window="15s")],
        steps=[
            Step(
                text=f"A deploy breaks {setting.service}. Prometheus sees it, Alertmanager tells oncall-bot.",
                hint="Watch #incidents and the phone: a page is coming.",
                begins=place.breaks,
                says=f"{who} is paged in Slack and by phone, and the incident has its card",
                done=lambda look: look.card() is not None and _paged(look),
                within=timedelta(minutes=2) if not setting.own else timedelta(minutes=20),
            ),
            Step(
                text="You are on call, and you are paged. The runbook lies in the incident's thread.",
                hint="Read it in #incidents, then press Acknowledge: there, in the direct message or on the phone.",
                hands=_read_and_acknowledge,
                says="the acknowledgement stops the paging",
                done=lambda look: look.came_so_far("acknowledged"),
                within=timedelta(minutes=1),
            ),
            Step(
                text="It is yours: nobody else is paged now. The runbook says: roll back first, understand later.",
                hint="Press Roll back, or wait: Bo does it in a moment. Write in the thread what you see.",
                begins=lambda stage: _help(stage, place),
                hands=_mend,
                says="the rollback takes effect, and errors fall",
                done=lambda look: not place.broken,
                within=timedelta(minutes=2),
            ),
            Step(
                text="Errors fall. Look at the practice Prometheus, or at the card: soon no alert fires.",
                hint="Press Mitigated, then Resolve, on the card.",
                hands=_resolve,
                says="the incident is resolved",
                done=lambda look: look.came_so_far("resolved"),
                within=timedelta(minutes=10),
            ),
            Step(
                text="Resolved. oncall-bot waits 15 quiet minutes before it drafts; the clock skips ahead.",
                hint=None,
                skip=QUIET,
                says="after 15 quiet minutes the postmortem draft lies in the thread",
                done=lambda look: bool(look.thread(look.card(), POSTMORTEM)),
                within=QUIET,
            ),
        ],
        expectations=[
            Expectation("one incident, one card", lambda look: len(look.cards()) == 1),
            *([] if setting.own else _at_home()),
        ],
        over="That was an incident, from page to postmortem. Press Get Markdown in the thread to read the draft.",
        deeds=[Deed("roll_back", "Roll back", place.heals)],
    )


def _at_home() -> list[Expectation]:
    return [
        Expectation(
            "the runbook lay in the thread",
            lambda look: bool(look.thread(look.card(), "Runbook")),
        ),
        Expectation(
            "nobody but Ana was paged",
            lambda look: look.paged() == ["ana"],
            lambda look: f"paged: {', '.join(look.paged())}",
        ),
        Expectation(
            "Ana's phone rang once",
            lambda look: len(look.rings("ana")) == 1,
            lambda look: f"{len(look.rings('ana'))} times",
        ),
    ]


def _paged(look: Look) -> bool:
    return any(look.pages(who) and look.rings(who) for who in look.paged())


def _help(stage: Stage, place: Shop) -> None:
    """Somebody has to mend it in the end: Bo does when nobody else did."""

    async def bo_rolls_back() -> None:
        if place.broken and not stage.setting.own:
            await stage.hands.say("bo", "I rolled checkout back to 2.13, errors should fall now.")
        place.heals(stage)

    stage.at(ROLLS_BACK_ITSELF, bo_rolls_back)


async def _read_and_acknowledge(hands: Hands, look: Look) -> None:
    await hands.press_page(look.paged()[0], "Acknowledge")


async def _mend(hands: Hands, look: Look) -> None:
    await hands.say(look.paged()[0], "Errors began with deploy 2.14. Rolling back.")


async def _resolve(hands: Hands, look: Look) -> None:
    await hands.press_card(look.paged()[0], "Mitigated")
    await hands.press_card(look.paged()[0], "Resolve")


OUTAGE = Story(
    name="outage",
    title="A single outage",
    about="A deploy breaks the checkout at once; you are paged, read the runbook, mend it and get the postmortem.",
    minutes=2,
    write=write,
)
