"""What a line of the record is worth: who is to be believed, what is a guess, what is noise.

Knows words, not this incident: the rules are general and each has its reason. Refuses to decide
causes: only a person pins one. Every text is untrusted, whoever wrote it.
Serves drafts (what may be told), the verifier (what may be leaned on) and the model's ledger.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import re2
import snowballstemmer

from oncall_bot.core.pins import Pin, PinKind, pins_of, verdicts
from oncall_bot.core.records import Record, RecordEvent

ANSWERED_WITHIN = timedelta(minutes=60)
NEXT_REMARK_WITHIN = timedelta(minutes=12)
MOST_GUESS_WORDS = 14


class Standing(StrEnum):
    """How far a line carries: from a measurement to a guess somebody took back."""

    OBSERVED = "observed"
    ACTION = "action"
    SAID = "said"
    TENTATIVE = "tentative"
    CAUSE = "pinned cause"
    REJECTED = "rejected"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Guess:
    """A hypothesis somebody voiced, in its own words, and the line that ruled it out if one did."""

    event: RecordEvent
    phrase: str
    ruled_out: RecordEvent | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The record with the standing of each event, the guesses voiced, what is noise and what people pinned."""

    record: Record
    standing: dict[str, Standing]
    guesses: tuple[Guess, ...]
    rejections: frozenset[str]
    noise: frozenset[str]
    pins: tuple[Pin, ...] = ()

    def quotable(self, event: RecordEvent) -> bool:
        """Whether the words may stand in a draft: no noise, no outsider, no instruction."""
        return event.id not in self.noise and self.standing[event.id] is not Standing.EXTERNAL


