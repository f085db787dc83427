"""Which runbook belongs to an alert when that can be said for certain.

Knows the evidence in its order (explicit matchers, the rule's link, the exact name, what responders answered) and the
why. Refuses to know where runbooks are stored, and links as anything but text: none is fetched. Serves the intake,
`explain` and the card. Ranked search lives in `search`; it is never certain.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from oncall_bot.core.matchers import Matcher, matches
from oncall_bot.core.runbooks import Identity, Match, Runbook
from oncall_bot.core.verdicts import NO_ANSWERS, Answers, right_ones, wrong_ones

LINK_ANNOTATIONS = ("runbook_url", "runbook")
LINK_LIMIT = 2048

_LITERALS = re.compile(r"[\w:-]+(?:\|[\w:-]+)*")
_PAGE_ENDING = re.compile(r"\.(?:md|markdown|html?|adoc|rst)$", re.IGNORECASE)


def normal_name(name: str) -> str:
    """A name without case, dashes, underscores and spaces: KubePodDown is kube-pod_down."""
    return "".join(mark for mark in name.casefold() if mark.isalnum())


class RunbookIndex:
    """What one snapshot's runbooks say for certain, arranged so that an alert asks few of them.

    Built once per snapshot and not changed. Runbooks whose matchers name their alerts (by equality
    or as `A|B|C`) are found by that name; only the others are asked one by one.
    """

    __slots__ = ("_by_alertname", "_by_identity", "_by_link", "_by_name", "_unkeyed", "runbooks")

    def __init__(self, runbooks: Iterable[Runbook]) -> None:
        self.runbooks = tuple(sorted(runbooks, key=lambda one: (one.slug, one.source)))
        self._by_identity = {one.identity: one for one in self.runbooks}
        self._by_alertname: dict[str, list[Runbook]] = defaultdict(list)
        self._by_link: dict[str, list[Runbook]] = defaultdict(list)
        self._by_name: dict[str, list[tuple[Runbook, str]]] = defaultdict(list)
        self._unkeyed: list[Runbook] = []
        for runbook in self.runbooks:
            self._add_matchers(runbook)
            self._add_names(runbook)

    def get(self, identity: Identity) -> Runbook | None:
        """The runbook, when it is in force."""
        return self._by_identity.get(identity)

    def asked(self, alertname: str) -> Iterator[Runbook]:
        """The runbooks whose matchers could match an alert of this name."""
        yield from self._by_alertname.get(alertname, ())
        yield from self._unkeyed

    def linked(self, word: str) -> list[Runbook]:
        """The runbooks whose slug or alias is this part of a link."""
        return self._by_link.get(normal_name(word), [])

    def named(self, alertname: str) -> list[tuple[Runbook, str]]:
        """The runbooks of this name, each with the name of its own that is meant."""
        return self._by_name.get(normal_name(alertname), [])

    def _add_matchers(self, runbook: Runbook) -> None:
        if not runbook.matchers:
            return
        names = alert_names(runbook.matchers)
        if names is None:
            self._unkeyed.append(runbook)
        for name in names or ():
            self._by_alertname[name].append(runbook)

    def _add_names(self, runbook: Runbook) -> None:
        own = dict.fromkeys((runbook.slug, *runbook.aliases))
        for key in dict.fromkeys(normal_name(name) for name in own):
            if key:
                self._by_link[key].append(runbook)
        seen: set[str] = set()
        for name in (*own, runbook.title):
            key = normal_name(name)
            if key and key not in seen:
                seen.add(key)
                self._by_name[key].append((runbook, name))


def choose(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    runbooks: RunbookIndex,
    link_base: str = "",
    answers: Answers = NO_ANSWERS,
) -> Match | None:
    """The runbook that belongs to the alert for certain, or None: better none than a wrong one."""
    return next(certain(labels, annotations, runbooks, link_base, answers), None)


def certain(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    runbooks: RunbookIndex,
    link_base: str = "",
    answers: Answers = NO_ANSWERS,
) -> Iterator[Match]:
    """Every certain match, surest first, each runbook once.

    What responders called wrong for this alert is left out; only the runbook's own matchers stand above their word.
    """
    alert = _Alert(labels, annotations, link_base, answers)
    wrong = wrong_ones(answers)
    seen: set[Identity] = set()
    for evidence in EVIDENCE:
        for match in evidence(alert, runbooks):
            identity = match.runbook.identity
            if identity in seen or (identity in wrong and match.how != "matchers"):
                continue
            seen.add(identity)
            yield match


@dataclass(frozen=True, slots=True)
class _Alert:
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    link_base: str
    answers: Answers

    def fits(self, runbook: Runbook) -> bool:
        return self.labels.get("service", "") in runbook.services


def _by_matchers(alert: _Alert, runbooks: RunbookIndex) -> Iterator[Match]:
    asked = runbooks.asked(alert.labels.get("alertname", ""))
    found = [one for one in asked if matches(one.matchers, alert.labels)]
    for runbook in sorted(found, key=lambda one: (-len(one.matchers), *_order(alert, one))):
        why = f"its matchers name {_named(runbook.matchers, alert.labels)}"
        yield Match(runbook, "matchers", 1.0, why)


def _by_link(alert: _Alert, runbooks: RunbookIndex) -> Iterator[Match]:
    for annotation in LINK_ANNOTATIONS:
        link = alert.annotations.get(annotation, "").strip()
        for word in _link_words(link, alert.link_base):
            for runbook in sorted(runbooks.linked(word), key=lambda one: _order(alert, one)):
                yield Match(runbook, "link", 1.0, "the rule links to it")


def _by_name(alert: _Alert, runbooks: RunbookIndex) -> Iterator[Match]:
    alertname = alert.labels.get("alertname", "")
    found = runbooks.named(alertname)
    for runbook, name in sorted(found, key=lambda pair: _order(alert, pair[0])):
        own = "its alias " if name in runbook.aliases else "its name "
        shown = "" if name == alertname else f"{name} "
        yield Match(runbook, "name", 1.0, f"{own}{shown}is the alert's name")


def _by_answers(alert: _Alert, runbooks: RunbookIndex) -> Iterator[Match]:
    for identity, said in right_ones(alert.answers):
        if (runbook := runbooks.get(identity)) is not None:
            why = f"{said.by} called it right for this alert on {said.at:%Y-%m-%d}"
            yield Match(runbook, "learned", 1.0, why)


# The order of evidence.
EVIDENCE: tuple[Callable[[_Alert, RunbookIndex], Iterator[Match]], ...] = (
    _by_matchers,
    _by_link,
    _by_name,
    _by_answers,
)


def _named(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> str:
    """The conditions as the alert meets them: `alertname=HostDown`, not the pattern of twenty names."""
    met = [
        str(one) if one.negative or not labels.get(one.name) else f"{one.name}={labels[one.name]}"
        for one in matchers
    ]
    return ", ".join(met)[:200]


def _order(alert: _Alert, runbook: Runbook) -> tuple[bool, str, str]:
    """Runbooks for the alert's own service first, then by slug."""
    return (not alert.fits(runbook), runbook.slug, runbook.source)


