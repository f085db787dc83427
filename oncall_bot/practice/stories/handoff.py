"""A hand-off in the night the clocks change: 03:00 comes an hour early, and the page goes to the right person.

Ana is on call until 03:00 in Berlin. In that night 02:00 is followed by 03:00, so her shift ends an hour after 01:00.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.practice.plot import Expectation, Hands, Look, Script, Setting, Step, Story
from oncall_bot.practice.stories.cast import ZONE, rota
from oncall_bot.practice.stories.shop import error_rate, shop

BERLIN = ZoneInfo(ZONE)
BEFORE = timedelta(minutes=6)
LATE = timedelta(seconds=15)


def change_after(now: datetime) -> datetime:
    """The next instant at which Berlin's clocks go forward: the last Sunday of March, 01:00 UTC."""
    for year in (now.year, now.year + 1):
        last = datetime(year, 3, 31, 1, tzinfo=UTC)
        change = last - timedelta(days=(last.weekday() + 1) % 7)
        if change - BEFORE >= now:
            return change
    raise AssertionError


def config(at: datetime) -> str:
    """Daily hand-offs at 03:00; Ana has the day that ends in this night."""
    change = change_after(at)
    saturday = (change - timedelta(days=1)).astimezone(BERLIN).date()
    return rota("day", f"{saturday.isoformat()}T03:00", "ana, bo, cy")


def write(setting: Setting, at: datetime) -> Script:
    change = change_after(at)
    early, late = shop("checkout", at), shop("search", at)
    early.scraped.series += late.scraped.series
    return Script(
        scraped=early.scraped,
        rules=[
            error_rate(early, setting.labels),
            error_rate(late, {**setting.labels, "service": "search"}),
        ],
        steps=[
            Step(
                text="Shortly before two, on the night the clocks change. Ana is on call until three. Checkout fails.",
                hint="Be Ana: take the page.",
                begins=early.breaks,
                says="before the change the page goes to Ana",
                done=lambda look: look.paged() == ["ana"],
                within=timedelta(minutes=2),
            ),
            Step(
                text="Ana takes it and mends it.",
                hint="Press Acknowledge, then Resolve.",
                hands=_take,
                begins=early.heals,
                says="Ana has it",
                done=lambda look: look.came_so_far("acknowledged"),
                within=timedelta(minutes=1),
            ),
            Step(
                text="Two o'clock never comes: after 01:59:59 it is three, and the shift passes to Bo.",
                hint="Press 30× or Skip ahead, and watch Bo's and Ana's direct messages.",
                says="Bo is told that he is on call now",
                done=lambda look: bool(_handed(look, "bo")),
                within=timedelta(minutes=10),
            ),
            Step(
                text="One minute past three, and search fails.",
                hint="Who is paged now?",
                begins=late.breaks,
                says="after the change the page goes to Bo",
                done=lambda look: bool(look.rings("bo")),
                within=timedelta(minutes=2),
            ),
            Step(
                text="Bo takes it.",
                hint="Be Bo: press Acknowledge.",
                begins=late.heals,
                hands=_bo_takes,
                says="Bo has it",
                done=lambda look: any(
                    "Bo Lindt" in one.text and one.state != "firing" for one in look.cards()
                ),
                within=timedelta(minutes=1),
            ),
        ],
        expectations=[
            Expectation(
                "the hand-off was told at 03:00:00 summer time, an hour after 01:00 and not two",
                lambda look: _at(look) is not None and timedelta(0) <= _at(look) - change <= LATE,  # type: ignore[operator]
                lambda look: f"told at {_at(look)}, due at {change}",
            ),
            Expectation(
                "Ana was not paged after her shift, nor Bo before his",
                lambda look: (
                    all(ring.at < change for ring in look.rings("ana"))
                    and all(ring.at >= change for ring in look.rings("bo"))
                ),
            ),
            Expectation("Cy and Dee slept on", lambda look: not {"cy", "dee"} & set(look.paged())),
        ],
        over="Hand-offs are decided by the rules of the zone, not by counting hours.",
    )


def _handed(look: Look, handle: str) -> list[object]:
    return [one for one in look.dms(handle) if "on call" in str(one.get("text", "")).lower()]


def _at(look: Look) -> datetime | None:
    found = [one for one in look.dms("bo") if "on call" in str(one.get("text", "")).lower()]
    return datetime.fromtimestamp(float(found[0]["ts"]), UTC) if found else None


async def _take(hands: Hands, look: Look) -> None:
    await hands.press_page("ana", "Acknowledge")


async def _bo_takes(hands: Hands, look: Look) -> None:
    await hands.press_page("bo", "Acknowledge")


HANDOFF = Story(
    name="dst-handoff",
    title="A hand-off on a DST night",
    about="The clocks go forward while the shift passes from Ana to Bo; each page finds the right one.",
    minutes=2,
    write=write,
    begins_at=lambda now: change_after(now) - BEFORE,
    config=config,
    for_own=False,
)
