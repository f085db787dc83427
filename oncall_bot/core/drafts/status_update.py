"""A status update: what is wrong, since when, what is being done, when the next word comes.

Knows which words stay in the house: names of people, services, alerts and machines never reach customers. Refuses a
cause that nobody confirmed and a number that nobody counted. Serves `/oncall update` and the CLI.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from oncall_bot.core.drafts.figures import impact_sentences
from oncall_bot.core.drafts.standing import Phase, Standing, standing_of
from oncall_bot.core.drafts.story import Story, causes, steps_of, tell
from oncall_bot.core.drafts.wording import joined, lower_first, minutes, upper_first
from oncall_bot.core.errors import BadInput
from oncall_bot.core.records import Record

AUDIENCES = ("internal", "customers")
NEXT_WORD = {"SEV1": timedelta(minutes=15), "SEV2": timedelta(minutes=30)}
NEXT_WORD_ELSE = timedelta(hours=1)
ROUND_TO = timedelta(minutes=5)
_CITED = re.compile(r"\s*\[(?:[ea]\d+|calc)(?:, (?:[ea]\d+|calc))*\]")
_INNER = re.compile(
    r"\b\w*[A-Z]\w*[a-z]\w*[A-Z]\w*|\b[\w]+[-_.][\w-]*\d[\w.-]*|\b\w+_\w+|@\w|\b\d+\.\d+\.\d+"
    r"|[‹›{}=/\\;]|\b[A-Z]{3,}s?\b|\(long value\)|\[redacted|\b\d{3} errors?\b|\b50[0-4]s?\b"
    r"|\b(?i:databas|replica|prox(?:y|ies)|ind(?:ex|ices)|pools?\b|nodes?\b|cluster|deploy|rules?\b|primary"
    r"|saturat|command|cache|queue|cpu\b|memory|disks?\b|partition|shard|certificate|dns\b|origin"
    r"|backend|server|hosts?\b|pods?\b|container|migration|rollback|directory|config|ring\b|lag\b)"
)
MOST_TITLE_WORDS = 9


def status_update(
    record: Record, audience: str, now: Standing | None = None, *, next_word: bool = True
) -> str:
    """Markdown of a few lines: a title and at most five sentences. BadInput for another audience."""
    if audience not in AUDIENCES:
        raise BadInput(f"An update is for {joined(AUDIENCES)}, not for {audience[:40]!r}.")
    now = now or standing_of(record)
    story = tell(record)
    told = _internal(story, now) if audience == "internal" else _customers(story, now)
    if next_word and now.phase is not Phase.RESOLVED:
        told.append(f"Next word by {story.words.clock(next_word_at(record.severity, now.at))}.")
    title = _title(story, audience)
    return f"**{title}**\n\n{' '.join(told)}\n"


def next_word_at(severity: str, now: datetime) -> datetime:
    """When the next update is promised: sooner when it is worse, on a round minute."""
    due = now + NEXT_WORD.get(severity.upper(), NEXT_WORD_ELSE)
    past = timedelta(minutes=due.minute % 5, seconds=due.second, microseconds=due.microsecond)
    return due - past + (ROUND_TO if past else timedelta(0))


def _title(story: Story, audience: str) -> str:
    title = story.words.plain(story.record.title).rstrip(". ")
    if audience == "internal":
        return (
            f"{title} ({story.words.plain(story.record.severity)})"
            if story.record.severity
            else title
        )
    plain = len(title.split()) <= MOST_TITLE_WORDS and not _is_inner(story, title)
    return title if plain else "Some of our services do not work as they should"


# --- colleagues ---------------------------------------------------------------------------------------------------


def _internal(story: Story, now: Standing) -> list[str]:
    told = [_began(story, now), *[_bare(text) for text in impact_sentences(story)[-2:]]]
    told += _cause(story)
    told.append(_state(story, now))
    last = _last_step(story, now)
    return [*told, last] if last else told


def _began(story: Story, now: Standing) -> str:
    started, words = story.facts.started, story.words
    if started is None:
        return "The start is not known yet."
    since = f"{words.clock(started.at)}"
    ended = _ended(story, now)
    if ended:
        return f"It lasted from {since} to {words.clock(ended)}, {minutes(ended - started.at)}."
    return f"It began at {since}, {minutes(now.at - started.at)} ago."


def _ended(story: Story, now: Standing) -> datetime | None:
    """When users were fine again: the last mitigation, else the end; None while they are not."""
    if now.phase not in (Phase.MITIGATED, Phase.RESOLVED):
        return None
    started, mitigated = story.facts.started, story.facts.mitigated
    ended = mitigated.at if mitigated else now.since
    return ended if ended and started and ended >= started.at else None


def _cause(story: Story) -> list[str]:
    known = causes(story)
    if not known:
        return ["The cause is not confirmed."]
    return [f"The cause is known: {lower_first(known[0].sentences[0]).rstrip('.')}."]


def _state(story: Story, now: Standing) -> str:
    return {
        Phase.WAITING: "Nobody has answered the page yet.",
        Phase.WORKED_ON: f"{now.holder or 'A responder'} is on it.",
        Phase.MITIGATED: "Users are fine again and we are watching it.",
        Phase.RESOLVED: "It is resolved.",
    }[now.phase]


def _last_step(story: Story, now: Standing) -> str:
    steps = [e for e in steps_of(story) if e.at <= now.at]
    if not steps:
        return ""
    done = story.words.action(steps[-1], named=True).rstrip(". ")
    lead = "Last step" if now.phase is not Phase.RESOLVED else "The last step"
    return f"{lead}, {story.words.clock(steps[-1].at)}: {done}."


# --- customers ----------------------------------------------------------------------------------------------------


def _customers(story: Story, now: Standing) -> list[str]:
    impact = [_bare(text) for text in impact_sentences(story)]
    fit = [text for text in impact if not _is_inner(story, text)][-2:]
    told = [_felt(story, now), *fit]
    told.append(
        {
            Phase.WAITING: "We are looking into it.",
            Phase.WORKED_ON: "Our engineers are working on it.",
            Phase.MITIGATED: "A fix is in place and we are watching it.",
            Phase.RESOLVED: "It is resolved.",
        }[now.phase]
    )
    return told


def _felt(story: Story, now: Standing) -> str:
    started, words = story.facts.started, story.words
    if started is None:
        return "Some of our users are affected."
    ended = _ended(story, now)
    if ended:
        return f"You may have noticed it from {words.clock(started.at)} to {words.clock(ended)}."
    return f"You may notice it since {words.clock(started.at)}."


def _is_inner(story: Story, text: str) -> bool:
    """Whether a text names what only the house knows: people, services, alerts, machines, code."""
    record, low = story.record, text.lower()
    if _INNER.search(text):
        return True
    people = [part for p in record.people for part in (*p.name.split(), p.handle.lstrip("@"))]
    names = [*record.services, *(a.name for a in record.alerts), *people]
    return any(len(n) > 2 and re.search(rf"\b{re.escape(n.lower())}\b", low) for n in names)


def _bare(text: str) -> str:
    return upper_first(_CITED.sub("", text))