def alert_names(matchers: tuple[Matcher, ...]) -> tuple[str, ...] | None:
    """The only alert names these matchers can match, or None where they do not say."""
    for matcher in matchers:
        if matcher.name != "alertname":
            continue
        if matcher.op == "=":
            return (matcher.value,)
        if matcher.op == "=~" and _LITERALS.fullmatch(matcher.value):
            return tuple(dict.fromkeys(matcher.value.split("|")))
    return None


def _link_words(link: str, link_base: str) -> Iterator[str]:
    """The parts of a link that may name a runbook: its fragment, then its last path segment."""
    if not link or len(link) > LINK_LIMIT:
        return
    try:
        parts = urlsplit(link)
        base = urlsplit(link_base)
    except ValueError:
        return
    if link_base and (parts.scheme or parts.netloc) and not _under(parts, base):
        return
    if parts.fragment:
        yield unquote(parts.fragment)
    segments = [unquote(one) for one in parts.path.split("/") if one]
    if segments:
        yield _PAGE_ENDING.sub("", segments[-1])


def _under(parts: SplitResult, base: SplitResult) -> bool:
    """Whether a link stands below the base: the same scheme and host, and the base's path first."""
    same_site = (parts.scheme, parts.netloc.casefold()) == (base.scheme, base.netloc.casefold())
    folder = base.path.rstrip("/") + "/"
    return same_site and parts.path.startswith(folder)
