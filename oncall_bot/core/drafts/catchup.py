"""What somebody who joins late needs: what it is, who has it, what was tried, what is new, what comes next.

Knows how much of each fits on a phone. Refuses a cause that nobody confirmed, a guess without the word, and a list of
all that happened. Serves `/oncall catchup` and the CLI; it is shown to one person and never posted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from oncall_bot.core.drafts.chronicle import by_person, echoes
from oncall_bot.core.drafts.figures import impact_sentences
from oncall_bot.core.drafts.findings import still_open
from oncall_bot.core.drafts.standing import Phase, Standing, standing_of
from oncall_bot.core.drafts.statements import Role
from oncall_bot.core.drafts.story import (
    Lines,
    Step,
    Story,
    action_sentence,
    alert_sentence,
    causes,
    confirmed,
    decent,
    decision,
    is_deed,
    steps_of,
    tell,
    tellable,
    worst_alerts,
)
from oncall_bot.core.drafts.wording import (
    count,
    joined,
    lower_first,
    minutes,
    sentence,
    upper_first,
)
from oncall_bot.core.evidence import Guess
from oncall_bot.core.records import Record, RecordEvent

MOST_TRIED = 4
MOST_NEW = 6
MOST_GUESSES = 2
NEWS_OF = timedelta(minutes=15)
"""What counts as new for somebody who was not here before."""

_NEWS = frozenset({"ack", "action", "deploy", "status", "impact", "pin"})


def catch_up(record: Record, now: Standing | None = None, *, since: datetime | None = None) -> str:
    """Markdown for one reader. `since` is when they last looked or took part; None when never."""
    now = now or standing_of(record)
    story = tell(record)
    parts = [
        ("What it is", _what(story, now)),
        ("Who has it", _who(story, now)),
        ("What was tried", _tried(story, now, since)),
        (_news_title(story, now, since), _news(story, now, since)),
        ("What is next", _next(story, now)),
    ]
    told = [f"## {title}\n{_body(lines)}" for title, lines in parts if lines]
    return "\n\n".join(told) + "\n"


def _body(lines: Lines) -> str:
    return lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)


def _what(story: Story, now: Standing) -> Lines:
    record, words, started = story.record, story.words, story.facts.started
    where = f" on {joined(words.plain(s) for s in record.services)}" if record.services else ""
    severity = words.plain(record.severity) or "severity not set"
    told = f"**{words.plain(record.title).rstrip('. ')}** ({severity}{where})"
    if started:
        lasted = f", {minutes(now.at - started.at)} ago" if _is_open(now) else ""
        told += f", since {words.clock(started.at)}{lasted}"
    first = sentence(told, started.event_id if started else None)
    impact = impact_sentences(story)[-2:]
    if not impact:
        worst = [alert_sentence(story, a) for a in worst_alerts(story, 1)]
        nobody = "Nobody has counted the impact yet." if _is_open(now) else ""
        impact = [*worst, *filter(None, [nobody])]
    return [" ".join([first, *impact])]


def _is_open(now: Standing) -> bool:
    return now.phase in (Phase.WAITING, Phase.WORKED_ON)


def _who(story: Story, now: Standing) -> Lines:
    since = f" since {story.words.clock(now.since)}" if now.since else ""
    by = f" by {now.holder}" if now.holder else ""
    told = {
        Phase.WAITING: "Nobody has answered yet",
        Phase.WORKED_ON: f"{now.holder or 'Somebody'} has it{since}",
        Phase.MITIGATED: f"It is mitigated{since} and being watched",
        Phase.RESOLVED: f"It is resolved{since}{by}",
    }[now.phase]
    lines = [sentence(told, *now.events)]
    if now.phase is Phase.WAITING:
        asked = list(
            dict.fromkeys(story.words.who(p.handle) for p in story.facts.pages if p.handle)
        )
        ids = [p.event_id for p in story.facts.pages if p.handle][-3:]
        lines += [sentence(f"Paged so far: {joined(asked[-4:])}", *ids)] if asked else []
    elif story.record.commander and now.phase is Phase.WORKED_ON:
        name = story.words.who(story.record.commander)
        lines += [f"{name} leads."] if name != now.holder else []
    return [" ".join(lines)]


def _tried(story: Story, now: Standing, since: datetime | None) -> Lines:
    """The newest steps that are not news, causes that people confirmed, and guesses as what they are."""
    cut = _cut(now, since)
    done = [e for e in steps_of(story) if e.at < cut]
    told = [action_sentence(story, e) for e in done[-MOST_TRIED:]]
    if len(done) > MOST_TRIED:
        earlier = count(len(done) - MOST_TRIED, "earlier step")
        told.insert(0, f"After {earlier}, which the record has:")
    told += [confirmed(story, s) for s in causes(story)[:1]]
    told += [_ruled_out(story, g) for g in story.evidence.guesses if _was_ruled_out(g)][
        -MOST_GUESSES:
    ]
    if not causes(story):
        told += [_open_guess(story, g) for g in _open_guesses(story)[-1:]]
    if told:
        return told
    return [f"Nobody has written down a step{' yet' if _is_open(now) else ''}."]


def _was_ruled_out(guess: Guess) -> bool:
    return bool(guess.ruled_out and guess.phrase and decent(guess.phrase))


def _ruled_out(story: Story, guess: Guess) -> str:
    assert guess.ruled_out is not None
    text = f"Ruled out {story.words.when(guess.ruled_out.at)}: {story.words.plain(guess.phrase)}"
    return sentence(text, guess.event.id, guess.ruled_out.id)


def _open_guesses(story: Story) -> list[Guess]:
    return [g for g in story.evidence.guesses if still_open(story, g)]


def _open_guess(story: Story, guess: Guess) -> str:
    by = story.words.who(guess.event.actor)
    text = f"A guess of {by}, not confirmed: {story.words.plain(guess.phrase)}"
    return sentence(text, guess.event.id)


# --- what is new --------------------------------------------------------------------------------------------------


def _cut(now: Standing, since: datetime | None) -> datetime:
    return since if since is not None else now.at - NEWS_OF


def _news_title(story: Story, now: Standing, since: datetime | None) -> str:
    if since is None:
        return f"In the last {int(NEWS_OF.total_seconds() // 60)} min"
    return f"Since you were here, {story.words.clock(since)}"


def _news(story: Story, now: Standing, since: datetime | None) -> Lines:
    """Alerts as counts, the rest as sentences, the newest ones where there are too many."""
    cut = _cut(now, since)
    fresh = [e for e in story.record.events if cut <= e.at <= now.at and e.id not in now.events]
    told = sorted(_told(story, fresh), key=lambda step: step[0])
    lines = [text for _, text in told[-MOST_NEW:]]
    left = len(told) - len(lines)
    if left:
        more = count(left, "more thing")
        lines.insert(0, f"{upper_first(more)} happened before what follows.")
    return [*_alerts(story, fresh), *lines] or ["Nothing new was written down."]


def _alerts(story: Story, fresh: list[RecordEvent]) -> Lines:
    fired = [e for e in fresh if e.kind == "alert"]
    ended = [e for e in fresh if e.kind == "resolve"]
    parts = [f"{count(len(fired), 'alert')} fired"] if fired else []
    parts += [f"{count(len(ended), 'alert')} ended"] if ended else []
    if not parts:
        return []
    ids = [e.id for e in (*fired[-2:], *ended[-2:])]
    return [sentence(upper_first(" and ".join(parts)), *ids)]


def _told(story: Story, fresh: list[RecordEvent]) -> Iterable[Step]:
    decided = {s.event.id: s for s in story.of(Role.DECISION)}
    twice = echoes(story)
    for event in fresh:
        if event.id in twice or (event.kind == "impact" and event not in story.facts.impact_events):
            continue  # told already, or counted anew since
        if event.id in decided:
            yield event.at, decision(story, decided[event.id])
        elif (event.kind in _NEWS or is_deed(story, event)) and tellable(story, event):
            text = _sentence(story, event)
            if text:
                yield event.at, text


def _sentence(story: Story, event: RecordEvent) -> str:
    words = story.words
    when, text = words.when(event.at), words.plain(event.text).rstrip(". ")
    if event.kind in ("action", "deploy", "note"):
        return action_sentence(story, event)
    if event.kind == "pin":
        return ""  # causes and ruled-out guesses are told above; kept words are in the thread
    if event.kind == "ack":
        return sentence(upper_first(f"{when} {words.who(event.actor)} acknowledged"), event.id)
    if event.kind == "status":
        if event.actor.startswith("@"):
            return sentence(upper_first(f"{when} {by_person(story, event)}"), event.id)
        return sentence(upper_first(f"{when}: {words.lower(text)}"), event.id)
    return sentence(upper_first(f"{when} the impact was counted: {lower_first(text)}"), event.id)


# --- what comes next ----------------------------------------------------------------------------------------------


def _next(story: Story, now: Standing) -> Lines:
    if now.next_told:
        return [f"{now.next_told.rstrip('.')}."]
    if now.phase is Phase.RESOLVED:
        return ["Nothing is left to do but the write-up."]
    if now.phase is Phase.MITIGATED:
        return ["It is watched until somebody resolves it; nobody is paged."]
    if now.phase is Phase.WORKED_ON:
        return ["Nobody else is paged as long as it is worked on."]
    return ["The next step of the policy is paged until somebody answers."]