HEDGE = re2.compile(
    r"(?i)\?|\blooks? like\b|\bseems?\b|\bsuspect|\bmaybe\b|\bmight\b|\bperhaps\b|\bprobabl"
    r"|\bpossibl|"
    r"\bI (?:think|guess|believe|bet)\b|\bguess|\bcould (?:be|it)\b|\bmay be\b|\bnot sure\b"
    r"|\bunsure\b|\bwonder|"
    r"\blikely\b|\bshould be\b|\bhypothes|\btheory\b|\bassum|\bapparently\b|\b(?:feels|smells"
    r"|sounds) like\b|"
    r"\bmy (?:bet|guess|money)\b|\bafaik\b|\biirc\b|\bunconfirmed\b|\bmust be\b|\bI'd say\b"
    r"|\bhas to be\b|"
    r"\bonly thing (?:that|scheduled|we)\b",
)
REJECTION = re.compile(
    r"\bso no\b|\bnot an? \w|\bunrelated\b|\brul(?:ed|es|ing) (?:\w+ ){0,2}out\b"
    r"|\bred herring\b|\bdropp(?:ed|ing)\b.{0,40}"
    r"\b(?:theory|idea|hypothesis)\b|\bfalse (?:lead|alarm|trail)\b|\bis(?:n't| not) (?:it|the"
    r"|related|involved|us|a|an)\b|"
    r"\bso not\b|\bnothing to do with\b|\bnot (?:caused|related|involved|it|the cause|us|our)\b|"
    r"\bdo(?:es)?(?:n't| not) (?:explain|match|fit)\b|\bturned out (?:not|wrong|to be wrong)\b"
    r"|\bretract|\bscratch that\b|"
    r"\bno (?:link|connection|relation)\b|\bcoinciden|\binnocent\b|\bexonerat|\bwas wrong\b"
    r"|\bnot the \w+|"
    r"\bhasn't (?:started|begun|run)\b|\bnot guilty\b|\bexclud(?:ed|es|ing)\b|\bdiscard",
    re.IGNORECASE,
)
INSTRUCTION = re2.compile(
    r"(?i)\bignore (?:all|any|the|your|previous|prior|everything)\b|\bdisregard\b|\b(?:previous"
    r"|prior|above|following) instructions?\b|"
    r"\bsystem\s*(?:prompt|message|:)|\byou are (?:now|an?)\b|\bas an ai\b|\b(?:ai|llm"
    r"|language) (?:assistant|model)\b|"
    r"\bassistant\s*[:,]|\bdear (?:assistant|bot|ai)\b|\bnote to (?:the )?(?:assistant|bot|ai"
    r"|model|summari[sz]er)\b|"
    r"\b(?:write|state|say|include|mention|add|put|claim|conclude) (?:in|into|that in) (?:the"
    r"|your) (?:post-?mortem|summary|report|draft)\b|"
    r"\b(?:post-?mortem|summary|report|draft) (?:must|should|has to|shall) (?:say|state|include"
    r"|mention|claim|read|blame|credit)|"
    r"\breply with\b|\brespond with\b|\bpage everyone\b|\bmaintenance mode\b.{0,60}\breply\b"
    r"|<\s*/?\s*(?:system|instructions?|script)\b|"
    r"\bprompt injection\b|\boverride (?:your|the|all) (?:rules|instructions|policy)\b"
    r"|\bwhen (?:you )?summari[sz]|\bnew instructions?\b|"
    r"\bmark (?:this|the) (?:incident )?(?:as )?(?:resolved|no impact|sev\d)\b"
    r"|\bdo not (?:mention|include|report)\b",
)
_QUOTED = re.compile(r"[\"“«][^\"”»]{0,400}(?:\s[^\s\"”»]{1,60}){5,}[\"”»]")
_RELAYED = re.compile(
    r"\b(?:customer|client|ticket|tweet|email|e-mail|user|vendor|annotation|description|webhook"
    r"|form|caller)s?"
    r"(?: \w+){0,2}\s*(?:note|wrote|writes|says?|said|reads?|comment|message|body)?\s*[:\"“]",
    re.IGNORECASE,
)
_CHATTER = re2.compile(
    r"(?i)^\W*(?:thanks?|thank you|thx|ty|ack(?:nowledged)?|ok(?:ay)?|brb|back|here(?: now)?"
    r"|looking|on it|same(?: here)?|\+1|lol|nice|"
    r"great|sorry|hi|hello|good morning|joined|joining|done|yes|no|yep|nope|got it|kk|cool|np"
    r"|welcome|wow|ugh|lunch|coffee)\b"
    r"[^.?!]{0,25}[.!]*$|\breminder\b|\bwrong channel\b|\bbridge(?: link|:)"
    r"|\bjoined the (?:channel|call|bridge|room)\b|"
    r"\bunrelated:|\boff[- ]topic\b|\bstand-?up\b|\bmute\b|\bwho has (?:the )?(?:pen|comms)\b"
    r"|\bhave to (?:drop|run|leave)\b|"
    r"\bstakeholders?\b|\bis (?:that|this|it) related\b|\bany (?:update|news|eta)s?\b"
    r"|\brecording\b|\bunfurled\b|\bchannel topic\b|\bfrom my (?:side|end)\b",
)
_PERSONAL = re.compile(
    r"\bsorry\b|\bmy (?:fault|bad|mistake|phone)\b|\bI (?:was|am) (?:asleep|away|out|sick)\b"
    r"|\bslept\b|\bon silent\b",
    re.IGNORECASE,
)
_BLAME = re.compile(
    r"\bhuman error\b|\bcareless|\bnegligen|\bincompeten|\bshould have (?:known|checked|noticed"
    r"|tested|read|asked)\b|\bto blame\b|"
    r"\bat fault\b|\b(?:his|her|their|your) (?:fault|mistake)\b|\bfat[- ]finger"
    r"|\bfailed to pay attention\b|\bstupid|\bidiot|\bsloppy\b|"
    r"\bwho (?:did|broke|pushed)\b|\blazy\b|\bblam(?:e|ing)\b",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"^\W*(?:correction|actually|scratch that|typo|update to my)\b|\b(?:I was|that was"
    r"|was) wrong\b|\bmisread\b|\bI meant\b|\bnot what I said\b",
    re.IGNORECASE,
)
_FEW = r"((?:[\w.-]+ ?){1,4})"
_RULED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bnot (?:an? |the |our |caused by |due to )?{_FEW}",
        rf"{_FEW}\b(?:is|are|was|were) (?:unrelated|innocent|not)\b",
        rf"{_FEW}\b(?:ruled out|excluded|theory|idea)\b",
        rf"\b(?:ruled out|excluded|dropp\w+) {_FEW}",
    )
)
_CAUSE_NOTE = re.compile(
    r"^\W*(?:confirmed |final )?(?:root[- ]?cause|cause|rc)(?: confirmed)?\s*[:=–—-]", re.IGNORECASE
)
_ESTIMATE = re.compile(
    r"\broughly\b|\babout \d|\bapprox|\baround \d|~\s?\d|\bestimat|\bfirst (?:number|count"
    r"|figure|guess)|\bball ?park\b|\bprelim|"
    r"\bso far\b|\bat least \d|\bup to \d",
    re.IGNORECASE,
)
_FUTURE = re.compile(
    r"\beta\b|\bplanning\b|\bgoing to\b|\bwill\b|\bgonna\b|\btomorrow\b|\btonight\b|\blet'?s\b"
    r"|\bplease\b|\bcan (?:we|you|someone|anyone)\b|"
    r"\bgoes out at\b|\bin \d+ ?(?:min|minutes|h|hours)\b|\bwe should\b|\bshould (?:we|have"
    r"|come|take|recover|start)\b|\bscheduled\b|\bI'?ll\b|\bneed(?:s)? to\b",
    re.IGNORECASE,
)
_OWN_BOTS = frozenset({"incident-bot", "oncall-bot"})
_OBSERVED = frozenset(
    {
        "alert",
        "resolve",
        "page",
        "ack",
        "deploy",
        "status",
        "metric",
        "milestone",
        "impact",
        "system",
        "bot",
    }
)
_PLAIN_METRIC = re.compile(r"^up\{|^up\b")
_NEVER_A_GUESS = re.compile(
    r"^\W*(?:can|could (?:we|you|someone)|do|does|did|who|what|when|where|how|why|which|any"
    r"|is there|are there|should|shall|want|anyone|someone|ok|yes|no)\b",
    re.IGNORECASE,
)
_GUESS_LEAD = re.compile(
    r"(?:\blooks? like|\bsmells like|\bsounds like|\bfeels like|\bseems (?:to be|like)|\b(?:I "
    r"|we )?suspect(?:ing)?|\b(?:might|could|may|must|has to) be|"
    r"\bmaybe|\bperhaps|\bprobably|\bpossibly|\bI (?:think|guess|bet|believe)(?: it'?s| it is"
    r"| this is| that)?|\bmy (?:bet|guess|money)(?: is)?(?: on)?)\s+"
    r"([^,.;?!()]{3,90})",
    re.IGNORECASE,
)
_GUESS_OPEN = re.compile(
    r"^\W*(?:is|was|could|might|may) (?:it|this|that)(?: be)?\s+|^\W*(?:hmm+|so|and|or|fyi"
    r"|guess|hypothesis|theory)[,:]?\s+",
    re.IGNORECASE,
)
_NOT_A_THING = re.compile(
    r"\b(?:I|me|my|we|us|our|you|your|somebody|someone|anyone|everybody)\b|^\d[\d,.]*\s*(?:k|m"
    r"|million|billion|%|min|h)?\b|"
    r"^(?:not|just|it|that|this|worth|time|better|best|sure|ok)\b",
    re.IGNORECASE,
)
_STOP_TEXT = """
    the a an and or of to in on at is are was were be been it its this that we our i my you they
    them for from with as by not no so if but than then there here has have had do does did can
    could all any only just now still also too out up off over into about after before more less
    least one two three what which who when where how why yes ok fine same
"""
_STOP = frozenset(_STOP_TEXT.split())
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]+|\d{3,}")


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    return str(snowballstemmer.stemmer("english").stemWord(word))  # one is not for two threads


