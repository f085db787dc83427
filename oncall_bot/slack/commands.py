"""The root command and its words: `/oncall who`, `ack 42`, `page ben 42`, and the same words after a mention.

Knows every word, what follows it and which flow or view it means. Refuses to draw and to decide.
A word that changes something is committed before its answer; answers are seen by the asker alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oncall_bot.core.errors import OncallError
from oncall_bot.core.incidents import SEVERITIES
from oncall_bot.core.rights import Right
from oncall_bot.core.situation import Situation, State
from oncall_bot.core.talk import Intent, Question
from oncall_bot.flows.acknowledge import acknowledge, take_over
from oncall_bot.flows.declare import declare, note
from oncall_bot.flows.drafting import request_draft
from oncall_bot.flows.escalate import escalate, page_by_hand
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.slack import (
    answers,
    audit,
    calendars,
    catching_up,
    contacts,
    fairness,
    metric,
    modals,
    personal_rules,
    reading,
    road_test,
    rota,
    talk,
)
from oncall_bot.slack.answering import Place, answered, open_list, who_is_on_call, why_of
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.drafts import shown
from oncall_bot.slack.edge import ANSWER_WITHIN, Edge, ephemeral, excuse, waiting
from oncall_bot.slack.markdown import paragraphs
from oncall_bot.slack.my_data import my_data
from oncall_bot.slack.web_link import web_link
from oncall_bot.store import views
from oncall_bot.store.queue import Busy

TITLE_MAX, NOTE_MAX, TEXT_MAX = 200, 2000, 4000


@dataclass(frozen=True, slots=True)
class Asked:
    """One command: who, where, and what stands behind its first word."""

    caller: Caller
    channel: str
    rest: str
    body: Mapping[str, Any]
    press_id: str

    @property
    def words(self) -> list[str]:
        return self.rest.split()


Answer = Awaitable[Drawn | None]
Word = Callable[[Edge, Asked], Answer]


async def on_command(edge: Edge, ack: Any, body: Mapping[str, Any]) -> None:
    """Slack's `/oncall ...`: answered in the acknowledgement when that is quick enough, else after it."""
    work = asyncio.ensure_future(answer(edge, body))
    done, _ = await asyncio.wait({work}, timeout=ANSWER_WITHIN)
    if done:
        drawn = work.result()
        await (ack(**ephemeral(drawn)) if drawn else ack())
        return
    await ack(**ephemeral(waiting()))
    await edge.tell(body, await work)


async def answer(edge: Edge, body: Mapping[str, Any]) -> Drawn | None:
    """What to say to this command; None when a form has opened instead."""
    text = str(body.get("text") or "")[:TEXT_MAX].strip()
    word, _, rest = text.partition(" ")
    caller = await edge.caller(body)
    asked = Asked(
        caller,
        str(body.get("channel_id") or ""),
        rest.strip(),
        body,
        str(body.get("trigger_id") or ""),
    )
    return await obey(edge, word.casefold() or "help", asked)


async def obey(edge: Edge, word: str, asked: Asked) -> Drawn | None:
    """Run one word, or say which was meant. Expected failures come back as their sentence."""
    do = WORDS.get(ALIASES.get(word, word))
    if do is None:
        return await _plain_words(edge, word, asked)
    if do in CHANGES and asked.caller.refusal is not None:
        return await edge.turn_away(asked.caller, do.__name__.strip("_"))
    try:
        right = NEEDS.get(do)
        refusal = await edge.may_not(asked.caller, right) if right is not None else None
        return refusal or await do(edge, asked)
    except Busy:
        return answers.late_press()
    except OncallError as error:
        return excuse(error)


async def _plain_words(edge: Edge, word: str, asked: Asked) -> Drawn | None:
    """`/oncall is checkout down?`: no word of ours begins it, but it may be a plain question or a wish."""
    nearest = reading.nearest(word, list(WORDS))
    if nearest is None:
        text = talk.plain(edge, f"{word} {asked.rest}")
        said = await talk.hear(
            edge, talk.Heard(asked.caller, text, asked.channel, None, alone=True)
        )
        if said.understood:
            return said.drawn
    return answers.unknown_word(word, nearest, command=edge.command)


def _words(edge: Edge, text: str) -> str:
    """What was typed, mentions as names."""
    return reading.said(text, edge.name_of).strip()[:NOTE_MAX]


# --- which incident -----------------------------------------------------------------------------------------------


