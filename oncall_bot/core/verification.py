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
from oncall_bot.core.tokens import Pool, counted, tokens_of

CALC = "calc"
MOST_CITES = 8
MOST_CHARACTERS = 400
TWICE = "it is there twice"
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


_CAUSAL = re.compile(
    r"\bcaus(?:e|ed|es|ing)\b|\bbecause\b|\bdue to\b|\b(?:led|leads|leading) to\b|\btrigger(?:s"
    r"|ed|ing)?\b(?! at\b)|\bresult(?:s|ed|ing)? (?:in|from)\b|"
    r"\bas a result\b|\bowing to\b|\bstem(?:s|med) from\b|\bbrought (?:down|about)\b"
    r"|\btook down\b|\bbroke\b|\bresponsible for\b|\bthanks to\b|"
    r"\b(?:to|is|was) blame\b|\bmade \w+ (?:fail|crash|unavailable)\b|\bcame from\b"
    r"|\bexplains?\b|\bconsequence\b|\bprovok|\binduced\b|\bculprit\b|"
    r"\bwhich (?:drove|saturated|exhausted|overloaded|crashed)\b|\bin turn\b|\btherefore\b"
    r"|\bhence\b|\bso that\b|[,;] so (?!far\b|called\b)|\bcontribut|\bmeant that\b|\bprompted\b"
    r"|\bforced\b|\broot cause\b|\bsaturated\b|\bdr(?:ove|iven|ives)\b|\boverwhelm"
    r"|\bexhausted the\b|\b(?:knocked|took) out\b",
    re.IGNORECASE,
)
_NO_CAUSE = re.compile(r"\bnot confirmed as (?:a|the) cause\b", re.IGNORECASE)
_TENTATIVE_SAID = re.compile(
    r"\bsuspect|\bconsider|\bhypothes|\bguess|\btheor|\bearly\b|\binitial|\bat first\b"
    r"|\bfirst thought\b|\bassum|\bsuspicion|\bwondered|\basked\b|\bmight\b|"
    r"\bpossib|\bproposed\b|\bunconfirmed\b",
    re.IGNORECASE,
)
_RULED_OUT = re.compile(
    r"\brul(?:ed|ing) out\b|\breject|\bdiscard|\bexclud|\bdropp|\bunrelated\b|\bnot (?:the|a|it"
    r"|related|involved|caused)\b|\bno \w+|\bwrong\b|\bdisprov|"
    r"\bnone\b|\bdismiss",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|zero|hardly|failed to)\b"
    r"|n't\b|\bun(?:changed|affected|related|available)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:not|no|never|none|without|cannot|zero)\b|n't\b|(?<![\d.,])0(?![\d.,])", re.IGNORECASE
)
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LINK = re.compile(r"\b(?:https?|ftp|mailto|javascript|data):\S+|\bwww\.\S+|\]\(", re.IGNORECASE)
_MARKUP = re.compile(r"<[!@#a-zA-Z/]|@(?:channel|here|everyone)\b|!\[|^\s*#|```", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w/.])@[A-Za-z0-9](?:[\w.-]{0,62}\w)?")
_CAPITAL = re.compile(r"\b[A-Z][a-zà-ÿ'’-]{2,}\b")
_ABBREVIATION = re.compile(r"\b[A-Z]{2,}[A-Z0-9]*\b")
_PLAIN_ABBREVIATIONS_TEXT = """
    UTC SEV AI CPU API DNS HTTP HTTPS ID OK SLO SLA TTD TTA TTR TTM URL CA DB VM
"""
_PLAIN_ABBREVIATIONS = frozenset(_PLAIN_ABBREVIATIONS_TEXT.split())
_PERSON_VERB = re.compile(
    r"^\s+(?:acknowledged|acked|restarted|ran|decided|suspected|rolled|paged|deployed|noticed"
    r"|said|wrote|reported|confirmed|joined|took|found|executed|"
    r"started|stopped|scaled|issued|pushed|declared|resolved|fixed|asked|saw|was paged|led"
    r"|disabled|enabled|identified|escalated|raised|removed|moved|"
    r"throttled|bumped|paused|set|opened|closed|merged|approved|reverted)\b"
)
_DID = re.compile(
    r"\s+(acknowledged|acked|restarted|ran|decided|suspected|rolled|paged|deployed|noticed|reported"
    r"|confirmed|found|executed|started|stopped|scaled|issued|pushed|declared|resolved|fixed|led"
    r"|disabled|enabled|identified|escalated|raised|removed|moved|throttled|paused|closed|merged"
    r"|approved|reverted|mitigated)\b"
)
_MONTHS_TEXT = """
    January February March April May June July August September October November December
"""
_MONTHS = frozenset(_MONTHS_TEXT.split())
_DAYS = frozenset(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])

