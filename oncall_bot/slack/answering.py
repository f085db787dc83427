"""From a question to its answer: which views are read for each intent, and which drawing shows them.

Knows where each answer is found and what the conversation is about afterwards. Refuses to read words (core.talk does)
and to change anything. The same answers serve mentions, direct messages, the assistant pane and `/oncall`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from oncall_bot.core.evidence import Standing, weigh
from oncall_bot.core.records import parse_record
from oncall_bot.core.situation import Situation, State
from oncall_bot.core.talk import Intent, Question
from oncall_bot.core.talk.when import When
from oncall_bot.slack import answers, reading, told
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.store import views
from oncall_bot.store.transactions import Reader

SHIFTS_AHEAD, HISTORY_BACK = timedelta(days=60), timedelta(days=90)
FIRING_MARK = {State.FIRING, State.ACKNOWLEDGED, State.MITIGATED, State.SILENCED}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question was asked: `alone` when one person reads the answer."""

    caller: Caller
    channel: str
    alone: bool
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and what the conversation is about now."""

    drawn: Drawn
    about: Mapping[str, Any] = field(default_factory=dict)


async def answered(edge: Edge, question: Question, place: Place) -> Found:
    """The answer to a question that was understood."""
    found = await _ANSWERS[question.intent](edge, question, place)
    return Found(told.noted(found.drawn, question.read_as), found.about)


# --- who is on call -----------------------------------------------------------------------------------------------


async def _on_call(edge: Edge, q: Question, place: Place) -> Found:
    if q.when is not None and q.when.is_span:
        return await _on_call_between(edge, q, q.when, place)
    at = q.when.start if q.when is not None else None
    if at is not None and abs(at - edge.clock()) < timedelta(minutes=1):
        at = None
    drawn = await who_is_on_call(edge, q.rota, at, mentions=place.alone)
    shifts = await edge.store.view(views.who, at=at, schedule=q.rota)
    people = [one.person_key for one in shifts if one.person_key]
    return Found(drawn, {"rota": q.rota, "people": tuple(people[:1])})


async def _on_call_between(edge: Edge, q: Question, when: When, place: Place) -> Found:
    end = when.end or when.start
    found = await edge.store.view(views.on_call_between, q.rota, when.start, end)
    drawn = told.on_call_between(found, when.start, end, edge.clock(), mentions=place.alone)
    people = dict.fromkeys(one.person_key for one in found if one.person_key)
    return Found(drawn, {"rota": q.rota, "people": tuple(people)[:5]})


async def who_is_on_call(
    edge: Edge, name: str | None, at: datetime | None = None, *, mentions: bool = True
) -> Drawn:
    """Who is on call for a schedule, a service or a team, or for all."""
    schedule = name.casefold() if name else None
    shifts = await edge.store.view(views.who, at=at, schedule=schedule)
    if schedule and not shifts:
        known = [*edge.config.schedules, *edge.config.services]
        if schedule in known:
            return answers.sentence(f"No schedule stands behind {name}. Pages go to the fallback.")
        close = reading.nearest(schedule, known)
        hint = f" Did you mean {close}?" if close else ""
        return answers.sentence(f"No schedule or service is called {name}.{hint}")
    if mentions:
        return answers.who(shifts, edge.clock(), at, command=edge.command)
    return told.plain_who(shifts, edge.clock(), at)


async def _shifts(edge: Edge, q: Question, place: Place) -> Found:
    me = q.person in (None, "me")
    person = place.caller.person.key if me and place.caller.person else q.person
    if person is None or person == "me":
        return Found(answers.not_yours("you have no shifts here"))
    now = edge.clock()
    start, end = (q.when.start, q.when.end) if q.when is not None else (now, None)
    until = end or (start + timedelta(minutes=1) if q.when is not None else now + SHIFTS_AHEAD)
    found = await edge.store.view(views.shifts_of, person, start, until)
    if q.rota:
        keys = await edge.store.view(views.schedules_of, q.rota)
        found = [one for one in found if one.schedule in keys]
    name = edge.store.snapshot.name(person)
    return Found(told.shifts(found, name, now, until, me=me), {"people": () if me else (person,)})


# --- incidents ----------------------------------------------------------------------------------------------------


async def _open(edge: Edge, q: Question, place: Place) -> Found:
    open_ones = await edge.open_incidents()
    about = {"incident": open_ones[0].incident_id} if len(open_ones) == 1 else {}
    return Found(await open_list(edge), about)


async def open_list(edge: Edge) -> Drawn:
    open_ones = await edge.open_incidents()
    last = None if open_ones else await edge.store.view(views.last_resolved)
    return answers.incidents(open_ones, last, edge.clock())


async def _meant(edge: Edge, q: Question, place: Place, form: str) -> Situation | Found:
    """The incident of the question; without one the only open one, the asker's, or a question back."""
    if q.incident is not None:
        found = await edge.situation(q.incident)
        return found or Found(answers.no_such_incident(str(q.incident)))
    open_ones = await edge.open_incidents()
    if q.rota:
        open_ones = [s for s in open_ones if s.service == q.rota]
    if q.alert:
        open_ones = [s for s in open_ones if any(a.name == q.alert for a in s.alerts)]
    key = place.caller.actor.key
    mine = [s for s in open_ones if any(page.person_key == key for page in s.paged)]
    few = next((few for few in (open_ones, mine) if len(few) == 1), None)
    if few:
        return few[0]
    if not open_ones:
        return Found(await open_list(edge))
    choices = [form.replace("{}", str(s.incident_id), 1) for s in open_ones[:3]]
    return Found(told.ask_back(f"{len(open_ones)} incidents are open. Which one?", choices))


