"""The incident card: one message per incident, drawn anew from its Situation at every edit.

Knows the order in which a woken reader asks (what, who, now, known, next, buttons, details) and the words for it.
Refuses to know where the card lies and when it is sent; it invents nothing: no measured value, then the honest count.
Serves engine's delivery (by the renderer that app wires) and practice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from oncall_bot.core.situation import Paged, Situation, State
from oncall_bot.slack import phrases
from oncall_bot.slack.blocks import (
    Block,
    Drawn,
    actions,
    button,
    confirm,
    context,
    fields,
    header,
    image,
    overflow,
    section,
)
from oncall_bot.slack.escape import code, escape, link, plain, push, quote, utc, when
from oncall_bot.slack.phrases import MARKS, count, duration, names

TITLE_SHOWN = 90
PAGED_SHOWN, ALERTS_SHOWN, PLACES_SHOWN, CHANGES_SHOWN = 8, 5, 5, 12
ROADS_SHOWN = 5
FLAPS = 4
"""So many changes make an incident one that goes on and off."""


def card(s: Situation, now: datetime, *, late: timedelta | None = None) -> Drawn:
    """The card as it stands at `now`; `late` is how long Slack could not be reached before it was posted."""
    head = [header(f"{MARKS[s.state]} {plain(s.title, TITLE_SHOWN)}"), section(_state_line(s, now))]
    if s.state is State.RESOLVED:
        body = [fields(_figures(s)), *_summary(s), actions(_buttons(s)), *_picture(s, now)]
    elif s.state is State.MERGED:
        body = [section(f"*Next*  Work goes on in incident {s.merged_into}.", block_id="next")]
    else:
        body = [*_three(s, now), actions(_buttons(s)), *_details(s, now)]
    return Drawn(push_line(s, now), [*head, *body, context(_footer(s, now, late))])


def push_line(s: Situation, now: datetime) -> str:
    """The phone's line: what it is, how bad, what, where, and the duty within the first 80 characters."""
    start = f"Incident {s.incident_id}"
    if s.state is State.FIRING:
        line = phrases.people_line(s, now)
        if line.startswith("Nobody has answered for"):
            return push(f"{start} {_severity(s)}: {line[:1].lower()}{line[1:]} ", s.title)
        if s.nobody:
            return push(
                f"{start} {_severity(s)}: nobody is on call for ", s.service or s.title, _paging(s)
            )
        return push(f"{start} {_severity(s)} {_firing_word(s)}: ", s.title, f".{_paging(s)}")
    after = {
        State.ACKNOWLEDGED: f"acknowledged by {escape(s.acked_by or 'somebody', 30)}",
        State.MITIGATED: "mitigated",
        State.RESOLVED: f"resolved after {duration((s.resolved_at or now) - s.opened_at)}",
        State.SILENCED: "silenced" + (f" until {utc(s.silence.until, now)}" if s.silence else ""),
        State.MERGED: f"is now part of incident {s.merged_into}",
    }[s.state]
    end = ". Nobody is paged." if s.state is State.SILENCED else "."
    return push(f"{start} {_severity(s)} {after}: ", s.title, end)


def _firing_word(s: Situation) -> str:
    return {"declared": "declared", "storm": "storm"}.get(s.origin, "firing")


def _paging(s: Situation) -> str:
    who = names((page.name for page in phrases.unanswered(s)), most=2)
    return f" Paging {who}." if who and len(who) < 40 else ""


def _severity(s: Situation) -> str:
    return escape(s.severity, 20)


