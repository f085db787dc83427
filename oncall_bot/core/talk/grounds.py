"""Whether a model's sentence says only what was looked up: its numbers, times, ids and names, and any cause it names.

Knows how a text is cut into sentences and what each must rest on. Refuses to know tools and models; a sentence without
ground is left out, never mended. Serves the assistant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from oncall_bot.core.redaction import holds_secret
from oncall_bot.core.search.words import words
from oncall_bot.core.tokens import Pool, tokens_of

SENTENCE_MAX = 400
SENTENCES_MOST = 30
CAUSE_SHARE = 0.4
"""The share of a causal sentence's words that one pinned line must hold."""

_ENDS = re.compile(r"(?<=[.!?])[\"”’)\]]?\s+(?=[\"“(\[]?[A-Z0-9<`*])|\n+")
_LIST = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+", re.MULTILINE)
_VERSION = re.compile(r"\b\d+(?:\.\d+){2,}\b")
_MARKUP = re.compile(r"[*_#]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?=\W|$)")
_CAUSAL = re.compile(
    r"\b(?:because|caus(?:e|es|ed|ing)|due to|root cause|led to|leads to|triggered by|as a result of"
    r"|result(?:ed|s)? from|stems? from|stemmed from|culprit|to blame|owing to|thanks to)\b",
    re.IGNORECASE,
)
_NO_CAUSE = re.compile(
    r"\b(?:not known|unknown|no (?:confirmed |pinned |known )?(?:root )?cause|nobody has|no one has"
    r"|not (?:been )?(?:named|confirmed|pinned|established)|unclear|isn't (?:known|confirmed)|has not been)\b",
    re.IGNORECASE,
)
_CLAIMED = re.compile(
    r"\b(?:I|I've|we|we've)(?: have)?(?: now| just)? (?:silenced|muted|paged|resolved|acknowledged|declared|escalated"
    r"|changed|set|put|added|woke|woken|closed|opened|notified|created)\b|^done\b|\b(?:is|are) now silenced\b",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"^(?:let me|i'?ll|i will|i am going to|checking|looking (?:that|it|this) up|one moment|sure|certainly"
    r"|of course)\b",
    re.IGNORECASE,
)
_URL = re.compile(r"\b(?:https?|ftp|file|javascript|data)\s?:", re.IGNORECASE)
_PROPER = re.compile(r"(?<![.!?:\n] )(?<!^)\b[A-Z][a-z]{2,}\b")
_OWNS = re.compile(
    r"\b([A-Z][a-z]+(?: [A-Z][a-z]+)?)(?: \(@[\w.-]+\))? (?:has it|has the incident|is on it|is working on|owns it"
    r"|took it|acknowledged|has acknowledged|is handling)\b"
)
_NO_OWNER = frozenset(
    {
        "Nobody",
        "Somebody",
        "Someone",
        "Everyone",
        "They",
        "This",
        "That",
        "Nothing",
        "Everything",
        "There",
    }
)
_FIRST = re.compile(
    r"^([A-Z][a-z]{2,}) (?:has|had|took|fixed|acked|acknowledged|resolved|paged|restarted|rolled|deployed|pushed"
    r"|reverted|said|wrote|did|scaled|changed|merged|found|confirmed|is (?:on|working|looking|handling))\b"
)
_HTML = re.compile(r"<\s*(?:!doctype|html|head|body|script|div|center|title)\b", re.IGNORECASE)
_ORDINARY_TEXT = """
    January February March April May June July August September October November December Monday Tuesday Wednesday
    Thursday Friday Saturday Sunday Slack Prometheus Alertmanager Grafana Kubernetes English Europe America Asia Africa
    Incident Incidents Alert Alerts Runbook Runbooks Nobody Yes
"""
_ORDINARY = frozenset(_ORDINARY_TEXT.split())


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that was left out, and why."""

    sentence: str
    why: str


@dataclass(slots=True)
class Grounds:
    """Everything that was looked up in one turn, to be asked for one sentence after the other."""

    people: Sequence[str] = ()  # names of the file: a person named must have been looked up
    _pool: Pool = field(default_factory=Pool)
    _owners: set[str] = field(default_factory=set)
    _pinned: list[frozenset[str]] = field(default_factory=list)

    def learn(self, text: str) -> None:
        """What a tool answered."""
        self._pool.add_text(text)

    def learn_question(self, text: str) -> None:
        """What was asked: its names may be repeated, its numbers prove nothing."""
        self._pool.add_name(text)

    def learn_instant(self, at: datetime) -> None:
        self._pool.add_instant(at)

    def learn_owner(self, name: str) -> None:
        """Who has, or had, an incident."""
        self._owners |= {name, name.split()[0]} if name.strip() else set()

    def learn_cause(self, text: str) -> None:
        """What a person pinned as the cause."""
        self._pinned.append(_stems(text))

    def judge(self, sentence: str) -> str | None:
        """Why the sentence must be left out, None when it may stand."""
        if len(sentence) > SENTENCE_MAX:
            return "it is too long to be checked"
        if holds_secret(sentence):
            return "it holds a secret"
        if _URL.search(sentence) or _HTML.search(sentence):
            return "it holds an address or markup"
        if _CLAIMED.search(sentence):
            return "it says that something was done, and nothing is done without a press"
        missing = self._pool.missing(tokens_of(sentence))
        if missing is not None:
            return f"nothing that was looked up holds {missing}"
        versions = (one[0] for one in _VERSION.finditer(sentence))
        unheard = next((one for one in versions if not self._pool.mentions(one)), None)
        if unheard is not None:
            return f"nothing that was looked up holds the version {unheard}"
        name = self._stranger(sentence)
        if name is not None:
            return f"nothing that was looked up holds the name {name}"
        owner = _OWNS.search(sentence)
        if owner and not {owner[1], owner[1].split()[0]} & (self._owners | _NO_OWNER):
            return f"nothing that was looked up says that {owner[1]} has it"
        if (
            _CAUSAL.search(sentence)
            and not _NO_CAUSE.search(sentence)
            and not self._is_pinned(sentence)
        ):
            return "it names a cause that nobody pinned"
        return None

    def _stranger(self, sentence: str) -> str | None:
        """A name in the sentence that nothing told of."""
        for person in self.people:
            for part in {person, person.split()[0]}:
                if re.search(rf"\b{re.escape(part)}\b", sentence) and not self._pool.mentions(part):
                    return part
        first = _FIRST.match(sentence)
        if first and first[1] not in _ORDINARY | _NO_OWNER and not self._pool.mentions(first[1]):
            return first[1]
        for found in _PROPER.finditer(sentence):
            if found[0] not in _ORDINARY and not self._pool.mentions(found[0]):
                return found[0]
        return None

    def _is_pinned(self, sentence: str) -> bool:
        said = _stems(sentence)
        return any(len(said & pinned) >= CAUSE_SHARE * max(1, len(said)) for pinned in self._pinned)


def cut(text: str) -> list[str]:
    """A text that goes on: its whole sentences as they stand, and last the one that is not ended yet."""
    text, found, begin = _LIST.sub("", text), [], 0
    for end in _ENDS.finditer(text):
        found.append(text[begin : end.start()])
        begin = end.end()
    plain = [_MARKUP.sub("", part).strip() for part in found]
    return [*(part for part in plain if part), text[begin:]]


def sentences(text: str) -> list[str]:
    """A model's text as plain sentences: no lists, no emphasis, no empty ones."""
    found = (part.strip() for part in _ENDS.split(_LIST.sub("", text)))
    plain = (_MARKUP.sub("", part).strip() for part in found)
    return [part for part in plain if part and not is_preamble(part)][:SENTENCES_MOST]


def is_preamble(sentence: str) -> bool:
    """`Let me look that up.`: no answer."""
    return bool(_PREAMBLE.match(sentence))


def looks_like_a_page(text: str) -> bool:
    """HTML where an answer should be: a proxy or a login page spoke."""
    return bool(_HTML.search(text[:2000]))


def kept(text: str, grounds: Grounds) -> tuple[list[str], list[Dropped]]:
    """The sentences that may stand, in order, and those left out."""
    good: list[str] = []
    bad: list[Dropped] = []
    for sentence in sentences(text):
        why = grounds.judge(sentence)
        if why is None:
            good.append(sentence)
        else:
            bad.append(Dropped(sentence, why))
    return good, bad


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem for stem, _ in words(text))
