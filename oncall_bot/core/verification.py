"""Decides, sentence by sentence, whether a record supports what somebody wrote about it.

Knows the rules of a draft that cannot lie: every number, time and name is in the cited events, a
cause was pinned by a person, a guess stays a guess. Refuses to rewrite: keep, mark or drop.
Serves the drafter of prose; nothing a model wrote is shown without its verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from oncall_bot.core.evidence import INSTRUCTION, Evidence, Standing, blames, stems, weigh
from oncall_bot.core.facts import Facts, facts_of
from oncall_bot.core.records import Record, RecordAlert, RecordEvent, instant
from oncall_bot.core.redaction import holds_secret
from oncall_bot.core.sentences import (
    ABBREVIATION,
    CAPITAL,
    CAUSAL,
    DAYS,
    DID,
    HANDLE,
    LIFECYCLE,
    LINK,
    MARKUP,
    MONTHS,
    NEGATED,
    NEGATION,
    NO_CAUSE,
    PERSON_VERB,
    PLAIN_ABBREVIATIONS,
    ROLES,
    RULED_OUT,
    TENTATIVE_SAID,
    TRADE,
    UNPRINTABLE,
)
from oncall_bot.core.tokens import Pool, counted, tokens_of

CALC = "calc"
MOST_CITES = 8
MOST_CHARACTERS = 400
TWICE = "it is there twice"
LATIN_ENDS = 0x24F
"""The last letter of the Latin script with its accents."""
SUPPORTED = (
    0.34  # share of content words found in the evidence below which a sentence is only marked
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence with the events it rests on; `section` is where it wants to stand."""

    text: str
    section: str
    cites: tuple[str, ...]


