"""What may be asked, and the signs by which a question is known: the table that the scoring runs over.

Knows, for each intent, which concepts and slots must come together and what that is worth. Refuses to compute.
Serves `understanding`. To teach a new way of asking: a phrase in `lexicon`, or a line here; the phrasings in tests say
whether it helped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Intent(StrEnum):
    ON_CALL = "on_call"  # who is on call for S at T
    SHIFTS = "shifts"  # when is P next, P's shifts
    OPEN = "open"  # open incidents
    STATUS = "status"  # what is incident N
    WHY = "why"  # why was P paged
    OWNER = "owner"  # who has N
    TIMELINE = "timeline"  # what happened in N
    CAUSE = "cause"  # what caused N: only what a person pinned
    RUNBOOK = "runbook"
    HISTORY = "history"  # how often did A fire
    FIRING = "firing"  # what fires now on S
    HELP = "help"


ABOUT_INCIDENTS = frozenset(
    {Intent.STATUS, Intent.WHY, Intent.OWNER, Intent.TIMELINE, Intent.CAUSE}
)


@dataclass(frozen=True, slots=True)
class Sign:
    """All of `needs` together are worth `score`; any of `never` forbids it.

    A need is a concept, or a slot in angle brackets: `<rota>` a service or schedule, `<incident>` one that is named or
    talked about, `<#>` one that is named by its number, `<person>`, `<alert>`, `<when>`, `<span>`.
    """

    intent: Intent
    needs: frozenset[str]
    score: float
    never: frozenset[str] = frozenset()


def _sign(intent: Intent, needs: str, score: float, never: str = "") -> Sign:
    return Sign(intent, frozenset(needs.split()), score, frozenset(never.split()))


_I = Intent
SIGNS: tuple[Sign, ...] = (
    _sign(_I.ON_CALL, "who oncall", 1.0, "me"),
    _sign(_I.ON_CALL, "who oncall me", 0.85),
    _sign(_I.ON_CALL, "anyone oncall", 0.95),
    _sign(_I.ON_CALL, "oncall <rota>", 0.95, "me <person>"),
    _sign(_I.ON_CALL, "oncall <when>", 0.92, "me <person>"),
    _sign(_I.ON_CALL, "oncall", 0.85, "me <person> when paged"),
    _sign(_I.ON_CALL, "who pager", 0.9),
    _sign(_I.ON_CALL, "who shift", 0.9),
    _sign(_I.ON_CALL, "who covers <rota>", 0.92),
    _sign(_I.ON_CALL, "who covers <when>", 0.9),
    _sign(_I.ON_CALL, "who reach <rota>", 0.9),
    _sign(_I.ON_CALL, "who has <rota>", 0.8, "<#> happening incident"),
    _sign(_I.ON_CALL, "who <rota> <when>", 0.75, "paged fire incident happening changed"),
    _sign(_I.ON_CALL, "who <rota>", 0.66, "paged fire incident happening changed has"),
    _sign(_I.ON_CALL, "shift <rota>", 0.85, "me"),
    _sign(_I.ON_CALL, "who paged <rota>", 0.62, "why <incident>"),
    _sign(_I.SHIFTS, "me shift", 1.0, "who"),
    _sign(_I.SHIFTS, "me oncall", 0.98, "who why"),
    _sign(_I.SHIFTS, "me pager", 0.9, "who why"),
    _sign(_I.SHIFTS, "when me next", 0.92, "paged"),
    _sign(_I.SHIFTS, "when me", 0.7, "paged fire incident"),
    _sign(_I.SHIFTS, "me next", 0.72, "paged fire incident status changed"),
    _sign(_I.SHIFTS, "<person> oncall", 0.97, "who"),
    _sign(_I.SHIFTS, "<person> shift", 0.97, "who"),
    _sign(_I.SHIFTS, "when <person> next", 0.9, "paged"),
    _sign(_I.SHIFTS, "when <person>", 0.7, "paged fire"),
    _sign(_I.SHIFTS, "<person> pager", 0.9, "who why"),
    _sign(_I.OPEN, "incident open", 1.0, "<#> often"),
    _sign(_I.OPEN, "incident list", 0.92, "<#> why often before"),
    _sign(_I.OPEN, "incident happening", 0.9, "<#> why"),
    _sign(
        _I.OPEN,
        "incident",
        0.8,
        "<#> <it> why who cause often before changed status has runbook howtofix over fixed",
    ),
    _sign(_I.OPEN, "open", 0.72, "<#> <it> why who <rota>"),
    _sign(_I.OPEN, "happening", 0.85, "<#> <it> <rota> <alert> why who cause"),
    _sign(_I.OPEN, "status incident", 0.72, "<#> <it> why who"),
    _sign(_I.STATUS, "status <#>", 1.0, "why who cause"),
    _sign(_I.STATUS, "happening <#>", 0.95, "why cause"),
    _sign(_I.STATUS, "open <#>", 0.95, "who why"),
    _sign(_I.STATUS, "over <#>", 0.97, "who why"),
    _sign(_I.STATUS, "fixed <#>", 0.9, "who why"),
    _sign(
        _I.STATUS,
        "incident <#>",
        0.88,
        "anyone who why cause changed runbook howtofix often has paged",
    ),
    _sign(_I.STATUS, "<#>", 0.8, "anyone who why cause changed runbook howtofix often has paged"),
    _sign(_I.STATUS, "status <it>", 0.9, "why who cause <rota>"),
    _sign(_I.STATUS, "happening <it>", 0.9, "why who cause <rota>"),
    _sign(_I.STATUS, "over <it>", 0.93, "who why"),
    _sign(_I.STATUS, "open <it>", 0.9, "who why"),
    _sign(_I.STATUS, "status", 0.62, "<rota> <alert> <person> oncall shift why who incident"),
    _sign(_I.WHY, "why paged", 1.0),
    _sign(_I.WHY, "why oncall", 0.6),
    _sign(_I.WHY, "why me", 0.8, "shift"),
    _sign(_I.WHY, "why <person>", 0.8),
    _sign(_I.WHY, "why <#>", 0.9),
    _sign(_I.WHY, "why <it>", 0.85),
    _sign(_I.WHY, "why", 0.6, "<alert> <rota>"),
    _sign(_I.WHY, "who paged", 0.85, "oncall reach"),
    _sign(_I.WHY, "who paged <#>", 0.97),
    _sign(_I.OWNER, "who has <#>", 1.0, "paged"),
    _sign(_I.OWNER, "who has <it>", 0.97, "paged"),
    _sign(_I.OWNER, "who has", 0.85, "oncall pager shift <rota> paged"),
    _sign(_I.OWNER, "who has incident", 0.92, "oncall pager shift paged"),
    _sign(_I.OWNER, "who has <alert>", 0.8, "oncall paged"),
    _sign(_I.OWNER, "anyone has <#>", 0.97, "paged"),
    _sign(_I.OWNER, "anyone has", 0.85, "oncall shift paged"),
    _sign(_I.OWNER, "anyone has <it>", 0.95, "paged"),
    _sign(_I.OWNER, "<person> has <#>", 0.85, "paged"),
    _sign(_I.OWNER, "<person> has <it>", 0.8, "paged"),
    _sign(_I.OWNER, "has <#>", 0.82, "why changed paged"),
    _sign(_I.OWNER, "who <#>", 0.8, "oncall paged"),
    _sign(_I.OWNER, "anyone <#>", 0.75, "oncall paged"),
    _sign(_I.OWNER, "who over <#>", 0.9, "paged"),
    _sign(_I.OWNER, "who over <it>", 0.85, "paged"),
    _sign(_I.TIMELINE, "changed <#>", 1.0, "why cause"),
    _sign(_I.TIMELINE, "changed <it>", 0.93, "why cause"),
    _sign(_I.TIMELINE, "changed incident", 0.85, "why cause often"),
    _sign(_I.TIMELINE, "changed", 0.72, "why cause often oncall shift <alert>"),
    _sign(_I.TIMELINE, "before <#>", 0.85, "why cause often fire"),
    _sign(_I.CAUSE, "cause <#>", 1.0),
    _sign(_I.CAUSE, "cause <it>", 0.95),
    _sign(_I.CAUSE, "cause incident", 0.88),
    _sign(_I.CAUSE, "cause <rota>", 0.75),
    _sign(_I.CAUSE, "cause <alert>", 0.75),
    _sign(_I.CAUSE, "cause", 0.7),
    _sign(_I.RUNBOOK, "runbook", 0.95),
    _sign(_I.RUNBOOK, "docs <alert>", 0.95),
    _sign(_I.RUNBOOK, "docs <#>", 0.95),
    _sign(_I.RUNBOOK, "docs <it>", 0.9),
    _sign(_I.RUNBOOK, "docs incident", 0.85),
    _sign(_I.RUNBOOK, "docs", 0.75),
    _sign(_I.RUNBOOK, "howtofix <alert>", 0.95),
    _sign(_I.RUNBOOK, "howtofix <#>", 0.95),
    _sign(_I.RUNBOOK, "howtofix <it>", 0.92),
    _sign(_I.RUNBOOK, "howtofix incident", 0.85),
    _sign(_I.RUNBOOK, "howtofix", 0.75),
    _sign(_I.RUNBOOK, "<runbook>", 0.8),
    _sign(_I.HISTORY, "often <alert>", 1.0),
    _sign(_I.HISTORY, "before <alert>", 1.0),
    _sign(_I.HISTORY, "when <alert>", 0.85),
    _sign(_I.HISTORY, "fire <alert> <span>", 0.92),
    _sign(_I.HISTORY, "<alert> <span>", 0.8),
    _sign(_I.HISTORY, "changed <alert>", 0.75, "<#>"),
    _sign(_I.HISTORY, "fixed <alert>", 0.85),
    _sign(_I.HISTORY, "often fire <it>", 0.88),
    _sign(_I.HISTORY, "before fire <it>", 0.88),
    _sign(_I.HISTORY, "before changed <it>", 0.9),
    _sign(_I.HISTORY, "often <it>", 0.8),
    _sign(_I.HISTORY, "before <it>", 0.78, "who why over"),
    _sign(_I.HISTORY, "often fire", 0.7),
    _sign(_I.HISTORY, "often fire <rota>", 0.66),
    _sign(_I.HISTORY, "<alert>", 0.62, "who why runbook howtofix cause"),
    _sign(
        _I.FIRING,
        "fire",
        0.85,
        "<#> <it> <alert> why who when often before paged incident cause runbook",
    ),
    _sign(
        _I.FIRING,
        "fire <rota>",
        1.0,
        "<#> <alert> why who when often before cause runbook howtofix",
    ),
    _sign(
        _I.FIRING, "fire list", 0.92, "<#> <alert> why who when often before paged cause runbook"
    ),
    _sign(_I.FIRING, "fire open", 0.95, "<#> <alert> why who when often before cause runbook"),
    _sign(_I.FIRING, "fire happening", 0.85, "<#> <alert> why who cause"),
    _sign(_I.FIRING, "happening <rota>", 0.92, "<#> <alert> why who cause"),
    _sign(_I.FIRING, "status <rota>", 0.85, "<#> why who oncall shift"),
    _sign(_I.FIRING, "incident <rota>", 0.85, "<#> why who cause often before runbook howtofix"),
    _sign(_I.FIRING, "open <rota>", 0.9, "<#> why who oncall shift"),
    _sign(_I.FIRING, "fire <alert>", 0.8, "why who often before <span> cause runbook when"),
    _sign(_I.FIRING, "fire open <alert>", 0.95, "why who"),
    _sign(_I.HELP, "help", 0.95, "<rota> <alert> <#>"),
)

_FITS: Mapping[Intent, str] = {
    Intent.ON_CALL: "who anyone oncall shift covers reach pager next when list has open paged",
    Intent.SHIFTS: "me when next oncall shift pager list before open covers status",
    Intent.OPEN: "incident open happening list status fire me paged before",
    Intent.STATUS: "status incident happening open over fixed list me changed fire before",
    Intent.WHY: "why paged me incident oncall who fire before cause",
    Intent.OWNER: "who anyone has incident over fire open before happening list",
    Intent.TIMELINE: "changed incident me status before open list over has happening fixed fire next",
    Intent.CAUSE: "cause incident why happening fire changed",
    Intent.RUNBOOK: "runbook docs howtofix fire incident me list happening fixed open status has",
    Intent.HISTORY: "often before when fire changed fixed incident list status open me happening has",
    Intent.FIRING: "fire happening status open incident list has",
    Intent.HELP: "help me",
}
FITS = {intent: frozenset(said.split()) for intent, said in _FITS.items()}
"""Concepts that say nothing against an intent though no sign of it needs them."""