async def _incident(
    edge: Edge, asked: Asked, form: str, fits: Callable[[Situation], bool] = lambda s: True
) -> tuple[int, str] | Drawn:
    """The incident meant and the words behind its number; without a number the only one that fits."""
    first, _, rest = asked.rest.partition(" ")
    found = reading.number(first) if first else None
    if found is not None:
        return found, rest.strip()
    if first.startswith("#") or (first and first.isascii() and first.isdigit()):
        return answers.no_such_incident(first)
    open_ones = [s for s in await edge.open_incidents() if fits(s)]
    if not open_ones:
        last = await edge.store.view(views.last_resolved)
        return answers.incidents((), last, edge.clock())
    mine = _nearest(open_ones, asked)
    if mine is not None:
        return mine.incident_id, asked.rest
    return answers.which_incident(open_ones, form, edge.clock(), command=edge.command)


def _nearest(open_ones: list[Situation], asked: Asked) -> Situation | None:
    """The one this person was paged for, else the one of this channel, else the only one; None when unsure."""
    key = asked.caller.actor.key
    paged = [s for s in open_ones if any(page.person_key == key for page in s.paged)]
    here = [s for s in open_ones if s.channel and s.channel == asked.channel]
    for few in (paged, here, open_ones):
        if len(few) == 1:
            return few[0]
    return None


def _waits(s: Situation) -> bool:
    return s.state in {State.FIRING, State.SILENCED}


# --- words that change something ----------------------------------------------------------------------------------


async def _ack(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "ack", _waits)
    if isinstance(found, Drawn):
        return found
    return answers.told(await edge.press(asked.press_id, acknowledge, found[0], asked.caller.actor))


async def _take(edge: Edge, asked: Asked) -> Drawn | None:
    """As `ack`, whoever has it; the former is told."""
    found = await _incident(edge, asked, "take", lambda s: s.state is State.ACKNOWLEDGED)
    if isinstance(found, Drawn):
        return found
    return answers.told(await edge.press(asked.press_id, take_over, found[0], asked.caller.actor))


async def _resolve(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "resolve")
    if isinstance(found, Drawn):
        return found
    reason = _words(edge, found[1])
    return answers.told(
        await edge.press(asked.press_id, resolve, found[0], asked.caller.actor, reason=reason)
    )


async def _escalate(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "escalate", lambda s: s.state is State.FIRING)
    if isinstance(found, Drawn):
        return found
    return answers.told(await edge.press(asked.press_id, escalate, found[0], asked.caller.actor))


async def _page(edge: Edge, asked: Asked) -> Drawn | None:
    """`page ben 42 the pool is empty`: whom, for which incident, what they should know."""
    target, _, rest = asked.rest.partition(" ")
    if not target:
        return answers.usage("page NAME 42", "wake someone for incident 42", command=edge.command)
    asked_for = Asked(asked.caller, asked.channel, rest.strip(), asked.body, asked.press_id)
    found = await _incident(edge, asked_for, f"page {target}")
    if isinstance(found, Drawn):
        return found
    whom = _target(edge, target)
    return answers.told(
        await edge.press(
            asked.press_id,
            page_by_hand,
            found[0],
            whom,
            asked.caller.actor,
            note=_words(edge, found[1]),
        )
    )


def _target(edge: Edge, word: str) -> str:
    """A mention as the person of the file behind it; everything else as it was typed."""
    bare = word.lstrip("@").strip()
    if word.startswith("<@") and word.endswith(">"):
        slack_id = word[2:-1].partition("|")[0]
        return f"person:{edge.store.snapshot.by_slack.get(slack_id, slack_id)}"
    return bare


async def _note(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "note")
    if isinstance(found, Drawn):
        return found
    if not found[1]:
        return answers.usage(
            f"note {found[0]} pool is empty", "add to the work log", command=edge.command
        )
    return answers.told(
        await edge.press(asked.press_id, note, found[0], _words(edge, found[1]), asked.caller.actor)
    )


async def _silence(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "silence")
    if isinstance(found, Drawn):
        return found
    first, _, comment = found[1].partition(" ")
    for_ = reading.span(first)
    if for_ is None:
        situation = await edge.situation(found[0])
        if situation is None:
            return answers.no_such_incident(str(found[0]))
        if not first:
            form = modals.silence(situation, edge.longest_silence(asked.caller, situation))
            refusal = await edge.may_not(asked.caller, Right.SILENCE, situation)
            return refusal or await edge.open_form(asked.body, form)
        return answers.usage(
            f"silence {found[0]} 2h WHY", "stop paging for two hours", command=edge.command
        )
    return answers.told(
        await edge.press(
            asked.press_id,
            silence_incident,
            found[0],
            for_,
            _words(edge, comment),
            asked.caller.actor,
        )
    )


