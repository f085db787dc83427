"""What a wish comes to as things stand: an offer with its exact effect, a question, or why it cannot be.

Knows how a wish finds its incident, its person and its schedule. Writes nothing: the offer becomes a card, and the flow
behind its button looks again. Serves the Slack edge and the assistant's proposal tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core import silence_rights
from oncall_bot.core.incidents import SEVERITIES
from oncall_bot.core.matchers import Matcher
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.situation import Situation, State
from oncall_bot.core.talk.moments import When
from oncall_bot.core.talk.orders import Act
from oncall_bot.core.talk.proposals import RIGHT, Impossible, Needs, Offer, Part, Prepared
from oncall_bot.core.talk.wishes import Wish
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.firings import firing_now
from oncall_bot.store.views.incident import open_incidents, situation
from oncall_bot.store.views.on_call import schedules_of, who

CHOICES_MOST = 3
COVER_MAX = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wishes, and where: the conversation decides which incident is near."""

    actor: Actor
    channel: str = ""


def offer(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    """The wish as an offer, or what is missing, or why not. The asker's rights count from here on."""
    rights, right = reader.snapshot.rights, RIGHT[wish.act]
    if not rights.may(asker.actor, right, None, paged=_is_paged(reader, asker)):
        return Impossible(rights.refusal(asker.actor, right, None), refused=True)
    if wish.unclear is not None:
        return Needs(wish.unclear.why + " Write the time again.")
    prepared = _MAKERS[wish.act](reader, wish, asker)
    return _refused(reader, prepared, asker) if isinstance(prepared, Offer) else prepared


def _is_paged(reader: Reader, asker: Asker) -> bool:
    return any(_paged(s, asker) for s in open_incidents(reader))


def _paged(s: Situation, asker: Asker) -> bool:
    return any(page.person_key == asker.actor.key for page in s.paged)


def _refused(reader: Reader, made: Offer, asker: Asker) -> Prepared:
    """The offer, or that the asker's role in the incident's team is not enough for it."""
    s = situation(reader, made.incident) if made.incident is not None else None
    rights, right = reader.snapshot.rights, RIGHT[made.act]
    team, paged = (s.team, _paged(s, asker)) if s is not None else (None, False)
    if rights.may(asker.actor, right, team, paged=paged):
        return made
    return Impossible(rights.refusal(asker.actor, right, team), refused=True)


# --- which incident ---------------------------------------------------------------------------------------------


def _incident(
    reader: Reader, wish: Wish, asker: Asker, form: str
) -> Situation | Needs | Impossible:
    """The incident meant: the one named, else the only one that fits, else a question."""
    if wish.incident is not None:
        found = situation(reader, wish.incident)
        if found is None:
            return Impossible(f"There is no incident {wish.incident}.")
        if found.state in {State.RESOLVED, State.MERGED}:
            return Impossible(f"Incident {wish.incident} is over. Nothing is left to do.")
        return found
    open_ones = open_incidents(reader)
    if wish.rota is not None:
        open_ones = [s for s in open_ones if s.service == wish.rota]
    if wish.alert is not None:
        named = wish.alert.casefold()
        open_ones = [s for s in open_ones if any(a.name.casefold() == named for a in s.alerts)]
    if not open_ones:
        about = wish.alert or wish.rota
        return Impossible(
            f"No open incident is about {about}." if about else "No incident is open."
        )
    near = _near(open_ones, asker)
    if near is not None:
        return near
    choices = tuple(form.replace("{}", str(s.incident_id), 1) for s in open_ones[:CHOICES_MOST])
    return Needs(f"{len(open_ones)} incidents are open. Which one?", choices)


def _near(open_ones: list[Situation], asker: Asker) -> Situation | None:
    """The only one; else the only one the asker was paged for; else the only one of this channel."""
    for fits in (
        lambda s: True,
        lambda s: _paged(s, asker),
        lambda s: s.channel == asker.channel,
    ):
        few = [s for s in open_ones if fits(s)]
        if len(few) == 1:
            return few[0]
    return None


def _titled(s: Situation) -> str:
    return f"incident {s.incident_id}, {s.title}"


# --- acts on an incident ----------------------------------------------------------------------------------------


def _ack(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    s = _incident(reader, wish, asker, "ack {}")
    if not isinstance(s, Situation):
        return s
    if s.acked_by_key == asker.actor.key:
        return Impossible(f"You already have incident {s.incident_id}.")
    name = asker.actor.name
    if s.acked_by:
        return Offer(
            Act.TAKE,
            s.incident_id,
            {},
            (f"{name} takes over {_titled(s)}?",),
            (f"{s.acked_by} has it now and is told.",),
            "Take over",
        )
    effect = "Paging stops; nobody else is paged."
    return Offer(
        wish.act, s.incident_id, {}, (f"{name} takes {_titled(s)}?",), (effect,), "Take it"
    )


def _resolve(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    s = _incident(reader, wish, asker, "resolve {}")
    if not isinstance(s, Situation):
        return s
    firing = (
        f"{s.firing} {'alert fires' if s.firing == 1 else 'alerts fire'} still. "
        if s.firing
        else ""
    )
    effect = f"{firing}Paging ends; what fires anew opens it again."
    return Offer(Act.RESOLVE, s.incident_id, {}, (f"Resolve {_titled(s)}?",), (effect,), "Resolve")


def _escalate(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    s = _incident(reader, wish, asker, "escalate {}")
    if not isinstance(s, Situation):
        return s
    names = ", ".join(s.next.names) if s.next and s.next.names else ""
    effect = (
        f"{names} {'are' if ', ' in names else 'is'} paged now ({s.next.what})."
        if names and s.next
        else "Whoever comes next is paged now."
    )
    says = f"Page the next step of {_titled(s)}, now?"
    return Offer(Act.ESCALATE, s.incident_id, {}, (says,), (effect,), "Page next step")


def _severity(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    s = _incident(reader, wish, asker, "set {} to " + (wish.severity or "sev2"))
    if not isinstance(s, Situation):
        return s
    if wish.severity not in SEVERITIES:
        forms = tuple(f"set {s.incident_id} to {one}" for one in SEVERITIES[:CHOICES_MOST])
        return Needs("Which severity, SEV1 to SEV5?", forms)
    if wish.severity == s.severity:
        return Impossible(f"Incident {s.incident_id} is {s.severity} already.")
    louder = (
        SEVERITIES.index(wish.severity) < SEVERITIES.index(s.severity)
        if s.severity in SEVERITIES
        else True
    )
    effect = "What becomes louder is paged from step 1." if louder else "Nobody new is paged."
    says = f"Change {_titled(s)}, from {s.severity} to {wish.severity}?"
    args = {"severity": wish.severity}
    return Offer(Act.SEVERITY, s.incident_id, args, (says,), (effect,), f"Set {wish.severity}")


def _note(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    if not wish.text:
        return Needs("What shall I write down? Write it behind “note:”.")
    s = _incident(reader, wish, asker, "note {} " + wish.text[:80])
    if not isinstance(s, Situation):
        return s
    says = f"Write on {_titled(s)}: “{wish.text}”?"
    effect = "It stands in the work log, with your name."
    return Offer(Act.NOTE, s.incident_id, {"text": wish.text}, (says,), (effect,), "Write it down")


def _silence(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    if wish.lasts is None:
        what = str(wish.incident or wish.alert or "this")
        return Needs(
            "For how long?", tuple(f"silence {what} for {n}" for n in ("30 min", "2 h", "4 h"))
        )
    if not silence_rights.is_a_length(wish.lasts):
        return Impossible(silence_rights.OUT_OF_BOUNDS)
    length, seconds = spoken_length(wish.lasts), str(int(wish.lasts.total_seconds()))
    args = {"seconds": seconds, "comment": wish.text}
    s = _incident(reader, wish, asker, "silence {} for " + length)
    team = s.team if isinstance(s, Situation) else None
    too_long = silence_rights.too_long(
        reader.snapshot.rights.role_in(asker.actor, team), wish.lasts
    )
    if too_long is not None:
        return Impossible(too_long, refused=True)
    if isinstance(s, Situation):
        alerts = f"{s.firing} {'alert that fires' if s.firing == 1 else 'alerts that fire'} now"
        effect = (
            f"Holds back {alerts}, and what is like them. Incident {s.incident_id} stays open, nobody new is paged;"
            " what still fires then pages again."
        )
        return Offer(
            Act.SILENCE,
            s.incident_id,
            args,
            (f"Silence {_titled(s)}, for {length}?",),
            (effect,),
            f"Silence {length}",
        )
    if isinstance(s, Needs) or wish.alert is None or wish.incident is not None:
        return s
    if firing_now(reader, alert=wish.alert)[1]:
        return Needs(
            f"{wish.alert} fires in an incident. Name its number, as in “silence 42 for {length}”."
        )
    ahead = (Matcher("alertname", "=", wish.alert),)
    too_wide = silence_rights.too_wide(reader.snapshot.rights, asker.actor, None, ahead, ())
    if too_wide is not None:
        return Impossible(too_wide, refused=True)
    effect = f"{wish.alert} does not fire now. What begins to fire within {length} is held back."
    args |= {"alert": wish.alert}
    says = f"Silence {wish.alert} for {length}, ahead of time?"
    return Offer(Act.SILENCE, None, args, (says,), (effect,), f"Silence {length}")


# --- people -----------------------------------------------------------------------------------------------------


def _page(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    if wish.unread:
        return Impossible(
            f"I don't know “{wish.unread}”. Name a person, a team, a schedule or a service of oncall.yaml."
        )
    if wish.target is None:
        return Needs("Whom shall I page? Name a person, a team or a service.")
    if wish.others:
        both = [_spoken(reader, one) for one in (wish.target, *wish.others)][:CHOICES_MOST]
        behind = f" for {wish.incident}" if wish.incident else ""
        keys = [one.partition(":")[2] for one in (wish.target, *wish.others)][:CHOICES_MOST]
        return Needs(
            f"Whom shall I page: {' or '.join(both)}?", tuple(f"page {key}{behind}" for key in keys)
        )
    target = _pageable(reader, wish.target)
    if target is None:
        return Impossible(
            f"Nobody is on call for {wish.target.partition(':')[2]}: no schedule stands behind it."
        )
    key = wish.target.partition(":")[2]
    s = _incident(reader, wish, asker, f"page {key} for {{}}")
    if isinstance(s, Impossible) and wish.incident is None:
        return _no_incident(reader, wish, key)
    if not isinstance(s, Situation):
        return s
    name = _spoken(reader, wish.target)
    effect = f"{name} is paged by every road of theirs until somebody answers."
    args = {"target": target, "note": wish.text}
    return Offer(
        Act.PAGE, s.incident_id, args, (f"Page {name} for {_titled(s)}?",), (effect,), "Page"
    )


def _no_incident(reader: Reader, wish: Wish, key: str) -> Needs:
    """A page belongs to an incident: one of those that are open, or a new one."""
    open_ones = open_incidents(reader)[: CHOICES_MOST - 1]
    forms = [f"page {key} for {s.incident_id}" for s in open_ones]
    about = wish.rota or wish.alert or "…"
    forms.append(f"declare an incident for {about}: {wish.text or about + ' looks wrong'}")
    return Needs(
        f"I would page {_spoken(reader, wish.target or '')}. A page belongs to an incident, and none is open"
        " about this. For which one?",
        tuple(forms),
    )


def _pageable(reader: Reader, target: str) -> str | None:
    """A target that a page by hand understands: a service is its first schedule, else its policy."""
    kind, _, key = target.partition(":")
    if kind != "service":
        return target
    schedules = schedules_of(reader, key)
    service = reader.snapshot.config.services.get(key)
    if schedules:
        return f"schedule:{schedules[0]}"
    return f"policy:{service.policy}" if service and service.policy else None


def _spoken(reader: Reader, target: str) -> str:
    """A target as a person reads it: who would be paged."""
    kind, _, key = target.partition(":")
    if kind == "person":
        return reader.snapshot.name(key)
    if kind in {"schedule", "service"}:
        names = [one.name for one in who(reader, schedule=key) if one.name]
        return f"{names[0]}, on call for {key}" if names else f"whoever is on call for {key}"
    return f"the team {key}"


def _override(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    config = reader.snapshot.config
    person = (wish.target or "").partition(":")[2]
    if person == "me":
        person = asker.actor.key if asker.actor.kind == "person" else ""
    if person not in config.people:
        return Needs("Who takes the shift? Name a person of oncall.yaml, or write “me”.")
    schedules = schedules_of(reader, wish.rota) if wish.rota else list(config.schedules)
    if len(schedules) != 1:
        forms = tuple(
            f"put {person} on call for {key} {_words(wish.when)}"
            for key in schedules[:CHOICES_MOST]
        )
        return Needs("For which schedule?", forms)
    if wish.when is None or wish.when.end is None:
        return Needs("From when to when? As in “friday 9am to 5pm”.")
    start, end = max(wish.when.start, reader.now), wish.when.end
    if end <= start or end - start > COVER_MAX:
        return Impossible("A cover ends after it begins, not in the past, within 60 days.")
    name, schedule = config.people[person].name, schedules[0]
    before = sorted(
        {reader.snapshot.name(k) for k in [reader.snapshot.on_call(schedule, start)] if k != person}
    )
    effect = (
        f"{', '.join(before)} would be on call when it begins and is told."
        if before
        else "Whoever it touches is told."
    )
    says: tuple[Part, ...] = (f"{name} is on call for {schedule}, from ", start, " to ", end, "?")
    args = {
        "schedule": schedule,
        "person": person,
        "start": start.isoformat(),
        "end": end.isoformat(),
    }
    return Offer(Act.OVERRIDE, None, args, says, (effect,), "Set cover")


def _words(when: When | None) -> str:
    return when.words if when else "tonight"


def _declare(reader: Reader, wish: Wish, asker: Asker) -> Prepared:
    config = reader.snapshot.config
    if len(wish.text) < 3:
        return Needs(
            "What is broken, and where? As in “declare sev2: checkout fails for everybody”."
        )
    severity = wish.severity or "SEV3"
    service = wish.rota if wish.rota in config.services else None
    on = [one.name for one in who(reader, schedule=service) if one.name] if service else []
    whom = f"{on[0]} is paged first" if on else "whoever is on call is paged"
    loud = severity in SEVERITIES[:3]
    effect = (
        f"It opens at once and {whom}." if loud else "It opens at once; nobody is woken for it."
    )
    where = f" on {service}" if service else ""
    args = {
        "title": wish.text,
        "severity": severity,
        "service": service or "",
        "channel": asker.channel,
    }
    return Offer(
        Act.DECLARE,
        None,
        args,
        (f"Declare {severity}{where}: “{wish.text}”?",),
        (effect,),
        f"Declare {severity}",
    )


Maker = Callable[[Reader, Wish, Asker], Prepared]
_MAKERS: Mapping[Act, Maker] = {
    Act.ACK: _ack,
    Act.TAKE: _ack,
    Act.RESOLVE: _resolve,
    Act.ESCALATE: _escalate,
    Act.SEVERITY: _severity,
    Act.NOTE: _note,
    Act.SILENCE: _silence,
    Act.PAGE: _page,
    Act.OVERRIDE: _override,
    Act.DECLARE: _declare,
}


def spoken_length(span: timedelta) -> str:
    """`45 min`, `2 h`, `1 h 30 min`, `30 days`."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes >= 2880 and minutes % 1440 == 0:
        return f"{minutes // 1440} days"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