def _spoken_of(s: Situation) -> dict[str, Any]:
    people = [page.person_key for page in s.paged if page.person_key == s.acked_by_key]
    alert = s.first_alert or (s.alerts[0].name if s.alerts else None)
    return {"incident": s.incident_id, "people": tuple(people[:1]), "alert": alert}


async def _status(edge: Edge, q: Question, place: Place) -> Found:
    s = await _meant(edge, q, place, "status of incident {}")
    if isinstance(s, Found):
        return s
    log = await edge.store.view(views.work_log, s.incident_id)
    return Found(told.status(s, log.entries, edge.clock()), _spoken_of(s))


async def _owner(edge: Edge, q: Question, place: Place) -> Found:
    s = await _meant(edge, q, place, "who has incident {}")
    return s if isinstance(s, Found) else Found(told.owner(s, edge.clock()), _spoken_of(s))


async def _timeline(edge: Edge, q: Question, place: Place) -> Found:
    s = await _meant(edge, q, place, "what happened in incident {}")
    if isinstance(s, Found):
        return s
    log = await edge.store.view(views.work_log, s.incident_id)
    since = q.when.start if q.when is not None else None
    entries = [one for one in log.entries if since is None or one.at >= since]
    hidden = 0 if since else log.folded
    return Found(told.timeline(s, entries, hidden, edge.clock()), _spoken_of(s))


async def _cause(edge: Edge, q: Question, place: Place) -> Found:
    s = await _meant(edge, q, place, "cause of incident {}")
    if isinstance(s, Found):
        return s
    pinned = await edge.store.view(pinned_causes, s.incident_id)
    return Found(told.cause(s, pinned, edge.clock()), _spoken_of(s))


def pinned_causes(reader: Reader, incident_id: int) -> list[tuple[str, str]]:
    """(entry, words) of what people pinned as the cause."""
    evidence = weigh(parse_record(views.record(reader, incident_id)))
    return [
        (event.id, event.text)
        for event in evidence.record.events
        if evidence.standing[event.id] is Standing.CAUSE
    ]


async def _why(edge: Edge, q: Question, place: Place) -> Found:
    """Why somebody was paged: for the incident named, else the newest that paged them."""
    key = place.caller.actor.key if q.person in (None, "me") else q.person
    if q.incident is None:
        paged = [
            s
            for s in await edge.store.view(views.latest_incidents, 20)
            if any(page.person_key == key for page in s.paged)
        ]
        if paged:
            number = paged[0].incident_id
            return Found(await why_of(edge, number), _spoken_of(paged[0]))
        if not await edge.open_incidents():
            who = "You were" if q.person in (None, "me") else f"{edge.store.snapshot.name(key)} was"
            return Found(answers.sentence(f"{who} not paged by any of the last 20 incidents."))
    s = await _meant(edge, q, place, "who was paged for {}")
    return s if isinstance(s, Found) else Found(await why_of(edge, s.incident_id), _spoken_of(s))


