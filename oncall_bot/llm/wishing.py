"""The assistant's write tools: each becomes an offer on a card, or says what is missing. Nothing is changed here.

Knows how arguments become a wish. Refuses to act; rights are those of the asker, and are looked at again at the press.
Serves `tools`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from oncall_bot.core.talk.moments import When
from oncall_bot.core.talk.orders import Act
from oncall_bot.core.talk.proposals import Impossible, Needs
from oncall_bot.core.talk.wishes import TEXT_MAX, Wish
from oncall_bot.llm.desk import OFFERS_MAX, Args, BadCallError, Desk
from oncall_bot.llm.lookups import known_rota, moment
from oncall_bot.store import views

Result = Mapping[str, Any]


def page_someone(desk: Desk, args: Args) -> Result:
    target = _target(desk, args.needed("target", 100))
    return _offered(
        desk,
        replace(
            _wish(Act.PAGE, desk, args, "incident"), target=target, text=_note(args, "message")
        ),
    )


def _target(desk: Desk, said: str) -> str:
    """`person:ana`, `@ana`, `Ana Ruiz`, `schedule:x`, or a service or team."""
    config = desk.store.snapshot.config
    kind, colon, key = said.partition(":")
    if colon and kind in {"person", "schedule", "service", "team"}:
        said = key
    low = said.lstrip("@").casefold()
    for person, one in config.people.items():
        if low in {person.casefold(), one.name.casefold()}:
            return f"person:{person}"
    name = known_rota(desk, said)
    kinds = {"schedule": config.schedules, "service": config.services, "team": config.teams}
    return next(f"{kind}:{name}" for kind, known in kinds.items() if name in known)


def acknowledge(desk: Desk, args: Args) -> Result:
    return _offered(desk, _wish(Act.ACK, desk, args, "incident"))


def resolve(desk: Desk, args: Args) -> Result:
    return _offered(desk, _wish(Act.RESOLVE, desk, args, "incident"))


def escalate(desk: Desk, args: Args) -> Result:
    return _offered(desk, _wish(Act.ESCALATE, desk, args, "incident"))


def silence(desk: Desk, args: Args) -> Result:
    minutes = args.number("minutes", 0, 0, 10_000_000)
    wish = _wish(Act.SILENCE, desk, args, "incident")
    alert = args.text("alert", 200) or None
    lasts = timedelta(minutes=minutes) if minutes else None
    return _offered(desk, replace(wish, alert=alert, lasts=lasts, text=_note(args, "comment")))


def override_create(desk: Desk, args: Args) -> Result:
    rota = known_rota(desk, args.needed("rotation"))
    person = args.needed("user").lstrip("@")
    start, end = moment(desk, args.needed("from")), moment(desk, args.needed("to"))
    if start is None or end is None:
        raise BadCallError("from and to are missing.")
    key = _target(desk, person).removeprefix("person:")
    return _offered(
        desk, Wish(Act.OVERRIDE, target=f"person:{key}", rota=rota, when=When(start, end))
    )


def declare_incident(desk: Desk, args: Args) -> Result:
    service = args.text("service")
    wish = Wish(
        Act.DECLARE,
        rota=known_rota(desk, service) if service else None,
        severity=args.text("severity").upper() or None,
        text=args.needed("title", 200),
    )
    return _offered(desk, wish)


def set_severity(desk: Desk, args: Args) -> Result:
    wish = _wish(Act.SEVERITY, desk, args, "incident")
    return _offered(desk, replace(wish, severity=args.needed("severity").upper()))


def add_note(desk: Desk, args: Args) -> Result:
    return _offered(
        desk, replace(_wish(Act.NOTE, desk, args, "incident"), text=_note(args, "text"))
    )


def _wish(act: Act, desk: Desk, args: Args, name: str) -> Wish:
    number = args.incident(name) if args.text(name) else desk.turn.about.incident
    return Wish(act, incident=number)


def _note(args: Args, name: str) -> str:
    return args.text(name, TEXT_MAX)


def _offered(desk: Desk, wish: Wish) -> Result:
    """What the asker will see; the model is told no more than that."""
    asker = views.Asker(desk.turn.actor, desk.turn.channel)
    prepared = desk.store.look(views.offer, wish, asker)
    if isinstance(prepared, Impossible):
        desk.refusals.append(prepared.why)
        return {"refused": prepared.why}
    if isinstance(prepared, Needs):
        desk.questions.append(prepared)
        return {"asked_back": prepared.question, "choices": list(prepared.choices)}
    if len(desk.offers) >= OFFERS_MAX:
        return {"refused": f"At most {OFFERS_MAX} cards in one answer."}
    desk.offers.append(prepared)
    said = "".join(p if isinstance(p, str) else desk.at(p) or "" for p in prepared.says)
    return {
        "card": said,
        "state": "Nothing is done. The person sees a card and must press its button.",
    }
