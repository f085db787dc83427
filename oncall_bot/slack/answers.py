"""What only the asker sees: who is on call, why, help, lists, empty states, refusals and errors.

Knows the tone: what happened, what still works, what to do. Refuses to know how an answer was found.
Serves commands, actions and events of this room. Mentions are allowed here: one person reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from oncall_bot.core.explanation import Line
from oncall_bot.core.outcomes import Outcome
from oncall_bot.core.situation import OnCallNow, ShownRunbook, Situation, State
from oncall_bot.slack import phrases
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, section
from oncall_bot.slack.escape import code, cut, escape, link, mention, push, utc, when
from oncall_bot.slack.phrases import MARKS, count, names

LISTED = 12

HELP: Mapping[str, tuple[tuple[str, str], ...]] = {
    "When it burns": (
        ("declare", "open an incident"),
        ("page ben 42", "wake someone"),
        ("ack", "take what you were paged for"),
        ("take 42", "take it over from whoever has it"),
        ("escalate 42", "page the next step now"),
        ("note 42 pool is empty", "add to the work log"),
        ("metric up 6h", "a graph of any PromQL"),
        ("catchup 42", "what happened so far, for you alone"),
        ("update 42", "words of a status update; add `customers` for them"),
        ("resolve 42", "it is over"),
    ),
    "Before": (
        ("who", "who is on call, for what"),
        ("shifts", "when you are on call"),
        ("firing checkout", "what fires now"),
        ("history HighErrorRate", "how often it fired"),
        ("web", "schedules and incidents in the browser"),
        ("silence 42 2h planned move", "stop paging for a while"),
        ("schedule", "who now, who next, the week"),
        ("cover", "ask others to take your shift; `swap` changes it for one of theirs"),
        ("out until fri 18:00", "on holiday: cover is asked for all your shifts; then `back`"),
        ("override shop-primary ana fri 09:00 to sat 09:00", "set who takes a shift"),
        ("remind 24h 1h", "be told before each of your shifts"),
        ("contact add voice +4930123456", "how you can be woken; then `contact verify CODE`"),
        ("rules", "by what and when you are woken, and what a page would do now"),
        ("quiet 22:00-07:00", "low urgency waits until the morning; `quiet off`"),
        ("test", "send yourself a test page"),
        ("calendar", "your shifts in your calendar; `calendar shop-primary`, `calendar team shop`"),
        ("explain service=checkout,severity=critical", "what such an alert would do"),
    ),
    "After": (
        ("status 42", "how it stands"),
        ("why 42", "why it paged whom it paged"),
        ("incidents", "what is open"),
        ("runbook pool is empty", "find a runbook"),
        ("fairness shop-primary 90d", "how the load is shared"),
        ("audit 42", "who did what to it, for managers; `audit refused`"),
        ("summary 42", "the draft summary"),
        ("postmortem 42", "the draft postmortem"),
    ),
}


def said(sentence: str, *blocks: Block) -> Drawn:
    """One sentence of ours, already escaped, and whatever helps next."""
    return Drawn(
        push(cut(sentence.replace("*", "").replace("`", ""), 120)), [section(sentence), *blocks]
    )


def sentence(text: str) -> Drawn:
    """A sentence from a flow: ours in form, with outside words in it, so it is escaped whole."""
    return said(escape(text, 1000))


def outcome(result: Outcome, *, by_command: bool) -> Drawn | None:
    """What became of a press. A button's success shows on the card itself; a command gets its word back."""
    if result.done and not by_command:
        return None
    return sentence(result.reason)


def told(result: Outcome | None) -> Drawn:
    """What became of a word or form; None when the same press was taken before."""
    return sentence(result.reason) if result is not None else said("That was already taken.")


def who(shifts: Sequence[OnCallNow], now: datetime, at: datetime | None, *, command: str) -> Drawn:
    """Name, until when, who follows; a gap is a sentence with its consequence."""
    moment = f"On call {when(at, now)}" if at else "On call now"
    if not shifts:
        return said(
            "No schedule is set up. Pages go to the fallback.",
            context("Schedules stand in oncall.yaml; `oncall-bot apply` puts them in force."),
        )
    shown = [f"{one.schedule} {one.name or 'nobody'}" for one in shifts]
    lines = [section(_shift(one, now)) for one in shifts[:LISTED]]
    more = len(shifts) - LISTED
    if more > 0:
        lines.append(context(f"{count(more, 'more schedule')}: `{command} who NAME`"))
    form = code(f"{command} who {shifts[0].schedule} at tomorrow 03:00", 120)
    hint = f"Times are yours. {form} answers for another time."
    title = "On call then: " if at else "On call now: "
    return Drawn(push(title, ", ".join(shown)), [section(f"*{moment}*"), *lines, context(hint)])


