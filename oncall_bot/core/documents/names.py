"""The names a document defines, and the nearest one to a word that is none of them.

Knows which section defines which kind of name. Refuses to know what a name is used for.
Serves the checks: a reference is a name of one of these kinds.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from oncall_bot.core.documents.fault import shown

SECTIONS = {
    "person": "people",
    "team": "teams",
    "service": "services",
    "schedule": "schedules",
    "policy": "policies",
    "channel": "channels",
}
_LISTED_MAX = 8
_COMPARED_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Names:
    """The keys of each section that others refer to, in the order of the document.

    A section that is no mapping is left out: its own fault is told, and not one at every reference.
    """

    by_kind: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, document: Mapping[str, object]) -> Names:
        """The names a document defines, whatever stands behind them."""
        found: dict[str, tuple[str, ...]] = {}
        for kind, section in SECTIONS.items():
            entries = document.get(section)
            if isinstance(entries, Mapping):
                found[kind] = tuple(key for key in entries if isinstance(key, str))
            elif entries is None:
                found[kind] = ()
        return cls(found)

    def missing(self, kind: str, name: str) -> str | None:
        """Why `name` is no `kind` of this document, or None when it is one."""
        known = self.by_kind.get(kind)
        if known is None or name in known:
            return None
        return f"there is no {kind} {shown(name)} in {SECTIONS[kind]}{instead(name, known)}"


def instead(word: str, known: Collection[str]) -> str:
    """The end of a sentence: the nearest known name, or all of them when they are few."""
    near = nearest(word, known)
    if near is not None:
        return f"; did you mean {near}?"
    if known and len(known) <= _LISTED_MAX:
        return f"; known: {', '.join(known)}"
    return ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `word`, if one does."""
    by_fold = {name.casefold(): name for name in list(known)[:_COMPARED_MAX]}
    found = difflib.get_close_matches(word[:64].casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None
