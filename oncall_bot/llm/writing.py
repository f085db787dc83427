"""One draft in the making: its budget, its deadline, what was asked, what the verifier made of it, and what failed.

Knows how one question becomes claims: asked, read, verified, and once repaired. Refuses to know which questions
a draft has. Serves the drafter; windows use it from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from oncall_bot.core.spending import Judged, Usage
from oncall_bot.core.verification import Checked, Claim, Verifier
from oncall_bot.llm import prompts
from oncall_bot.llm.books import tokens_of
from oncall_bot.llm.budget import Budget
from oncall_bot.llm.cache import ClaimCache, key_of
from oncall_bot.llm.client import Model
from oncall_bot.llm.exchange import Ending, ModelError, Reply, Subject, TooLongError
from oncall_bot.llm.replies import UnreadableError, claims_in
from oncall_bot.ports import Assignment, Prose

T = TypeVar("T")

LEAST_TIME = 0.2
NO_PROSE = "No prose was added: {reason}."
SOME_PROSE = "Some prose is missing: {reason}."
USED_UP = "what the model may use for one draft was used up"
UNREADABLE = "the model's reply could not be read"
FAILED = {
    Ending.LATE: "the model did not answer in time",
    Ending.BUSY: "the model's server was busy",
    Ending.BROKEN: "the model's server failed",
    Ending.REFUSED: "the model's server refused the question",
    Ending.TOO_LONG: "the incident is longer than the model can read",
    Ending.GARBAGE: "the model's server did not answer like one",
    Ending.UNREACHABLE: "the model's server could not be reached",
    Ending.PAUSED: "the model's server failed several times and is left alone for a while",
}
"""Without a number: a draft holds none that the record does not bear out."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question for claims: of one section, or of several with the section in each claim.

    `unmarked` is the question without its marker: what the cache knows it by.
    """

    purpose: str
    messages: prompts.Conversation
    shape: dict[str, Any]
    unmarked: str
    section: str | None = None
    sections: Sequence[str] = ()

    @property
    def is_one_of_many(self) -> bool:
        """A window of a long ledger: sending it again for a few sentences would cost more than they are worth."""
        return self.section is None


class Writing:
    """State of one draft. `failed` ends the asking: after a time-out or a refusal nothing further is sent."""

    MOST_TOKENS: ClassVar[int] = 1_500

    def __init__(
        self,
        model: Model,
        assignment: Assignment,
        cache: ClaimCache,
        reply_within: float,
        deadline: float,
        seconds: Callable[[], float],
    ) -> None:
        self.kind = assignment.kind
        self.restored: Callable[[str], str] = str
        self._model = model
        self._cache = cache
        self._within = reply_within
        self._deadline = deadline
        self._seconds = seconds
        self._subject = Subject(assignment.incident_id, assignment.draft_id)
        self._budget = Budget(assignment.disclosure.allowance)
        self._verifier = Verifier(assignment.record)
        self._judged: list[Judged] = []
        self._used: list[Usage] = []
        self._answered = False
        self._failure = ""
        self._stopped = False

    # --- asking -------------------------------------------------------------------------------------------------

    def claims(self, ask: Ask) -> list[Claim]:
        """What the model says to one question, after one round of repair."""
        key = key_of(prompts.VERSION, self._model.name, ask.unmarked, ask.shape)
        known = self._cache.get(key)
        if known is not None:
            self._answered = True
            return list(known)
        reply = self.reply(ask.purpose, ask.messages, ask.shape)
        found = self._sound(ask, reply) if reply is not None else []
        if found:
            self._cache.put(key, tuple(found))
        return found

    def _sound(self, ask: Ask, reply: Reply) -> list[Claim]:
        """The sentences of a reply; those that were dropped are asked for once more, with the reasons."""
        try:
            first = self._claims_of(ask, reply)
        except UnreadableError as error:
            second = self._again(ask, reply, prompts.UNREADABLE.format(reason=error))
            if second is None:
                self._failure = self._failure or UNREADABLE
            return second or []
        checked = self.judge(reply, first)
        if not checked.dropped or ask.is_one_of_many:
            return first
        second = self._again(ask, reply, prompts.repair(checked.dropped))
        if second is None:
            return first
        return [*checked.kept, *(claim for claim, _ in checked.marked), *second]

    def _again(self, ask: Ask, reply: Reply, wanted: str) -> list[Claim] | None:
        """The sentences of the second and last reply; None when there is none that can be read."""
        again = self.reply("repair", prompts.again(ask.messages, reply.text, wanted), ask.shape)
        if again is None:
            return None
        second = self.read(lambda: self._claims_of(ask, again))
        self.judge(again, second)
        return second

    def _claims_of(self, ask: Ask, reply: Reply) -> list[Claim]:
        found = claims_in(reply.text, ask.section, ask.sections)
        self._answered = True
        return [Claim(self.restored(c.text), c.section, c.cites) for c in found]

    def reply(
        self, purpose: str, asked: prompts.Conversation, shape: dict[str, Any]
    ) -> Reply | None:
        """One answer within time and budget, or None with the failure kept; TooLongError goes to the drafter."""
        left = min(self._within, self._deadline - self._seconds())
        most = Usage(tokens_of(asked), self.MOST_TOKENS)
        if self._stopped or left < LEAST_TIME or not self._budget.reserve(most):
            return None
        used = most
        try:
            reply = self._model.ask(
                asked,
                schema=shape,
                max_tokens=self.MOST_TOKENS,
                within=left,
                purpose=purpose,
                subject=self._subject,
            )
            used = reply.usage
            self._used.append(used)
            return reply
        except TooLongError:
            used = Usage(0, 0)
            raise
        except ModelError as error:
            self.failed(error)
            return None
        finally:
            self._budget.settle(most, used)

    def read(self, reading: Callable[[], list[T]]) -> list[T]:
        """What was read of a reply; nothing, and why, when it cannot be read."""
        try:
            found = reading()
            self._answered = True
            return found
        except UnreadableError:
            self._failure = UNREADABLE
            return []

    def failed(self, error: ModelError) -> None:
        self._failure = FAILED.get(error.ending, "the model gave no answer")
        self._stopped = True

    # --- judging ------------------------------------------------------------------------------------------------

    def judge(self, reply: Reply, claims: Iterable[Claim]) -> Checked:
        """The verdicts on one reply, written down for its row."""
        checked = self._verifier.check(claims)
        counts = (len(checked.kept), len(checked.marked), len(checked.dropped))
        self._judged.append(Judged(reply.prompt_sha256, *counts))
        return checked

    def check(self, claims: Iterable[Claim]) -> Checked:
        """The verdicts on sentences that are no reply of their own."""
        return self._verifier.check(claims)

    def prose(self, claims: list[Claim]) -> Prose:
        """What there is, and what is missing in words."""
        return Prose(tuple(claims), tuple(self._judged), self._missing(), self._budget.tokens)

    def _missing(self) -> str:
        reason = USED_UP if self._budget.exhausted else self._failure
        if self._answered:
            return SOME_PROSE.format(reason=reason) if reason else ""
        return NO_PROSE.format(reason=reason or "there was no time for it")