async def _declare(edge: Edge, asked: Asked) -> Drawn | None:
    """A form; `declare sev2 checkout is down` declares at once."""
    first, _, title = asked.rest.partition(" ")
    if first.upper() in SEVERITIES and title.strip():
        return answers.told(
            await edge.press(
                "",
                declare,
                _words(edge, title)[:TITLE_MAX],
                first.upper(),
                asked.caller.actor,
                channel=asked.channel or None,
                press_id=asked.press_id,
            )
        )
    return await edge.open_form(
        asked.body, modals.declare(title=_words(edge, asked.rest), channel=asked.channel or None)
    )


async def _test(edge: Edge, asked: Asked) -> Drawn | None:
    person = asked.caller.person
    if person is None:
        return answers.not_yours("there is nobody to test")
    caller = asked.caller
    return answers.told(
        await road_test.begin(edge, asked.press_id, person.key, caller.slack_id, caller.actor)
    )


async def _summary(edge: Edge, asked: Asked) -> Drawn | None:
    return await _draft(edge, asked, "summary")


async def _postmortem(edge: Edge, asked: Asked) -> Drawn | None:
    return await _draft(edge, asked, "postmortem")


async def _update(edge: Edge, asked: Asked) -> Drawn | None:
    """`update`, `update 42`, `update 42 customers`: words to send, seen by the asker alone until accepted."""
    found = await _incident(edge, asked, "update")
    if isinstance(found, Drawn):
        return found
    audience = catching_up.audience_in(found[1].split())
    if audience is None:
        return answers.usage(
            f"update {found[0]} customers", "get the words of an update", command=edge.command
        )
    actor = asked.caller.actor
    return await catching_up.update_for(edge, asked.press_id, found[0], audience, actor)


async def _draft(edge: Edge, asked: Asked, kind: str) -> Drawn | None:
    first = asked.words[0] if asked.words else ""
    incident_id = reading.number(first)
    if incident_id is None:
        last = await edge.store.view(views.last_resolved)
        if first or last is None:
            return answers.usage(
                f"{kind} 42", f"see the {kind} of incident 42", command=edge.command
            )
        incident_id = last.incident_id
    return await draft_of(edge, incident_id, kind, asked.caller, asked.press_id)


async def draft_of(
    edge: Edge, incident_id: int, kind: str, caller: Caller, press_id: str
) -> Drawn | None:
    """The draft as it stands, or the word that one was asked for."""
    situation = await edge.situation(incident_id)
    if situation is None:
        return answers.no_such_incident(str(incident_id))
    text = await edge.store.view(views.draft, incident_id, kind)
    if text:
        return answers.draft_text(situation, kind, paragraphs(shown(text), most=3), edge.clock())
    if caller.refusal is not None:
        return await edge.turn_away(caller, f"draft_{kind}", incident_id)
    return answers.told(await edge.press(press_id, request_draft, incident_id, kind, caller.actor))


# --- words that only look -----------------------------------------------------------------------------------------


async def _who(edge: Edge, asked: Asked) -> Drawn | None:
    """`who`, `who checkout`, `who checkout at tomorrow 03:00`."""
    name, at_word, moment = f" {asked.rest} ".partition(" at ")
    zone = reading.zone_of(asked.caller.zone)
    at = reading.instant(moment, edge.clock(), zone) if at_word else None
    if at_word and at is None:
        return answers.unread_time(moment.strip(), str(zone))
    return await who_is_on_call(edge, name.strip() or None, at)


async def _incidents(edge: Edge, asked: Asked) -> Drawn | None:
    return await open_list(edge)


async def _catchup(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "catchup")
    if isinstance(found, Drawn):
        return found
    return await catching_up.caught_up(edge, found[0], asked.caller.actor)


async def _why(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "why")
    if isinstance(found, Drawn):
        return found
    return await why_of(edge, found[0])


async def _status(edge: Edge, asked: Asked) -> Drawn | None:
    found = await _incident(edge, asked, "status")
    if isinstance(found, Drawn):
        return found
    return await _answer_to(edge, asked, Question(Intent.STATUS, incident=found[0]))


async def _shifts(edge: Edge, asked: Asked) -> Drawn | None:
    """`shifts`, `shifts ana`."""
    person = _target(edge, asked.words[0]).removeprefix("person:") if asked.words else "me"
    if person != "me" and person not in edge.config.people:
        return answers.sentence(f"I don't know {person[:60]}. Name a person of the file.")
    return await _answer_to(edge, asked, Question(Intent.SHIFTS, person=person))