async def why_of(edge: Edge, incident_id: int) -> Drawn:
    if await edge.situation(incident_id) is None:
        return answers.no_such_incident(str(incident_id))
    lines = await edge.store.view(views.why, incident_id)
    return answers.why(incident_id, lines, edge.clock())


# --- alerts and runbooks ------------------------------------------------------------------------------------------


async def _runbook(edge: Edge, q: Question, place: Place) -> Found:
    """The incident's own runbook, else a search by the alert's name or the words of the question."""
    if q.incident is not None or not (q.alert or q.subject):
        s = await _meant(edge, q, place, "runbook for {}")
        if isinstance(s, Found):
            return s
        if s.runbook is not None:
            return Found(answers.runbooks([s.runbook], s.title), _spoken_of(s))
        words = s.first_alert or s.title
    else:
        words = q.alert or q.subject
    found = await edge.store.view(views.runbooks_matching, words[:200])
    return Found(answers.runbooks(found, words[:80]), {"alert": q.alert})


async def _history(edge: Edge, q: Question, place: Place) -> Found:
    name = q.alert
    if name is None:
        s = await _meant(edge, q, place, "how often did the alert of incident {} fire")
        if isinstance(s, Found):
            return s
        name = s.first_alert or (s.alerts[0].name if s.alerts else None)
    if name is None:
        return Found(answers.said("No alert stands behind that incident: somebody declared it."))
    now = edge.clock()
    since, until = now - HISTORY_BACK, now + timedelta(seconds=1)
    if q.when is not None:
        since, until = q.when.start, q.when.end or until
    h = await edge.store.view(views.alert_history, name, since, until)
    numbers = [one.incident_id for one in h.times] + [one.incident_id for one in h.endings]
    links = await links_of(edge, [*numbers, h.last.incident_id if h.last else None])
    return Found(told.history(h, links, now), {"alert": name})


async def _firing(edge: Edge, q: Question, place: Place) -> Found:
    rota = q.rota
    service = rota if rota in edge.config.services else None
    if rota and service is None:
        near = [f"which alerts are firing on {key}" for key in edge.config.services][:3]
        drawn = told.ask_back(f"{rota} is a schedule; alerts belong to services. Which one?", near)
        return Found(drawn, {"rota": rota})
    found, total = await edge.store.view(views.firing_now, service=service, alert=q.alert)
    links = await links_of(edge, [one.incident_id for one in found])
    incidents = {one.incident_id for one in found if one.incident_id is not None}
    about: dict[str, Any] = {"rota": rota, "alert": q.alert}
    about |= {"incident": next(iter(incidents))} if len(incidents) == 1 else {}
    return Found(told.firing(found, total, q.alert or service, links, edge.clock()), about)


async def links_of(edge: Edge, numbers: Iterable[int | None]) -> dict[int, str]:
    """Addresses of these incidents' cards, where they are posted."""
    wanted = sorted({one for one in numbers if one is not None})

    def places(reader: Reader) -> dict[int, tuple[str, str] | None]:
        return {one: views.thread_of(reader, one) for one in wanted}

    found = await edge.store.view(places)
    return {one: url for one, place in found.items() if (url := edge.chat_link(place))}


async def _help(edge: Edge, q: Question, place: Place) -> Found:
    return Found(answers.help_(edge.command, edge.guide))


_ANSWERS: Mapping[Intent, Callable[[Edge, Question, Place], Awaitable[Found]]] = {
    Intent.ON_CALL: _on_call,
    Intent.SHIFTS: _shifts,
    Intent.OPEN: _open,
    Intent.STATUS: _status,
    Intent.WHY: _why,
    Intent.OWNER: _owner,
    Intent.TIMELINE: _timeline,
    Intent.CAUSE: _cause,
    Intent.RUNBOOK: _runbook,
    Intent.HISTORY: _history,
    Intent.FIRING: _firing,
    Intent.HELP: _help,
}