@lru_cache(maxsize=8_192)
def stems(text: str) -> frozenset[str]:
    """The content words of a text, stemmed; identifiers count whole and by their parts."""
    found = set()
    for word in _WORD.findall(text):
        for part in {word, *re.split(r"[_-]", word)}:
            low = part.lower()
            if len(low) > 1 and low not in _STOP:
                found.add(_stem(low))
    return frozenset(found)


def weigh(record: Record) -> Evidence:
    """The standing of every event, the guesses voiced, and what is noise."""
    noise = _noise(record)
    standing = {event.id: _standing(event) for event in record.events}
    pins = tuple(p for p in pins_of(record.events) if _may_be_pinned(p, standing))
    pinned = _pinned(pins)
    standing |= pinned
    guesses, rejections = _guesses(record, standing, noise, pins)
    _take_back(record, standing, noise, rejections)
    standing |= pinned
    for event_id in rejections:
        if standing[event_id] is Standing.TENTATIVE:
            standing[event_id] = Standing.SAID
    for guess in guesses:
        if guess.ruled_out and standing[guess.event.id] is Standing.TENTATIVE:
            standing[guess.event.id] = Standing.REJECTED
    return Evidence(record, standing, guesses, rejections, noise, pins)


def external(event: RecordEvent) -> bool:
    """Whether the words came from outside the team: a webhook, a relay, a quoted customer.

    Words that give orders to whoever reads the record count as such too, whoever wrote them down.
    """
    if event.trust is not None:
        return event.trust == "external" or bool(INSTRUCTION.search(event.text))
    if event.kind == "chat" and not event.actor.startswith("@"):
        return True
    return bool(INSTRUCTION.search(event.text)) or (
        event.kind == "chat" and bool(_QUOTED.search(event.text) or _RELAYED.search(event.text))
    )