def _state_line(s: Situation, now: datetime) -> str:
    bold = f"*{phrases.people_line(s, now)}* {_severity(s)}"
    match s.state:
        case State.FIRING if len(s.changes) >= FLAPS:
            return f"{bold}, {_on_and_off(s)}."
        case State.FIRING if s.origin == "declared":
            by = f" by {escape(s.declared_by, 60)}" if s.declared_by else ""
            return f"{bold}, declared{by} {when(s.opened_at, now)}."
        case State.FIRING:
            return f"{bold}, {'firing' if s.firing else 'open'} since {when(s.opened_at, now)}."
        case State.ACKNOWLEDGED if len(s.changes) >= FLAPS:
            return f"{bold}, {_on_and_off(s)}."
        case State.ACKNOWLEDGED:
            return f"{bold}, acknowledged{_after_the_page(s, now)}."
        case State.MITIGATED:
            has = f", {escape(s.acked_by, 60)} has it" if s.acked_by else ""
            since = f", since {when(s.mitigated_at, now)}" if s.mitigated_at else ""
            return f"{bold}{has}{since}."
        case State.RESOLVED:
            end = s.resolved_at or now
            return f"{bold}, {when(s.opened_at, now)} to {when(end, now)}, {duration(end - s.opened_at)}."
        case State.SILENCED if s.silence:
            return f"{bold}, until {when(s.silence.until, now)}."
        case _:
            return f"{bold}."


def _after_the_page(s: Situation, now: datetime) -> str:
    if not s.acked_at:
        return ""
    first = min(
        (page.decided_at for page in s.paged if page.decided_at <= s.acked_at), default=None
    )
    after = f", {duration(s.acked_at - first)} after the page" if first else ""
    return f" {when(s.acked_at, now)}{after}"


def _on_and_off(s: Situation) -> str:
    span = s.changes[-1].at - s.changes[0].at
    times = s.reopened + 1 if s.reopened else len(s.changes) // 2
    return f"on and off {times} times in {duration(span)}"


# --- Now, Known, Next -------------------------------------------------------------------------------------------


def _three(s: Situation, now: datetime) -> list[Block]:
    said = (
        ("now", "Now", _now(s)),
        ("known", "Known", _known(s, now)),
        ("next", "Next", _next(s, now)),
    )
    return [section(f"*{word}*  {sentence}", block_id=name) for name, word, sentence in said]


def _now(s: Situation) -> str:
    """The honest count; a measured value joins when there is one."""
    if s.origin == "storm" and s.places:
        return f"{count(s.firing, 'alert')} on {count(len(s.places), 'service')}. One page per person, no more."
    where = f" on {escape(s.service, 60)}" if s.service else ""
    if s.held_back:
        return f"{count(s.firing, 'alert')} firing{where}, {s.held_back:,} held back."
    if s.firing:
        return f"{_measured(s)}{count(s.firing, 'alert')} firing{where}."
    if s.alerts_ever:
        return f"No alert fires now; {'it has' if s.alerts_ever == 1 else f'all {s.alerts_ever:,} have'} ended."
    return "No alert belongs to this incident."


def _measured(s: Situation) -> str:
    """The value with its limit, as it was when the picture was drawn; nothing while the newest could not be read."""
    if s.picture is None or not s.picture.sentence or s.picture.fault:
        return ""
    return f"{escape(s.picture.sentence, 120)}. "


def _known(s: Situation, now: datetime) -> str:
    if s.state is State.SILENCED and s.silence:
        return f"{escape(s.silence.by, 60)}'s reason: “{escape(s.silence.comment or 'none given', 200)}”."
    if s.nobody and s.state is State.FIRING:
        return escape(s.nobody, 300)
    known = [_source(s, now), _slack_failures(s, now), _first(s, now), _again(s)]
    if s.runbook is None and s.origin != "declared":
        known.append(phrases.no_runbook(s))
    return " ".join(sentence for sentence in known if sentence)


def _source(s: Situation, now: datetime) -> str:
    """Said when what we know of the alerts may be old."""
    if s.silent_source and s.silent_since:
        source = escape(s.silent_source, 120)
        return f"{source} has not answered since {when(s.silent_since, now)}; ends may come late."
    if s.not_heard_since:
        since = when(s.not_heard_since, now)
        return (
            f"*Not heard since {since}*: its source cannot be asked. Is it over? Then resolve it."
        )
    return ""


def _first(s: Situation, now: datetime) -> str:
    if s.origin == "declared" and not s.alerts_ever:
        return f"Declared by {escape(s.declared_by or 'somebody', 60)}; no alert has said so yet."
    if not s.first_alert:
        return f"Open since {when(s.opened_at, now)}."
    first = f"First alert: {code(s.first_alert)} {when(s.opened_at, now)}"
    others = len(s.places) - 1
    if s.origin == "storm" and others > 0:
        return f"{first}. {count(others, 'more service')} followed."
    return f"{first}{phrases.often(s.before)}."


