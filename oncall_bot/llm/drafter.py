"""Asks a model for sentences about an incident: one section after the other, or window by window where it is long.

Knows the order of questions, the one round of repair and when to stop asking. Refuses to believe a reply: what
core.verification does not keep goes back once, with the reason. A slow or broken model costs prose, never the draft.
Serves the engine and the CLI; keeps the promise `ports.Drafter`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from oncall_bot.core.spending import Usage
from oncall_bot.core.verification import Claim
from oncall_bot.llm import prompts
from oncall_bot.llm.books import tokens_in
from oncall_bot.llm.cache import ClaimCache
from oncall_bot.llm.client import Model
from oncall_bot.llm.exchange import TooLongError
from oncall_bot.llm.ledger import MOST_EVENTS, Ledger, Window, ledger_of
from oncall_bot.llm.replies import chosen_in
from oncall_bot.llm.writing import Ask, Writing
from oncall_bot.ports import Assignment, Prose

SMALLEST_WINDOW = 18
AT_ONCE = 4
MOST_TO_ORDER = 48
MOST_DOUBTED = 12
ONE_REPLY = 30.0
WHOLE_DRAFT = 100.0
"""Seconds: under the lease of its message (engine.delivery), so that nobody takes the draft over meanwhile."""


def new_marker() -> str:
    """A fence marker nobody can guess."""
    return secrets.token_hex(8)


class ModelDrafter:
    """Writes with one model; `reply_within` bounds each question in seconds, `whole_within` all of them."""

    def __init__(
        self,
        model: Model,
        *,
        reply_within: float = ONE_REPLY,
        whole_within: float = WHOLE_DRAFT,
        marker: Callable[[], str] = new_marker,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._within = (reply_within, whole_within)
        self._marker = marker
        self._seconds = seconds
        self._cache = ClaimCache()
        self._most_events = MOST_EVENTS

    @property
    def model_name(self) -> str:
        return self._model.name

    def draft(self, assignment: Assignment) -> Prose:
        """Claims for every section of that kind. Blocking; what could not be had stands in `missing`."""
        if assignment.disclosure.refused:
            return Prose(missing=f"No prose was added: {assignment.disclosure.refused}.")
        reply, whole = self._within
        writing = Writing(
            self._model, assignment, self._cache, reply, self._seconds() + whole, self._seconds
        )
        while True:
            try:
                claims = self._written(writing, self._ledger(assignment))
                return writing.prose(claims)
            except TooLongError as error:
                if self._most_events // 2 < SMALLEST_WINDOW:
                    writing.failed(error)
                    return writing.prose([])
                self._most_events //= 2  # and so for the next draft

    def estimate(self, assignment: Assignment) -> Usage:
        """What the draft will use at most if nothing is asked twice; prompts are counted at a third of their bytes."""
        if assignment.disclosure.refused:
            return Usage(0, 0, estimated=True)
        ledger, sections = self._ledger(assignment), prompts.sections_of(assignment.kind)
        once = sum(tokens_in(window.fenced("")) for window in ledger.windows)
        asked = len(sections) if len(ledger.windows) == 1 else 1
        questions = len(sections) if asked > 1 else len(ledger.windows) + len(sections)
        overhead = tokens_in(prompts.SYSTEM) * questions
        return Usage(once * asked + overhead, Writing.MOST_TOKENS * questions, estimated=True)

    def _ledger(self, assignment: Assignment) -> Ledger:
        disclosure = assignment.disclosure
        tokens = disclosure.allowance.tokens
        ledger = ledger_of(assignment.record, disclosure.withheld, tokens, self._most_events)
        times = len(prompts.sections_of(assignment.kind))
        if len(ledger.windows) > 1 or times == 0:
            return ledger
        return ledger_of(assignment.record, disclosure.withheld, tokens // times, self._most_events)

    def _written(self, writing: Writing, ledger: Ledger) -> list[Claim]:
        sections = prompts.sections_of(writing.kind)
        writing.restored = ledger.withholder.restored
        if len(ledger.windows) == 1:
            return [c for s in sections for c in self._section(writing, ledger.windows[0], s)]
        found = self._of_windows(writing, ledger, sections)
        return [c for s in sections for c in self._ordered(writing, ledger, found, s)]

    def _section(self, writing: Writing, window: Window, section: str) -> list[Claim]:
        """One section of an incident that fits into one window."""
        asked = prompts.question(window.fenced(self._marker()), section)
        unmarked = "\n".join([*window.lines, section])
        return writing.claims(
            Ask("draft", asked, prompts.schema(window.ids), unmarked, section=section)
        )

    def _of_windows(
        self, writing: Writing, ledger: Ledger, sections: tuple[str, ...]
    ) -> list[Claim]:
        """What each window has to say on all sections, a few windows at a time; the claims in order of time."""

        def ask(window: Window) -> list[Claim]:
            asked = prompts.about_window(window.fenced(self._marker()), sections)
            shape = prompts.schema(window.ids, sections)
            unmarked = "\n".join([*window.lines, *sections])
            return writing.claims(Ask("map", asked, shape, unmarked, sections=sections))

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="window") as pool:
            newest_first = [pool.submit(ask, window) for window in reversed(ledger.windows)]
            found = [each.result() for each in newest_first]
        return [claim for claims in reversed(found) for claim in claims]

    def _ordered(
        self, writing: Writing, ledger: Ledger, found: list[Claim], section: str
    ) -> list[Claim]:
        """The claims of one section: the verified ones chosen and merged, then what a person has to look at."""
        checked = writing.check(c for c in found if c.section == section)
        sound = _spread(list(checked.kept), MOST_TO_ORDER)
        if len(sound) > prompts.MOST_CLAIMS:
            merged = self._merged(writing, ledger, sound, section)
            sound = merged or _spread(sound, prompts.MOST_CLAIMS)
        doubted = [claim for claim, _ in (*checked.marked, *checked.dropped)]
        return sound + doubted[:MOST_DOUBTED]

    def _merged(
        self, writing: Writing, ledger: Ledger, sound: list[Claim], section: str
    ) -> list[Claim]:
        """What the model makes of verified claims: it adds no source, and its words are verified again."""
        clean = ledger.withholder.withhold
        asked = prompts.ordering([clean(c.text) for c in sound], section, self._marker())
        reply = writing.reply("reduce", asked, prompts.ordering_schema(len(sound)))
        if reply is None:
            return []
        chosen = writing.read(lambda: chosen_in(reply.text, len(sound)))
        merged = [
            Claim(
                writing.restored(one.text),
                section,
                tuple(dict.fromkeys(i for n in one.sources for i in sound[n - 1].cites)),
            )
            for one in chosen
        ]
        return list(writing.judge(reply, merged).kept)


def _spread(claims: list[Claim], most: int) -> list[Claim]:
    """So many of them, from the first to the last: no end of the incident is cut off."""
    if len(claims) <= most:
        return claims
    step = (len(claims) - 1) / (most - 1)
    return [claims[round(n * step)] for n in range(most)]