def predicts(text: str) -> bool:
    """Whether a remark speaks of what may come or of a number not yet counted."""
    return bool(_FUTURE.search(text) or _ESTIMATE.search(text))


def personal(text: str) -> bool:
    """Whether a remark is about the person who wrote it, and nobody else's business."""
    return bool(_PERSONAL.search(text))


def blames(text: str) -> bool:
    """Whether a text judges a person instead of telling what happened."""
    return bool(_BLAME.search(text))


def _standing(event: RecordEvent) -> Standing:
    if external(event):
        return Standing.EXTERNAL
    if event.kind == "pin":
        return Standing.OBSERVED  # what it says counts by way of the line it marks: _pinned
    if event.standing in set(Standing):
        return Standing(event.standing)
    if event.kind == "action":
        return Standing.ACTION
    if event.kind == "note" and _CAUSE_NOTE.search(event.text) and not HEDGE.search(event.text):
        return Standing.CAUSE
    if event.kind in _OBSERVED:
        return Standing.OBSERVED
    return Standing.TENTATIVE if HEDGE.search(event.text) else Standing.SAID


def _may_be_pinned(pin: Pin, standing: dict[str, Standing]) -> bool:
    """Text from outside stays that, whoever marks it; own words of the one who pins are theirs."""
    target = standing.get(pin.target, Standing.OBSERVED)
    return target is not Standing.EXTERNAL and standing[pin.event_id] is not Standing.EXTERNAL


def _pinned(pins: tuple[Pin, ...]) -> dict[str, Standing]:
    """What pins make of the lines they mark; own words are the cause in place of the line they are about."""
    found: dict[str, Standing] = {}
    for target, pin in verdicts(pins).items():
        if pin.kind is PinKind.REJECTED:
            found[target] = Standing.REJECTED
        elif pin.own_words:
            found |= {target: Standing.OBSERVED, pin.event_id: Standing.CAUSE}
        else:
            found[target] = Standing.CAUSE
    return found


def _noise(record: Record) -> frozenset[str]:
    """Small talk, bot chatter and liveness readings; the same words twice are no news."""
    handles = {p.handle for p in record.people}
    said = Counter(_plain(e.text) for e in record.events if e.kind == "chat")
    return frozenset(e.id for e in record.events if _is_noise(e, handles, said))


def _is_noise(event: RecordEvent, handles: set[str], said: Counter[str]) -> bool:
    if event.kind == "bot":
        return event.actor in _OWN_BOTS or bool(_CHATTER.search(event.text))
    if event.kind == "metric":
        return bool(_PLAIN_METRIC.search(event.text))
    if event.kind != "chat":
        return False
    bystander = bool(handles) and event.actor not in handles
    return bystander or said[_plain(event.text)] > 1 or bool(_CHATTER.search(event.text))


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _guesses(
    record: Record,
    standing: dict[str, Standing],
    noise: frozenset[str],
    pins: tuple[Pin, ...],
) -> tuple[tuple[Guess, ...], frozenset[str]]:
    chats = [e for e in record.events if e.kind in ("chat", "note") and e.id not in noise]
    answers = [
        e for e in chats if standing[e.id] is not Standing.EXTERNAL and REJECTION.search(e.text)
    ]
    rejected = {t: pin for t, pin in verdicts(pins).items() if pin.kind is PinKind.REJECTED}
    by_id = record.by_id()
    guesses, used = [], set()
    for event in chats:
        if event.id in rejected:
            guesses.append(_pinned_guess(event, rejected[event.id], by_id))
            continue
        if standing[event.id] not in (Standing.TENTATIVE, Standing.REJECTED) or REJECTION.search(
            event.text
        ):
            continue
        answer = _answer(event, answers, chats)
        if answer:
            used.add(answer.id)
        guesses.append(Guess(event, guess_phrase(event.text), answer))
    return tuple(guesses), frozenset(used | {e.id for e in answers})