def _again(s: Situation) -> str:
    if not s.reopened:
        return ""
    return (
        "It had ended once and fires again."
        if s.reopened == 1
        else f"It has come back {s.reopened} times."
    )


def _slack_failures(s: Situation, now: datetime) -> str:
    """Said when Slack refused a page that another road carried: no page was lost, and how that is known."""
    for page in s.paged:
        failed = next(
            (one for one in page.roads if one.road == "slack" and one.state == "failed"), None
        )
        others = [one.road for one in page.roads if one.road != "slack" and one.went_out]
        if failed and others:
            at = f" {when(failed.at, now)}" if failed.at else ""
            return f"Slack refused {escape(page.name, 60)}'s page{at}; it went by {phrases.roads(others)}."
    return ""


def _next(s: Situation, now: datetime) -> str:
    match s.state:
        case State.FIRING:
            return _next_page(s, now)
        case State.ACKNOWLEDGED if s.ack_until:
            who = escape(s.acked_by or "whoever has it", 60)
            return f"{who} is paged again {when(s.ack_until, now)} unless it is mitigated or resolved, then others."
        case State.ACKNOWLEDGED if len(s.changes) >= FLAPS:
            return "Stays one incident; the same alerts page nobody again."
        case State.ACKNOWLEDGED:
            return "Nobody else is paged unless it gets worse."
        case State.MITIGATED if s.origin == "declared" or not s.alerts_ever:
            return "Stays open until somebody resolves it."
        case State.MITIGATED:
            return "Resolves by itself once its alerts have ended."
        case State.SILENCED if s.silence:
            return f"Paging starts {when(s.silence.until, now)} if it still fires."
        case _:
            return "Nothing happens by itself."


def _next_page(s: Situation, now: datetime) -> str:
    if s.held_why:
        return f"Nobody is paged: {escape(s.held_why, 160)}. Paging begins when it is released."
    if s.next is None:
        if s.urgency == "none":
            return "Nothing happens by itself."
        return "The policy has no further step." if s.paged else "Paging is being decided."
    who, what = names(s.next.names), escape(s.next.what, 80)
    then = f"{who} {phrases.are(s.next.names)} paged" if who else what
    step = f" ({what})" if who and what else ""
    waiting = [page.name for page in phrases.unanswered(s)]
    until = when(s.next.at, now)
    if waiting:
        have = "has" if len(set(waiting)) == 1 else "have"
        return f"{names(waiting, most=3)} {have} until {until} to acknowledge, then {then}{step}."
    return f"{then[:1].upper()}{then[1:]} {until}{step}." if who else f"{then}: {until}."


# --- buttons ------------------------------------------------------------------------------------------------------


_MENU = {
    "silence": "Silence…",
    "hand_over": "Hand over…",
    "severity": "Change severity…",
    "resolve": "Resolve…",
    "note": "Add a note…",
    "why": "Why was this paged?",
}


def _buttons(s: Situation) -> list[Block | None]:
    n = s.incident_id
    match s.state:
        case State.FIRING:
            ack = button(
                "Acknowledge", "incident.ack", n, style="primary", label=f"Acknowledge incident {n}"
            )
            escalate = (
                button("Escalate now", "incident.escalate", n) if s.urgency != "none" else None
            )
            alone = s.nobody is not None or s.next is None or not s.paged
            someone = button("Page someone…", "incident.page", n) if alone else None
            return [
                ack,
                escalate,
                someone,
                _open(s),
                _menu(s, "silence", "hand_over", "severity", "resolve", "why"),
            ]
        case State.ACKNOWLEDGED:
            return [
                button("Mitigated", "incident.mitigate", n),
                resolve_button(s),
                button("Get help", "incident.page", n),
                _menu(s, "hand_over", "silence", "severity", "note", "why"),
            ]
        case State.MITIGATED:
            return [resolve_button(s), _menu(s, "hand_over", "severity", "note", "why")]
        case State.SILENCED:
            return [
                button("End the silence", "silence.end", n),
                button("Acknowledge", "incident.ack", n),
                _menu(s, "silence", "severity", "resolve", "why"),
            ]
        case _:
            return [
                button("Review summary", "summary.review", n, style="primary"),
                button("Draft postmortem", "postmortem.draft", n),
                _menu(s, "note", "why"),
            ]