async def _history(edge: Edge, asked: Asked) -> Drawn | None:
    if not asked.rest:
        form, does = "history HighErrorRate", "see how often an alert fired in 90 days"
        return answers.usage(form, does, command=edge.command)
    return await _answer_to(edge, asked, Question(Intent.HISTORY, alert=asked.words[0][:200]))


async def _firing(edge: Edge, asked: Asked) -> Drawn | None:
    rota = asked.words[0].casefold() if asked.words else None
    if rota is not None and rota not in {*edge.config.services, *edge.config.schedules}:
        close = reading.nearest(rota, list(edge.config.services))
        hint = f" Did you mean {close}?" if close else ""
        return answers.sentence(f"No service is called {rota[:60]}.{hint}")
    return await _answer_to(edge, asked, Question(Intent.FIRING, rota=rota))


async def _answer_to(edge: Edge, asked: Asked, question: Question) -> Drawn:
    return (await answered(edge, question, Place(asked.caller, asked.channel, alone=True))).drawn


async def _explain(edge: Edge, asked: Asked) -> Drawn | None:
    labels = reading.labels(asked.rest)
    if labels is None:
        return answers.usage(
            "explain service=checkout,severity=critical",
            "see what such an alert would do",
            command=edge.command,
        )
    return answers.explained(labels, await edge.store.view(views.explain, labels))


async def _runbook(edge: Edge, asked: Asked) -> Drawn | None:
    if not asked.rest:
        return answers.usage("runbook pool is empty", "find a runbook", command=edge.command)
    found = await edge.store.view(views.runbooks_matching, asked.rest[:200])
    return answers.runbooks(found, asked.rest[:80])


async def _metric(edge: Edge, asked: Asked) -> Drawn | None:
    """`metric rate(errors_total[5m]) 6h`: a graph that only the asker sees."""
    said = await metric.answer(edge, asked.rest)
    if asked.body.get("response_url"):
        await edge.tell(asked.body, said)
        return None
    return said


async def _web(edge: Edge, asked: Asked) -> Drawn | None:
    return await web_link(edge, asked.caller, asked.press_id)


async def _my_data(edge: Edge, asked: Asked) -> Drawn | None:
    """`my-data`: nothing behind the word counts; it is always the asker's own."""
    return await my_data(edge, asked.caller)


async def _help(edge: Edge, asked: Asked) -> Drawn | None:
    return answers.help_(edge.command, edge.guide)


WORDS: Mapping[str, Word] = {
    "who": _who,
    "incidents": _incidents,
    "ack": _ack,
    "take": _take,
    "resolve": _resolve,
    "escalate": _escalate,
    "page": _page,
    "declare": _declare,
    "note": _note,
    "silence": _silence,
    "why": _why,
    "catchup": _catchup,
    "update": _update,
    "status": _status,
    "shifts": _shifts,
    "history": _history,
    "firing": _firing,
    "runbook": _runbook,
    "metric": _metric,
    "summary": _summary,
    "postmortem": _postmortem,
    "explain": _explain,
    **rota.WORDS,
    **personal_rules.WORDS,
    "contact": contacts.on_contact,
    "calendar": calendars.on_calendar,
    "fairness": fairness.on_fairness,
    "audit": audit.on_audit,
    "test": _test,
    "web": _web,
    "my-data": _my_data,
    "help": _help,
}
ALIASES = {
    "list": "incidents",
    "acknowledge": "ack",
    "incident": "incidents",
    "oncall": "who",
    "?": "help",
    "contacts": "contact",
    "catch-up": "catchup",
    **rota.ALIASES,
    **personal_rules.ALIASES,
}
CHANGES: frozenset[Word] = frozenset(
    {
        *(
            _ack,
            _take,
            _resolve,
            _escalate,
            _page,
            _declare,
            _note,
            _silence,
            contacts.on_contact,
            _test,
        ),
        *(_update, _metric, calendars.on_calendar),
    }
    | rota.CHANGES
    | personal_rules.CHANGES
)
"""What guests may not: what changes something, and `metric`, which may ask Prometheus anything."""
NEEDS: Mapping[Word, Right] = {
    _declare: Right.DECLARE,
    contacts.on_contact: Right.OWN_ROADS,
    _test: Right.OWN_ROADS,
    _metric: Right.ASK_METRICS,
    audit.on_audit: Right.READ_AUDIT,
    **rota.NEEDS,
}
"""Rights that no incident decides. For everything else the flow asks, which knows the incident and its team."""
USAGE_HINT = "who | declare | ack 42 | page NAME 42 | silence 42 2h | why 42 | help"
