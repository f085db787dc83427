"""How answers to plain questions look: shifts, an incident's state, who has it, what happened, how often, what fires.

Knows the tone: the answer first, sources linked, what is not known said. Refuses to know how an answer was found.
Serves `answering`; outside text is escaped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from oncall_bot.core.situation import LogEntry, OnCallNow, Situation, State
from oncall_bot.slack import phrases
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, section
from oncall_bot.slack.escape import code, cut, escape, link, mention, push, when
from oncall_bot.slack.phrases import MARKS, count, duration, names
from oncall_bot.store.views import AlertHistory, Ending, Firing, Shift

LINES_MAX = 12
Links = Mapping[int, str]


def as_of(now: datetime, *more: str) -> Block:
    """The grey line under an answer: when it was true, and where it comes from."""
    return context("  ·  ".join([f"As of {when(now, now)}", *more]))


def number(incident_id: int, links: Links) -> str:
    return link(links.get(incident_id), str(incident_id))


def shifts(found: Sequence[Shift], who: str, now: datetime, until: datetime, *, me: bool) -> Drawn:
    """When somebody is on call, the next or running shift first."""
    name = "You" if me else escape(who, 60)
    be = "are" if me else "is"
    if not found:
        text = f"{name} {be} not on call before {when(until, now)}."
        return Drawn(
            push("", "You" if me else who, f" {be} not on call in that time."),
            [section(text), as_of(now)],
        )
    first = found[0]
    runs = first.starts_at <= now
    head = (
        f"*{name} {be} on call now* for {escape(first.schedule, 60)}, until {when(first.ends_at, now)}."
        if runs
        else f"*{name} {be} next on call* for {escape(first.schedule, 60)},"
        f" from {when(first.starts_at, now)} to {when(first.ends_at, now)}."
    )
    rest = [
        f"{escape(one.schedule, 60)}: {when(one.starts_at, now)} to {when(one.ends_at, now)}"
        for one in found[1:6]
    ]
    more = [section("Then:\n" + "\n".join(rest))] if rest else []
    state = "on call now" if runs else "next on call"
    return Drawn(
        push("", "You" if me else who, f" {be} {state} for {cut(first.schedule, 40)}."),
        [section(head), *more, as_of(now)],
    )


def on_call_between(
    found: Sequence[Shift], start: datetime, end: datetime, now: datetime, *, mentions: bool
) -> Drawn:
    """Who is on call in a span, schedule by schedule; a gap is said with its consequence."""
    by_schedule: dict[str, list[Shift]] = {}
    for one in found:
        by_schedule.setdefault(one.schedule, []).append(one)
    if not by_schedule:
        return Drawn(
            "No schedule is set up for that.",
            [section("No schedule stands behind that."), as_of(now)],
        )
    lines = []
    for schedule, mine in list(by_schedule.items())[:LINES_MAX]:
        said = [_stretch(one, now, start, end, mentions=mentions) for one in mine[:8]]
        lines.append(f"*{escape(schedule, 60)}:* " + ", then ".join(said))
    title = f"*On call from {when(start, now)} to {when(end, now)}*"
    people = ", ".join(dict.fromkeys(one.name or "nobody" for one in found))
    return Drawn(
        push("On call then: ", people),
        [section(title), *[section(one) for one in lines], as_of(now)],
    )


def _stretch(one: Shift, now: datetime, start: datetime, end: datetime, *, mentions: bool) -> str:
    who = (
        "*nobody*"
        if one.name is None
        else mention(one.slack_id, one.name)
        if mentions
        else escape(one.name, 60)
    )
    if one.starts_at <= start and one.ends_at >= end:
        return f"{who} all along"
    if one.starts_at <= start:
        return f"{who} until {when(one.ends_at, now)}"
    return f"{who} from {when(one.starts_at, now)}"


def plain_who(shifts_: Sequence[OnCallNow], now: datetime, at: datetime | None) -> Drawn:
    """Who is on call at one instant, named and not mentioned: many read it."""
    title = f"*On call {when(at, now)}*" if at else "*On call now*"
    lines = []
    for one in shifts_[:LINES_MAX]:
        if one.name is None:
            back = names(one.fallback)
            lines.append(
                f"*{escape(one.schedule, 60)}:* *nobody*. Pages go to the fallback{', ' + back if back else ''}."
            )
            continue
        until = f" until {when(one.until, now)}" if one.until else ""
        covers = f" (covers for {escape(one.covers_for, 60)})" if one.covers_for else ""
        if one.away_until:
            covers += f", on holiday until {when(one.away_until, now)}"
        then = ", ".join(f"{escape(name, 60)} {escape(after, 40)}" for name, after in one.then[:4])
        lines.append(
            f"*{escape(one.schedule, 60)}:* {escape(one.name, 60)}{until}{covers}"
            + (f"\nthen {then}" if then else "")
        )
    shown = [f"{one.schedule} {one.name or 'nobody'}" for one in shifts_]
    lead = "On call then: " if at else "On call now: "
    return Drawn(
        push(lead, ", ".join(shown)),
        [section(title), *[section(line) for line in lines], as_of(now)],
    )


# --- one incident ------------------------------------------------------------------------------------------------


def status(s: Situation, last: Sequence[LogEntry], now: datetime) -> Drawn:
    """State, people, next step and the last lines of the work log."""
    since = f", since {when(s.opened_at, now)}"
    where = f", {escape(s.service, 60)}" if s.service else ""
    firing = (
        f" {count(s.firing, 'alert')} {'fires' if s.firing == 1 else 'fire'}." if s.firing else ""
    )
    lines = [
        f"{MARKS[s.state]} {link(s.chat_link or s.url, str(s.incident_id))}  *{escape(s.title, 90)}*",
        f"*{phrases.people_line(s, now)}* {escape(s.severity, 20)}{where}{since}.{firing}",
    ]
    if s.resolved_at is not None and s.state is State.RESOLVED:
        lines.append(
            f"Over since {when(s.resolved_at, now)}, after {duration(s.resolved_at - s.opened_at)}."
        )
    if s.summary_line:
        lines.append(escape(s.summary_line, 300))
    if s.next is not None and s.state is State.FIRING:
        lines.append(
            f"*Next*  {names(s.next.names) or 'nobody'}, {when(s.next.at, now)} ({escape(s.next.what, 60)})."
        )
    log = [_entry(one, now) for one in last[-3:]]
    more = [section("*Last*\n" + "\n".join(log))] if log else []
    text = push(f"Incident {s.incident_id}, {s.state}: ", s.title)
    return Drawn(text, [section("\n".join(lines)), *more, _buttons(s), as_of(now)])


def _buttons(s: Situation) -> Block:
    take = button("Acknowledge", "incident.ack", s.incident_id) if s.state is State.FIRING else None
    ask = button("What happened?", "talk.ask.0", f"what happened in incident {s.incident_id}")
    why = button("Why paged?", "talk.ask.1", f"who was paged for {s.incident_id}")
    return actions([take, ask, why])


def owner(s: Situation, now: datetime) -> Drawn:
    """Who has it; when nobody has, whom it paged so far."""
    where = f"incident {link(s.chat_link or s.url, str(s.incident_id))}, {escape(s.title, 90)}"
    if s.state is State.RESOLVED:
        by = (
            f"{escape(s.resolved_by, 60)} resolved"
            if s.resolved_by
            else "Its alerts ended: that closed"
        )
        at = f", {when(s.resolved_at, now)}" if s.resolved_at else ""
        had = f" {escape(s.acked_by, 60)} had it." if s.acked_by else " Nobody had acknowledged it."
        text = f"*{by}* {where}{at}.{had}"
        plain = f"Incident {s.incident_id} is resolved. {s.acked_by or 'Nobody'} had it."
    elif s.acked_by:
        at = f", since {when(s.acked_at, now)}" if s.acked_at else ""
        text = f"*{escape(s.acked_by, 60)} has it:* {where}{at}."
        plain = f"{s.acked_by} has incident {s.incident_id}."
    else:
        paged = names(page.name for page in s.paged)
        asked = f" Paged so far: {paged}." if paged else " Nobody was paged."
        text = f"*Nobody has it yet:* {where}.{asked}"
        plain = f"Nobody has incident {s.incident_id} yet."
    take = (
        [actions([button("Acknowledge", "incident.ack", s.incident_id)])]
        if s.state is State.FIRING
        else []
    )
    return Drawn(push("", plain), [section(text), *take, as_of(now)])


def timeline(s: Situation, entries: Sequence[LogEntry], hidden: int, now: datetime) -> Drawn:
    """What happened, oldest first; what is left out is counted."""
    head = f"*What happened in incident {link(s.chat_link or s.url, str(s.incident_id))}*, {escape(s.title, 90)}"
    lines = [_entry(one, now) for one in entries[-15:]]
    older = hidden + max(0, len(entries) - 15)
    fold = f"{count(older, 'older entry', 'older entries')} left out.\n" if older else ""
    body = fold + "\n".join(lines) if lines else "Nothing has happened since then."
    text = push(f"What happened in incident {s.incident_id}: ", s.title)
    return Drawn(text, [section(head), section(body), as_of(now)])


def _entry(one: LogEntry, now: datetime) -> str:
    name = (
        f"*{escape(one.actor, 60)}:* " if one.actor and not one.text.startswith(one.actor) else ""
    )
    return f"{when(one.at, now)}  {name}{escape(one.text, 180)}{' 📌' if one.pinned else ''}"


def cause(s: Situation, pinned: Sequence[tuple[str, str]], now: datetime) -> Drawn:
    """Only what a person pinned as the cause; else that nobody has."""
    where = f"incident {link(s.chat_link or s.url, str(s.incident_id))}, {escape(s.title, 90)}"
    if not pinned:
        return Drawn(
            f"Nobody has named a cause of incident {s.incident_id} yet.",
            [
                section(
                    f"*Not known.* Nobody has named a cause of {where} yet. I name none that nobody confirmed."
                ),
                actions(
                    [
                        button(
                            "What happened?",
                            "talk.ask.0",
                            f"what happened in incident {s.incident_id}",
                        )
                    ]
                ),
                as_of(now),
            ],
        )
    lines = [f"“{escape(text, 300)}” [{escape(ref, 10)}]" for ref, text in pinned[:3]]
    return Drawn(
        push(f"Cause of incident {s.incident_id}, as pinned: ", pinned[0][1]),
        [section(f"*Pinned as the cause* of {where}:\n" + "\n".join(lines)), as_of(now)],
    )


# --- alerts -------------------------------------------------------------------------------------------------------


def history(h: AlertHistory, links: Links, now: datetime) -> Drawn:
    """How often it fired, when, how long, and how its incidents ended."""
    name, open_now = code(h.name, 80), [one for one in h.times if one.ended_at is None]
    span = f"since {when(h.since, now)}"
    if not h.times:
        before = (
            f" It last fired {when(h.last.starts_at, now)}{_of(h.last, links)}."
            if h.last
            else " I know no earlier time."
        )
        return Drawn(
            push("", h.name, " did not fire in that time."),
            [section(f"*{name} did not fire* {span}.{before}"), as_of(now)],
        )
    often = f"*{count(len(h.times), 'time')}{' or more' if h.more else ''}*"
    usual = _usual(h.times)
    lines = [_time(one, links, now) for one in h.times[:6]]
    blocks = [
        section(f"{name} fired {often} {span}.{usual}"),
        section("\n".join(lines)),
        *_endings(h.endings, links),
    ]
    if open_now and open_now[0].incident_id is not None:
        blocks.append(
            section(
                f"*Not known*  Whether incident {number(open_now[0].incident_id, links)} is alike: it may differ."
            )
        )
    return Drawn(
        push("", h.name, f" fired {count(len(h.times), 'time')} in that time."),
        [*blocks, as_of(now)],
    )


def _usual(times: Sequence[Firing]) -> str:
    ended = [(one.ended_at - one.starts_at).total_seconds() for one in times if one.ended_at]
    return (
        f" Usually gone in {duration(timedelta(seconds=median(ended)))}." if len(ended) > 1 else ""
    )


def _time(one: Firing, links: Links, now: datetime) -> str:
    lasted = f"for {duration(one.ended_at - one.starts_at)}" if one.ended_at else "fires still"
    return f"{when(one.starts_at, now)}  {lasted}{_of(one, links)}"


def _of(one: Firing, links: Links) -> str:
    return f", incident {number(one.incident_id, links)}" if one.incident_id is not None else ""


def _endings(endings: Sequence[Ending], links: Links) -> list[Block]:
    lines = []
    for one in endings[:3]:
        did = "; ".join(f"“{escape(text, 160)}” [{escape(ref, 10)}]" for ref, text in one.did[-2:])
        by = f"{escape(one.resolved_by, 60)} resolved it" if one.resolved_by else "its alerts ended"
        lines.append(
            f"Incident {number(one.incident_id, links)}: {by}."
            f" {'Done before: ' + did if did else 'The record holds no deed.'}"
        )
    return [section("*How it ended*\n" + "\n".join(lines))] if lines else []


def firing(
    found: Sequence[Firing], total: int, about: str | None, links: Links, now: datetime
) -> Drawn:
    """What fires now, newest first, each with its incident."""
    where = f" on {code(about, 80)}" if about else ""
    if not found:
        return Drawn(
            push("Nothing fires ", f"on {about}" if about else "now", "."),
            [section(f"*Nothing fires*{where}."), as_of(now)],
        )
    lines = []
    for one in found[:LINES_MAX]:
        place = f", {escape(one.service, 60)}" if one.service and not about else ""
        held = ", held back" if one.held else ""
        said = f"\n{escape(one.summary, 160)}" if one.summary else ""
        lines.append(
            f"{code(one.name, 80)}{place}, since {when(one.starts_at, now)}{_of(one, links)}{held}{said}"
        )
    more = f"\n{total - LINES_MAX} more." if total > LINES_MAX else ""
    head = f"*{count(total, 'alert')} {'fires' if total == 1 else 'fire'}*{where}"
    return Drawn(
        push(f"{count(total, 'alert')} now, newest: ", found[0].name),
        [section(head), section("\n".join(lines) + more), as_of(now)],
    )


# --- when there is no answer --------------------------------------------------------------------------------------


def ask_back(question: str, choices: Sequence[str]) -> Drawn:
    """One question with up to three buttons; each asks what is written on it."""
    pressed = [button(one, f"talk.ask.{n}", one, label=one) for n, one in enumerate(choices[:3])]
    return Drawn(
        push("", question),
        [section(escape(question, 500)), *([actions(pressed)] if pressed else [])],
    )


def declined(command: str, near: Sequence[str] = ()) -> Drawn:
    """Nothing of ours: what is answered here instead."""
    text = (
        "I answer questions about on call: “who is on call?”, “what is open?”, “who has 42?”, “has HighErrorRate fired"
        f" before?”. {code(f'{command} help')} lists the rest."
    )
    offered = (
        [actions([button(one, f"talk.ask.{n}", one) for n, one in enumerate(near[:3])])]
        if near
        else []
    )
    return Drawn(
        "I answer questions about on call, such as “who is on call?”.", [section(text), *offered]
    )


SMALLTALK: Mapping[str, str] = {
    "greeting": "Hello. Ask me who is on call, what is open, or why you were paged.",
    "thanks": "Glad that helped.",
    "bye": "Good night. Whoever is on call is paged when something fires.",
    "who_are_you": "I am the on-call bot: I page until somebody answers, and keep the record. Ask me who is on call.",
}


def small_talk(kind: str) -> Drawn:
    sentence = SMALLTALK.get(kind, SMALLTALK["greeting"])
    return Drawn(push("", sentence), [section(sentence)])


def noted(drawn: Drawn, read_as: Sequence[tuple[str, str]]) -> Drawn:
    """The answer, with a word about names that were read otherwise than typed."""
    if not read_as:
        return drawn
    said = ", ".join(f"“{escape(typed, 60)}” as {code(key, 60)}" for typed, key in read_as[:3])
    return Drawn(drawn.text, [*drawn.blocks, context(f"I read {said}.")])