def _menu(s: Situation, *entries: str) -> Block:
    return overflow(
        "incident.more", [(_MENU[entry], f"{s.incident_id}:{entry}") for entry in entries]
    )


def _open(s: Situation) -> Block | None:
    if s.origin != "storm" or not s.url:
        return None
    return button("All alerts", "incident.open", s.incident_id, url=s.url)


def resolve_button(s: Situation) -> Block:
    """Resolve; while something fires it asks first."""
    asked = None
    if s.firing:
        still = "1 alert still fires" if s.firing == 1 else f"{s.firing:,} alerts still fire"
        asked = confirm(
            "Resolve while firing?",
            f"{still}. Resolving now stops the paging; incident {s.incident_id} opens again if they fire anew.",
            "Resolve anyway",
            "Keep open",
        )
    return button("Resolve", "incident.resolve", s.incident_id, confirm=asked)


# --- details ------------------------------------------------------------------------------------------------------


def _details(s: Situation, now: datetime) -> list[Block]:
    paged = [section(f"*Paged*\n{_paged(s, now)}")] if s.paged or s.next else []
    alerts = [section(_alerts(s))] if s.alerts or s.places else []
    alerts = [*_picture(s, now), *alerts, *_beside(s, now)]
    runbook = [section(_runbook(s))] if s.runbook else []
    changes = [section(f"*Changes*\n{_changes(s, now)}")] if len(s.changes) >= FLAPS else []
    if s.state is State.SILENCED:
        return [*alerts, *changes]
    if s.state is State.MITIGATED:
        return alerts
    troubled = s.nobody is not None or len({page.step for page in phrases.unanswered(s)}) > 1
    if s.state is State.FIRING and troubled:
        return [*paged, *alerts, *changes, *runbook]
    return [*changes, *alerts, *runbook, *paged]


def _picture(s: Situation, now: datetime) -> list[Block]:
    """The picture, or the one line that says why there is none: a missing part never blocks the page."""
    shown = s.picture
    if shown is None:
        return []
    found = [image(shown.file_id, shown.alt)] if shown.file_id else []
    if not shown.fault:
        return found or [context("No graph: nothing was measured for this alert's rule.")]
    why = escape(shown.fault, 200).rstrip(".")
    if not found:
        return [context(f"No graph: {why}. Paging is not affected.")]
    at = f" {when(shown.drawn_at, now)}" if shown.drawn_at else ""
    return [*found, context(f"Drawn{at}; no newer one: {why}.")]


def _beside(s: Situation, now: datetime) -> list[Block]:
    if not s.beside:
        return []
    lines = [
        f"{link(one.link, f'Incident {one.incident_id}')} {escape(one.title, 80)} {when(one.opened_at, now)}"
        for one in s.beside
    ]
    more = [f"and {s.beside_more} more"] if s.beside_more else []
    return [section("\n".join(["*Also started within 10 min*", *lines, *more]))]


def _alerts(s: Situation) -> str:
    if s.origin == "storm" and s.places:
        return "*Where*\n" + "\n".join(_places(s))
    title = "0 alerts firing" if not s.firing else f"{count(s.firing, 'alert')} firing"
    held = f", {s.held_back:,} held back" if s.held_back else ""
    shown = [
        f"{code(alert.name)}{_where(alert.firing, alert.where)}"
        for alert in s.alerts[:ALERTS_SHOWN]
    ]
    more = len(s.alerts) - ALERTS_SHOWN
    if more > 0:
        shown.append(f"{more:,} more {'name' if more == 1 else 'names'}")
    lines = [f"*{title}{held}*", "  ·  ".join(shown)]
    sample = next((alert.sample for alert in s.alerts if alert.sample), "")
    if sample:
        lines.append(quote(sample, 120))
    if s.state is State.SILENCED and s.silence:
        lines.append(f"Silence matches {code(s.silence.matchers, 200)}")
    return "\n".join(lines)