def _pinned_guess(event: RecordEvent, pin: Pin, by_id: dict[str, RecordEvent]) -> Guess:
    """A line that a person marked as ruled out: in their words, else in its own where they are few."""
    said = pin.text if pin.own_words else event.text
    few = said.strip(" .?!") if len(said.split()) <= MOST_GUESS_WORDS else ""
    return Guess(event, guess_phrase(said) or few, by_id.get(pin.event_id))


def _take_back(
    record: Record, standing: dict[str, Standing], noise: frozenset[str], rejections: frozenset[str]
) -> None:
    """Firm statements that a later line ruled out or corrected count as rejected."""
    firm = [
        e
        for e in record.events
        if e.kind in ("chat", "note")
        and e.id not in noise
        and e.id not in rejections
        and standing[e.id] in (Standing.SAID, Standing.CAUSE)
    ]
    for later in record.events:
        if later.kind not in ("chat", "note") or later.id in noise:
            continue
        corrects = bool(_CORRECTION.search(later.text))
        if standing[later.id] is Standing.EXTERNAL or not (corrects or later.id in rejections):
            continue
        first = bisect_left(firm, later.at - 2 * ANSWERED_WITHIN, key=_at)
        for earlier in firm[first : bisect_left(firm, later.at, key=_at)]:
            if _takes_back(later, earlier, corrects=corrects):
                standing[earlier.id] = Standing.REJECTED


def _at(event: RecordEvent) -> datetime:
    return event.at


def _takes_back(later: RecordEvent, earlier: RecordEvent, *, corrects: bool) -> bool:
    """Two words in common, one of them next to the `not`; a correction needs no `not`."""
    shared = stems(later.text) & stems(earlier.text)
    return len(shared) >= 2 and (corrects or bool(shared & _ruled_words(later.text)))


def _ruled_words(text: str) -> frozenset[str]:
    """The content words next to the `not`: what exactly was ruled out."""
    return stems(" ".join(m[1] for pattern in _RULED for m in pattern.finditer(text)))


def _answer(
    guess: RecordEvent, answers: list[RecordEvent], chats: list[RecordEvent]
) -> RecordEvent | None:
    """The first later line that rules it out: one that shares a word, or the next remark."""
    words = stems(guess.text)
    for answer in answers[bisect_right(answers, guess.at, key=_at) :]:
        if answer.at > guess.at + ANSWERED_WITHIN:
            break
        if words & stems(answer.text):
            return answer
    place = bisect_right(chats, guess.at, key=_at)
    following = chats[place] if place < len(chats) else None
    near = following is not None and following.at <= guess.at + NEXT_REMARK_WITHIN
    return following if near and following in answers else None


def guess_phrase(text: str) -> str:
    """The thing suspected, in the words of the guess; empty when it cannot be told apart."""
    lead = _GUESS_LEAD.search(text)
    if lead:
        return _trimmed(lead[1])
    question = text.split("?", 1)[0] if "?" in text else ""
    question = _GUESS_OPEN.sub("", question).strip()
    question = re.split(r"[.;:!]\s", question)[-1]
    if not question or _NEVER_A_GUESS.search(question) or len(question.split()) > 9:
        return ""
    return _trimmed(question)


def _trimmed(phrase: str) -> str:
    phrase = re.split(r",\s|\b(?:because|since|in case|unless)\b", phrase)[0].strip(" \t-–—:,'\"")
    spoken = _NOT_A_THING.search(phrase) or not re.search(r"[A-Za-z]{2}", phrase)
    return "" if spoken or not 1 <= len(phrase.split()) <= 8 else phrase