def _shift(one: OnCallNow, now: datetime) -> str:
    until = f" until {when(one.until, now)}" if one.until else ""
    head = f"*{escape(one.schedule, 60)}:*"
    if one.name is None:
        back = names(one.fallback)
        falls = f" Pages go to the fallback, {back}." if back else " Pages go to the fallback."
        return f"{head} *nobody*{until}.{falls}"
    covers = f" (covers for {escape(one.covers_for, 60)})" if one.covers_for else ""
    away = (
        f"\n*On holiday until {when(one.away_until, now)}:* nobody covers."
        if one.away_until
        else ""
    )
    then = ", ".join(f"{escape(name, 60)} {escape(after, 40)}" for name, after in one.then[:4])
    behind = f"\nthen {then}" if then else ""
    quiet = (
        "" if _wakes(one.loud_roads) else "\n*No road of theirs wakes them:* Slack is the only one."
    )
    group = (
        f"\nIts user group is not in step: {escape(one.group_problem, 200)}"
        if one.group_problem
        else ""
    )
    return f"{head} {mention(one.slack_id, one.name)}{until}{covers}{away}{behind}{quiet}{group}"


def _wakes(roads: Sequence[str]) -> bool:
    return any(road not in {"slack", "mail"} for road in roads)


def why(incident_id: int, lines: Sequence[Line], now: datetime) -> Drawn:
    """The chain as it was decided, link by link, in the reader's own time."""
    if not lines:
        return sentence(f"Nothing is recorded about why incident {incident_id} paged anybody.")
    drawn = ["".join(_part(part, now) for part in line.parts) for line in lines]
    return _listed(
        f"Why incident {incident_id} paged whom it paged",
        drawn,
        lines[0].text(lambda at: utc(at, now)),
    )


def _part(part: str | datetime, now: datetime) -> str:
    """An instant in the reader's zone, or words escaped; the blanks at their ends part them from an instant."""
    if isinstance(part, datetime):
        return when(part, now)
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{before}{escape(part, 400)}{after if part.strip() else ''}"


def explained(labels: Mapping[str, str], reasons: Sequence[str]) -> Drawn:
    shown = ", ".join(f"{name}={value}" for name, value in labels.items())
    return _reasons("What such an alert would do", [f"Labels: {shown}", *reasons])


def _reasons(title: str, reasons: Sequence[str]) -> Drawn:
    return _listed(title, [escape(reason, 400) for reason in reasons], reasons[0])


def _listed(title: str, drawn: Sequence[str], first: str) -> Drawn:
    """Numbered sentences that are escaped already, in as few sections as hold them."""
    parts, part = [], ""
    for line in (f"*{n}*  {text}" for n, text in enumerate(drawn, start=1)):
        if part and len(part) + len(line) > 2800:
            parts.append(part)
            part = ""
        part = f"{part}\n{line}" if part else line
    shown = [section(text) for text in [*parts, part][:4]]
    return Drawn(push(f"{title}: ", first), [section(f"*{title}*"), *shown])


def help_(command: str, guide: str | None = None) -> Drawn:
    """Verbs by occasion, no manual."""
    word = escape(command, 40)
    groups = [
        section(
            f"*{title}*\n" + "\n".join(f"{code(f'{word} {form}')}  {does}" for form, does in forms)
        )
        for title, forms in HELP.items()
    ]
    foot = "Write to me in plain words too: “who is on call for checkout tonight?”"
    if guide:
        foot += f"  ·  {link(guide, 'Guide')}"
    return Drawn(
        "oncall-bot commands: who, page, declare, ack, silence, note, why, summary.",
        [*groups, context(foot)],
    )


def incidents(open_ones: Sequence[Situation], last: Situation | None, now: datetime) -> Drawn:
    """What is open; when nothing is, the last one."""
    declare = actions([button("Declare incident", "incident.declare", "new")])
    if not open_ones:
        before = ""
        if last is not None and last.resolved_at is not None:
            before = (
                f" The last one was {last.incident_id}, resolved {when(last.resolved_at, now)}."
            )
        return Drawn(
            f"No open incidents.{' Declare one if you see one.' if not before else ''}",
            [section(f"No open incidents.{before}"), declare],
        )
    lines = [incident_line(s, now) for s in open_ones[:LISTED]]
    more = len(open_ones) - LISTED
    tail = [context(f"{more} more are open.")] if more > 0 else []
    return Drawn(
        push(f"{count(len(open_ones), 'open incident')}, newest: ", open_ones[0].title),
        [*lines, *tail, declare],
    )