def _where(firing: int, where: Sequence[str]) -> str:
    if not firing:
        return " ended"
    shown = ", ".join(escape(place, 40) for place in where[:3])
    more = f" and {len(where) - 3} more" if len(where) > 3 else ""
    return f" {firing:,} ({shown}{more})" if shown else f" {firing:,}"


def _places(s: Situation) -> list[str]:
    """The five fullest places and the rest in one line, so that the counts add up."""
    lines = [f"{code(place)} {firing:,}" for place, firing in s.places[:PLACES_SHOWN]]
    rest = s.places[PLACES_SHOWN:]
    if rest:
        lines.append(f"{count(len(rest), 'more service')} {sum(firing for _, firing in rest):,}")
    return lines


def _runbook(s: Situation) -> str:
    book = s.runbook
    if book is None:
        return ""
    steps = f", {count(len(book.steps), 'step')}" if book.steps else ""
    why = f"\n_Why this one:_ {escape(book.why, 200)}" if book.why else ""
    return f"*Runbook* {link(book.link, book.title)}{steps}, in the thread{why}"


def _paged(s: Situation, now: datetime) -> str:
    shown = list(s.paged)[-PAGED_SHOWN:]
    hidden = len(s.paged) - len(shown)
    lines = [f"{count(hidden, 'earlier page')} not shown"] if hidden else []
    lines += [_page_line(page, now) for page in shown]
    if s.next and s.next.names:
        lines.append(f"{names(s.next.names)}, {escape(s.next.what, 80)}: at {when(s.next.at, now)}")
    return "\n".join(lines)


def _page_line(page: Paged, now: datetime) -> str:
    said = [phrases.fate(one, now) for one in page.roads[:ROADS_SHOWN]] or [
        f"decided {when(page.decided_at, now)}"
    ]
    if page.answered_at:
        said.append(f"acknowledged {when(page.answered_at, now)}")
    if page.note:
        said.append(escape(page.note, 120))
    return f"{escape(page.name, 60)}, {phrases.step_of(page)}: {', '.join(said)}"


def _changes(s: Situation, now: datetime) -> str:
    shown = s.changes[-CHANGES_SHOWN:]
    return "\n".join(f"{when(change.at, now)}  {escape(change.text, 120)}" for change in shown)


def _figures(s: Situation) -> list[tuple[str, str]]:
    """What was counted, never estimated: how long, how fast, how loud, what ended it."""
    end = s.resolved_at or s.updated_at
    figures = [("Open for", duration(end - s.opened_at))]
    if s.acked_at:
        figures.append(("Acknowledged after", duration(s.acked_at - s.opened_at)))
    if s.mitigated_at:
        figures.append(("Mitigated after", duration(s.mitigated_at - s.opened_at)))
    figures.append(("Pages", _pages(s)))
    if s.alerts_ever:
        figures.append(("Alerts", f"{s.alerts_ever:,}"))
    if s.reopened:
        figures.append(("Came back", f"{s.reopened} times" if s.reopened > 1 else "once"))
    figures.append(("Ended by", escape(s.resolved_by, 60) if s.resolved_by else "its alerts ended"))
    return figures[:6]


def _pages(s: Situation) -> str:
    people = len({page.person_key for page in s.paged})
    if not people:
        return "nobody was paged"
    sent = sum(
        1 for page in s.paged for one in page.roads if one.state not in {"waiting", "outdated"}
    )
    return f"{count(people, 'person', 'people')}, {count(sent, 'message')}"


def _summary(s: Situation) -> list[Block]:
    return [section(f"*Summary*  {escape(s.summary_line, 600)}")] if s.summary_line else []


def _footer(s: Situation, now: datetime, late: timedelta | None) -> str:
    incident = link(s.url, f"Incident {s.incident_id}")
    where = count(len(s.places), "service") if s.origin == "storm" and s.places else s.service
    parts = [incident, _severity(s), escape(where, 60) if where else "no service label"]
    if late:
        parts.append(f"this card was posted {duration(late)} late")
    word = "closed" if s.state is State.RESOLVED else "updated"
    at = (s.resolved_at or s.updated_at) if s.state is State.RESOLVED else s.updated_at
    parts.append(f"{word} {when(at, now)}")
    return "  ·  ".join(parts)