class Outcome(StrEnum):
    """What becomes of a sentence."""

    KEEP = "keep"
    MARK = "mark"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome with the reason in words fit to show; a kept sentence needs none."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """Claims sorted by their verdict."""

    kept: tuple[Claim, ...] = ()
    marked: tuple[tuple[Claim, str], ...] = ()
    dropped: tuple[tuple[Claim, str], ...] = ()


@dataclass(slots=True)
class Verifier:
    """Checks sentences against one record; weigh the record once, ask often."""

    record: Record
    _evidence: Evidence = field(init=False)
    _facts: Facts = field(init=False)
    _events: dict[str, RecordEvent] = field(init=False)
    _alerts: dict[str, RecordAlert] = field(init=False)
    _vocabulary: frozenset[str] = field(init=False)
    _whole: str = field(init=False)

    def __post_init__(self) -> None:
        self._evidence = weigh(self.record)
        self._facts = facts_of(self.record)
        self._events = self.record.by_id()
        self._alerts = {alert.id: alert for alert in self.record.alerts}
        texts = [self.record.title, *self.record.services, *(e.text for e in self.record.events)]
        self._vocabulary = frozenset(
            w.lower() for t in texts for w in re.findall(r"[A-Za-z][\w'’]+", t)
        )

    def verify(self, sentence: str, cites: Sequence[str]) -> Verdict:
        """Keep, mark or drop one sentence that cites these ids."""
        text = " ".join(sentence.split())
        for rule in (
            self._shape,
            self._sources,
            self._tokens,
            self._names,
            self._doers,
            self._stale,
            self._lifecycle,
            self._guesses,
        ):
            reason = rule(text, cites)
            if reason:
                return Verdict(Outcome.DROP, reason)
        return self._doubts(text, cites)

    def check(self, claims: Iterable[Claim]) -> Checked:
        """All claims with their verdicts; the same sentence twice is dropped the second time."""
        sorted_by: dict[Outcome, list[tuple[Claim, str]]] = {outcome: [] for outcome in Outcome}
        seen: set[str] = set()
        for claim in claims:
            same = " ".join(claim.text.lower().split())
            verdict = Verdict(Outcome.DROP, TWICE)
            if same not in seen:
                verdict = self.verify(claim.text, claim.cites)
            seen.add(same)
            sorted_by[verdict.outcome].append((claim, verdict.reason))
        return Checked(
            tuple(claim for claim, _ in sorted_by[Outcome.KEEP]),
            tuple(sorted_by[Outcome.MARK]),
            tuple(sorted_by[Outcome.DROP]),
        )

    def _shape(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 8, and what no sentence of a draft looks like."""
        if UNPRINTABLE.search(text):
            return "it holds characters that nobody can read"
        if not len(text.split()) >= 3 or len(text) > MOST_CHARACTERS:
            return "it is no sentence of a draft: too short or too long"
        if blames(text):
            return "it blames a person"
        if holds_secret(text):
            return "it holds what looks like a secret"
        if INSTRUCTION.search(text) or MARKUP.search(text) or LINK.search(text):
            return "it holds an instruction, a link or markup"
        return None

    def _sources(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 1: the ids exist, and somebody of the team or a machine stands behind them."""
        if not cites:
            return "it cites nothing"
        if len(cites) > MOST_CITES:
            return "it cites too many events to be checked"
        unknown = [
            c for c in cites if c != CALC and c not in self._events and c not in self._alerts
        ]
        if unknown:
            return f"it cites {unknown[0][:20]}, which the record does not have"
        events = self._cited(cites)
        outside = [e for e in events if self._evidence.standing[e.id] is Standing.EXTERNAL]
        if outside:
            return f"it rests on text from outside ({outside[0].id})"
        return None

    def _tokens(self, text: str, cites: Sequence[str]) -> str | None:
        """Rules 2 and 3: every number, time and identifier is in the cited events or computed."""
        pool = self._pool(cites)
        missing = pool.missing(tokens_of(text))
        if missing:
            return f"{missing} is not in what it cites"
        wrong = pool.mislimited(text)
        if wrong:
            return f"{wrong} is told as a limit, or a limit as a measurement"
        wrong = pool.miscounted(counted(text))
        return f"what it cites counts something else than {wrong}" if wrong else None

    def _names(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 3 for people, services, alerts and other names written with a capital."""
        pool = self._pool(cites)
        for known, words in self._known_names():
            told = any(re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", text) for w in words)
            if told and not any(pool.mentions(word) for word in (known, *words)):
                return f"{known} is not in what it cites"
        for match in (*CAPITAL.finditer(text), *ABBREVIATION.finditer(text)):
            if self._invented(match, text):
                return f"the name {match[0]} is not in the record"
        return None

    def _doers(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 3: who is said to have done something did it in a cited event, and was not only spoken of."""
        events = self._cited(cites)
        actors = {event.actor for event in events}
        said = " ".join(event.text for event in events)
        for person in self.record.people:
            first = person.name.split()[0] if person.name.strip() else ""
            for name in (one for one in (person.name, first, person.handle) if one and one in text):
                for match in re.finditer(rf"(?<![\w@-]){re.escape(name)}(?![\w-])", text):
                    verb = DID.match(text[match.end() :])
                    if not verb or person.handle in actors:
                        continue
                    told = rf"(?:{re.escape(person.handle)}|{re.escape(name)})\W+(?:\w+\W+){{0,2}}{verb[1][:4]}"
                    if not re.search(told, said, re.IGNORECASE):
                        return f"{name} did not do that in what it cites"
        return None

    def _known_names(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        for person in self.record.people:
            parts = tuple(p for p in person.name.split() if len(p) > 2)
            yield (
                person.handle,
                tuple(filter(None, (person.name, person.handle.lstrip("@"), *parts))),
            )
        for alert in self.record.alerts:
            yield alert.name, (alert.name,)
        yield from ((s, (s,)) for s in self.record.services if re.search(r"[-_.\d]", s))

    def _invented(self, match: re.Match[str], text: str) -> bool:
        word = match[0]
        low = word.lower().rstrip("'’s") if word.endswith(("'s", "’s")) else word.lower()
        if (
            low in self._vocabulary
            or low.rstrip("s") in self._vocabulary
            or word in MONTHS | DAYS | PLAIN_ABBREVIATIONS
        ):
            return False
        if any(low in p.name.lower().split() for p in self.record.people) or re.fullmatch(
            r"SEV-?\d", word
        ):
            return False
        if match.start() > 0 and not re.search(r"[.!?:]\s+[\"“]?$", text[: match.start()]):
            return True
        following = text[match.end() :]
        role = low in ROLES or low.rstrip("s") in ROLES
        return (bool(PERSON_VERB.match(following)) and not role) or bool(
            re.match(r"\s+[A-Z][a-z]{2,}\b", following)
        )

    def _stale(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 7: a figure that was corrected later is not told as the figure."""
        current = {f.value for f in self._facts.impact}
        stale = {
            float(f.value)
            for f in self._facts.superseded
            if isinstance(f.value, (int, float)) and f.value not in current
        }
        told = {q.value for q in tokens_of(text).numbers}
        named = re.search(
            r"\bcorrected\b|\bfirst estimate\b|\bsuperseded\b|\brevised\b", text, re.IGNORECASE
        )
        if stale & told and not (named and current & told):
            return "it repeats a figure that was corrected later"
        return None

    def _lifecycle(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 6: fired, resolved, mitigated and their like match the kind of a cited event."""
        events = self._cited(cites) + (self._milestones() if CALC in cites else [])
        alerts = {"alert"} if any(c in self._alerts for c in cites) else set()
        if any(c in self._alerts and self._alerts[c].ends_at is not None for c in cites):
            alerts.add("resolve")
        for said, kinds, supported in LIFECYCLE:
            found = said.search(text)
            if (
                found
                and not alerts & kinds
                and not any(
                    e.kind in kinds or supported.search(e.text) or self._status_says(e, supported)
                    for e in events
                )
            ):
                return f'nothing it cites says "{found[0]}"'
        return None

    def _status_says(self, event: RecordEvent, supported: re.Pattern[str]) -> bool:
        return event.kind == "status" and bool(supported.search(str(event.data.get("to", ""))))

    def _guesses(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 4: no cause on a guess; a guess is told as one, and as ruled out when it was."""
        standings = [self._evidence.standing[e.id] for e in self._cited(cites)]
        if Standing.CAUSE in standings:
            return None
        rejected, tentative = Standing.REJECTED in standings, Standing.TENTATIVE in standings
        if rejected and not RULED_OUT.search(text):
            return "it tells a guess that was ruled out as if it held"
        if (tentative or rejected) and CAUSAL.search(text) and not RULED_OUT.search(text):
            return "it names a cause and rests on a guess"
        only_guesses = tentative and not any(
            s not in (Standing.TENTATIVE, Standing.REJECTED) for s in standings
        )
        if only_guesses and not TENTATIVE_SAID.search(text):
            return "it tells a guess as a fact"
        return None

    def _doubts(self, text: str, cites: Sequence[str]) -> Verdict:
        """What a person has to look at: causes nobody pinned, negations, words without support."""
        events, text = self._cited(cites), NO_CAUSE.sub("", text)
        standings = {self._evidence.standing[e.id] for e in events}
        settled = Standing.CAUSE in standings or (
            RULED_OUT.search(text) and self._evidence.rejections & {e.id for e in events}
        )
        if CAUSAL.search(text) and not settled:
            return Verdict(Outcome.MARK, "it names a cause that nobody confirmed")
        said = self._said(cites)
        if NEGATION.search(text) and not (
            NEGATION.search(said) or self._evidence.rejections & {e.id for e in events}
        ):
            return Verdict(Outcome.MARK, "it denies something that its sources do not deny")
        if _affirms_denied(text, said):
            return Verdict(Outcome.MARK, "its sources deny what it says")
        return self._support(text, cites, said)

    def _said(self, cites: Sequence[str]) -> str:
        """The words of all that is cited: of entries, of alerts, of the computed facts."""
        events = self._cited(cites)
        said = [*(e.text for e in events), *(str(e.data.get("to", "")) for e in events)]
        said += [
            f"{self._alerts[c].name} {self._alerts[c].unit}" for c in cites if c in self._alerts
        ]
        if CALC in cites:
            facts = self._facts
            said += [" ".join(facts.moments()), *(f"{f.name} {f.value}" for f in facts.impact)]
        return " ".join(said).replace("_", " ")

    def _support(self, text: str, cites: Sequence[str], said: str) -> Verdict:
        """Rule 9: most words of meaning stand in the evidence or belong to the trade."""
        sources = f"{said} {self._frame(cites)}"
        if _other_letters(text) - _other_letters(sources):
            return Verdict(Outcome.MARK, "it is written in letters that no rule here can read")
        words = {w for w in stems(text) if not w[:1].isdigit()} - TRADE
        known = stems(sources)
        if words and (
            not words & known or (len(words) >= 3 and len(words & known) < SUPPORTED * len(words))
        ):
            return Verdict(Outcome.MARK, "most of its words are not in what it cites")
        return Verdict(Outcome.KEEP)

    def _frame(self, cites: Sequence[str]) -> str:
        """Words any sentence may use: title, services, names and kinds of what is cited."""
        events = self._cited(cites)
        handles = [h for e in events for h in (e.actor, *HANDLE.findall(e.text))]
        people = [self.record.name_of(handle) for handle in handles]
        figures = [str(k).replace("_", " ") for e in events for k in e.data]
        return " ".join(
            [self.record.title, *self.record.services, *people, *figures, *(e.kind for e in events)]
        )

    def _cited(self, cites: Sequence[str]) -> list[RecordEvent]:
        return [self._events[c] for c in cites if c in self._events]

    def _milestones(self) -> list[RecordEvent]:
        return [self._events[m.event_id] for m in self._facts.moments().values()]

    def _pool(self, cites: Sequence[str]) -> Pool:
        pool, known = Pool(), self.record
        for name in filter(None, (known.id, known.severity, known.runbook, known.channel)):
            pool.add_name(name)
        for event in self._cited(cites):
            self._add_event(pool, event)
        for cite in cites:
            if cite in self._alerts:
                _add_alert(pool, self._alerts[cite])
        if CALC in cites:
            self._add_facts(pool)
        return pool

    def _add_event(self, pool: Pool, event: RecordEvent) -> None:
        pool.add_instant(event.at)
        pool.add_text(event.text)
        pool.add_text(f"{event.actor} {self.record.name_of(event.actor)}")
        for handle in HANDLE.findall(event.text):
            pool.add_text(self.record.name_of(handle))
        for value in event.data.values():
            if isinstance(value, bool):
                continue
            at = instant(value)
            if at:
                pool.add_instant(at)
            elif isinstance(value, (int, float)):
                pool.add_number(float(value))
            elif isinstance(value, str):
                pool.add_text(value)
        for fact in self._facts.alerts:
            if fact.fired is not None and fact.fired.id == event.id:
                _add_alert(pool, fact.alert)

    def _add_facts(self, pool: Pool) -> None:
        """[calc] stands for milestones, durations, newest figures and services."""
        facts = self._facts
        for moment in facts.moments().values():
            pool.add_instant(moment.at)
        for figure in facts.impact:
            if isinstance(figure.value, (int, float)):
                pool.add_number(float(figure.value))
        pool.add_text(" ".join([self.record.title, *self.record.services]))
        for total in (
            len(facts.pages),
            len(facts.alerts),
            len(facts.actions),
            len(facts.reopened),
        ):
            pool.add_number(float(total))


def _add_alert(pool: Pool, alert: RecordAlert) -> None:
    pool.add_text(f"{alert.name} {alert.severity} {alert.unit}")
    pool.add_instant(alert.starts_at)
    if alert.ends_at is not None:
        pool.add_instant(alert.ends_at)
    for value in (alert.value, alert.threshold):
        if value is not None:
            pool.add_number(value)


def _affirms_denied(text: str, said: str) -> bool:
    """Whether the sources say `not enabled` and the sentence says `enabled` without a not."""
    if NEGATION.search(text) or RULED_OUT.search(text):
        return False
    words = stems(text)
    for match in NEGATED.finditer(said):
        after = re.split(r"[,.;:]", said[match.end() : match.end() + 40])[0]
        denied = [stems(w) for w in re.findall(r"[A-Za-z][\w-]+", after)[:2]]
        denied = [d for d in denied if d]
        if denied and all(d & words for d in denied):
            return True
    return False


def verify(sentence: str, cites: Sequence[str], record: Record) -> Verdict:
    """Keep, mark or drop one sentence that cites these events of the record."""
    return Verifier(record).verify(sentence, cites)


def check_claims(claims: Iterable[Claim], record: Record) -> Checked:
    """All claims with their verdicts; the same sentence twice is dropped the second time."""
    return Verifier(record).check(claims)


def _other_letters(text: str) -> set[str]:
    """Letters of other scripts than the Latin one, in which the rules know no words."""
    return {letter for letter in text if letter.isalpha() and ord(letter) > LATIN_ENDS}