_LIFECYCLE: tuple[tuple[re.Pattern[str], frozenset[str], re.Pattern[str]], ...] = tuple(
    (re.compile(said, re.IGNORECASE), frozenset(kinds.split()), re.compile(text, re.IGNORECASE))
    for said, kinds, text in (
        (r"\bfir(?:ed|ing|es)\b", "alert", r"\bfir(?:ed|ing)\b"),
        (
            r"\b(?:alert|alarm)\b.{0,40}\b(?:ended|cleared|resolved)\b",
            "resolve",
            r"\bresolved\b|\bcleared\b|\bended\b|\bno longer\b",
        ),
        (r"\bresolved\b", "resolve status", r"\bresolv"),
        (r"\bmitigated\b", "status", r"\bmitigat"),
        (r"\backnowledged\b", "ack", r"\back"),
        (r"\bpaged\b", "page", r"\bpag(?:e|ed|ing)\b"),
        (r"\bescalated\b", "page", r"\bescalat"),
        (
            r"\bdeployed\b|\breleased\b|\brolled out\b",
            "deploy",
            r"\bdeploy|\breleas|\broll(?:ed|out)|\bship|\bpush|\bapprov|\binsert|\bchange",
        ),
        (
            r"\brolled back\b|\breverted\b",
            "",
            r"\broll(?:ed|ing)?\b.{0,60}\bback\b|\brollback|\brevert",
        ),
        (r"\bdeclared\b", "status", r"\bdeclar"),
        (r"\breopened\b|\brelapsed\b", "", r"\breopen|\brelaps|\bagain\b|\bback\b"),
        (r"\bdisabled\b", "", r"\bdisabl|\b(?:turn|switch)(?:ed)? off|\bkill|\boff\b"),
        (r"\b(?:re-?)?enabled\b", "", r"\benabl|\bturn(?:ed)? on|\bon again\b"),
        (r"\brestarted\b", "", r"\brestart"),
        (
            r"\brestored\b|\brecovered\b",
            "status resolve",
            r"\brestor|\brecover|\bback\b|\bhealthy|\bagain\b|\bnormal\b",
        ),
    )
)


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
        if _UNPRINTABLE.search(text):
            return "it holds characters that nobody can read"
        if not len(text.split()) >= 3 or len(text) > MOST_CHARACTERS:
            return "it is no sentence of a draft: too short or too long"
        if blames(text):
            return "it blames a person"
        if holds_secret(text):
            return "it holds what looks like a secret"
        if INSTRUCTION.search(text) or _MARKUP.search(text) or _LINK.search(text):
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
        for match in (*_CAPITAL.finditer(text), *_ABBREVIATION.finditer(text)):
            if self._invented(match, text):
                return f"the name {match[0]} is not in the record"
        return None

    def _doers(self, text: str, cites: Sequence[str]) -> str | None:
        """Rule 3: who is said to have done something did it in a cited event, and was not only spoken of."""
        events = self._cited(cites)
        actors = {event.actor for event in events}
        said = " ".join(event.text for event in events)
        for person in self.record.people:
            for name in filter(None, (person.name, person.name.split()[0], person.handle)):
                for match in re.finditer(rf"(?<![\w@-]){re.escape(name)}(?![\w-])", text):
                    verb = _DID.match(text[match.end() :])
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
            or word in _MONTHS | _DAYS | _PLAIN_ABBREVIATIONS
        ):
            return False
        if any(low in p.name.lower().split() for p in self.record.people) or re.fullmatch(
            r"SEV-?\d", word
        ):
            return False
        if match.start() > 0 and not re.search(r"[.!?:]\s+[\"“]?$", text[: match.start()]):
            return True
        following = text[match.end() :]
        role = low in _ROLES or low.rstrip("s") in _ROLES
        return (bool(_PERSON_VERB.match(following)) and not role) or bool(
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
        for said, kinds, supported in _LIFECYCLE:
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
        if rejected and not _RULED_OUT.search(text):
            return "it tells a guess that was ruled out as if it held"
        if (tentative or rejected) and _CAUSAL.search(text) and not _RULED_OUT.search(text):
            return "it names a cause and rests on a guess"
        only_guesses = tentative and not any(
            s not in (Standing.TENTATIVE, Standing.REJECTED) for s in standings
        )
        if only_guesses and not _TENTATIVE_SAID.search(text):
            return "it tells a guess as a fact"
        return None

    def _doubts(self, text: str, cites: Sequence[str]) -> Verdict:
        """What a person has to look at: causes nobody pinned, negations, words without support."""
        events, text = self._cited(cites), _NO_CAUSE.sub("", text)
        standings = {self._evidence.standing[e.id] for e in events}
        settled = Standing.CAUSE in standings or (
            _RULED_OUT.search(text) and self._evidence.rejections & {e.id for e in events}
        )
        if _CAUSAL.search(text) and not settled:
            return Verdict(Outcome.MARK, "it names a cause that nobody confirmed")
        said = self._said(cites)
        if _NEGATION.search(text) and not (
            _NEGATION.search(said) or self._evidence.rejections & {e.id for e in events}
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
        words = {w for w in stems(text) if not w[:1].isdigit()} - _TRADE
        known = stems(said + " " + self._frame(cites))
        if words and (
            not words & known or (len(words) >= 3 and len(words & known) < SUPPORTED * len(words))
        ):
            return Verdict(Outcome.MARK, "most of its words are not in what it cites")
        return Verdict(Outcome.KEEP)

    def _frame(self, cites: Sequence[str]) -> str:
        """Words any sentence may use: title, services, names and kinds of what is cited."""
        events = self._cited(cites)
        handles = [h for e in events for h in (e.actor, *_HANDLE.findall(e.text))]
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
        for handle in _HANDLE.findall(event.text):
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
    if _NEGATION.search(text) or _RULED_OUT.search(text):
        return False
    words = stems(text)
    for match in _NEGATED.finditer(said):
        after = re.split(r"[,.;:]", said[match.end() : match.end() + 40])[0]
        denied = [stems(w) for w in re.findall(r"[A-Za-z][\w-]+", after)[:2]]
        denied = [d for d in denied if d]
        if denied and all(d & words for d in denied):
            return True
    return False


_ROLES_TEXT = """
    nobody somebody everyone someone responder engineer commander team support mitigation
    traffic service monitoring prometheus customer user primary secondary the it this that they
    incident impact login access replication which who all
"""
_ROLES = frozenset(_ROLES_TEXT.split())
_TRADE = stems(
    "incident impact service services outage start started began begin end ended first later "
    "responder responders team engineer engineers commander primary secondary page paged alert "
    "alerts alerted fired firing detection detected acknowledge acknowledged acknowledgement "
    "declare declared severity mitigate mitigated mitigation resolve resolved resolution recover "
    "recovered response took take minutes hours seconds users customers requests peak during "
    "between until within time times record recorded suspected suspicion early considered ruled "
    "hypothesis came stayed remained returned reached change changes step steps found noted "
    "reported noticed decision decided system affected followed afterwards monitoring total "
    "lasted minute hour second utc went was were well"
)


def verify(sentence: str, cites: Sequence[str], record: Record) -> Verdict:
    """Keep, mark or drop one sentence that cites these events of the record."""
    return Verifier(record).verify(sentence, cites)


def check_claims(claims: Iterable[Claim], record: Record) -> Checked:
    """All claims with their verdicts; the same sentence twice is dropped the second time."""
    return Verifier(record).check(claims)