def incident_line(s: Situation, now: datetime, *, me: str | None = None) -> Block:
    """One incident in a list: mark, number, title, the state of people, and the one press that helps."""
    mine = me is not None and s.acked_by_key == me
    people = (
        "You have it." if mine and s.state is State.ACKNOWLEDGED else phrases.people_line(s, now)
    )
    number = f"<{s.chat_link}|{s.incident_id}>" if s.chat_link else link(s.url, str(s.incident_id))
    where = f", {escape(s.service, 60)}" if s.service else ""
    press = None
    if s.state is State.FIRING:
        press = button(
            "Acknowledge",
            "incident.ack",
            s.incident_id,
            label=f"Acknowledge incident {s.incident_id}",
        )
    elif s.state in {State.ACKNOWLEDGED, State.MITIGATED}:
        press = button("Resolve…", "incident.resolve_form", s.incident_id)
    head = f"{MARKS[s.state]} {number}  *{escape(s.title, 90)}*"
    facts = f"{people} {escape(s.severity, 20)}{where}, since {when(s.opened_at, now)}"
    return section(f"{head}\n{facts}", accessory=press)


def runbooks(found: Sequence[ShownRunbook], words: str) -> Drawn:
    if not found:
        return said(f"No runbook fits {code(words)}. Try the alert's name, or fewer words.")
    lines = [
        section(f"{link(book.link, book.title)}\n{escape(book.why, 200) or escape(book.slug, 100)}")
        for book in found[:5]
    ]
    return Drawn(
        push(f"{count(len(found), 'runbook')} for ", words),
        [section(f"*Runbooks for* {code(words)}"), *lines],
    )


def unknown_word(word: str, nearest: str | None, *, command: str) -> Drawn:
    """Says what was read and offers the nearest."""
    name = escape(command, 40)
    hint = (
        f" Did you mean {code(f'{command} {nearest}')}?"
        if nearest
        else f" `{name} help` lists what I know."
    )
    blocks = [
        section(f"I don't know {code(word)}.{hint}"),
        actions([button("All commands", "help.open", "help")]),
    ]
    return Drawn(push("I don't know ", word, f". Write {name} help."), blocks)


def usage(form: str, does: str, *, command: str) -> Drawn:
    return said(f"Write {code(f'{command} {form}', 120)} to {does}.")


def unread_time(read: str, zone: str) -> Drawn:
    """Input not understood: what was read, and the forms that are."""
    return Drawn(
        push("I can't read “", read, "” as a time. Write thu 09:00, 26 nov 09:00 or in 2h."),
        [
            section(
                f"I can't read “{escape(read, 80)}” as a time. Write `thu 09:00`, `26 nov 09:00` or `in 2h`."
            ),
            context(f"Read in your zone, {escape(zone, 60)}."),
        ],
    )


def which_incident(
    open_ones: Sequence[Situation], form: str, now: datetime, *, command: str
) -> Drawn:
    """Several could be meant: name them, with the form that says which."""
    lines = [incident_line(s, now) for s in open_ones[:5]]
    return Drawn(
        push(
            f"Which incident? {count(len(open_ones), 'one')[:2]}open: write ",
            f"{command} {form} {open_ones[0].incident_id}",
        ),
        [
            section(
                f"Which incident? Write {code(f'{command} {form} {open_ones[0].incident_id}')}."
            ),
            *lines,
        ],
    )


def no_such_incident(read: str) -> Drawn:
    return said(f"There is no incident {code(read, 20)}.")


def late_press() -> Drawn:
    """Nothing was stored in time: the person must know, and press again."""
    return said(
        "That was not stored: the database is busy. Press again.",
        context("Paging goes on meanwhile."),
    )


def outsider() -> Drawn:
    return said(
        "You are a guest here, so incidents are shown to you but not changed by you. Ask someone of the team to do it."
    )


def unknown_person() -> Drawn:
    return said("Slack did not say who you are, so nothing was changed. Press again in a moment.")


def not_yours(form: str) -> Drawn:
    return said(
        f"You are not in oncall.yaml, so {escape(form, 100)}. Ask an admin to add you under people."
    )


def draft_text(s: Situation, kind: str, parts: Sequence[str], now: datetime) -> Drawn:
    """A draft shown to one asker, with its file on demand."""
    return Drawn(
        push(f"Draft {kind} of incident {s.incident_id}: ", s.title),
        [
            section(f"*Draft {kind}*, incident {s.incident_id}"),
            *[section(part) for part in parts],
            actions([button("Get Markdown", f"{kind}.file", s.incident_id)]),
        ],
    )
