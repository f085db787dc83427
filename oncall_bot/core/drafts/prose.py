"""Puts checked sentences into a draft: prose around the facts, never in their place.

Knows the headings and where prose stands under them. Refuses every sentence without a good
verdict: `compose` checks all claims itself.
Serves the CLI and the flow that stores a narrative.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oncall_bot.core.drafts.documents import draft
from oncall_bot.core.drafts.wording import CALC, cite
from oncall_bot.core.records import Record
from oncall_bot.core.verification import TWICE, Checked, Claim, check_claims

HEADINGS: Mapping[str, str] = {
    "summary": "Summary",
    "impact": "Impact",
    "causes": "Contributing factors",
    "detection": "Detection",
    "response": "Response and recovery",
    "lessons": "Lessons",
}
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "summary": ("summary",),
    "postmortem": ("summary", "causes", "response", "lessons"),
}
MOST_SENTENCES = 8
MOST_SUMMARY_WORDS = 215
NOT_KEPT = "Sentences of the model that the record does not bear out are not in this draft."
_WORD = re.compile(r"\w+")
_CITED = re.compile(r"\s*\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft with its prose, and what became of every claim."""

    markdown: str
    checked: Checked


def compose(record: Record, kind: str, claims: Iterable[Claim], missing: str = "") -> Composed:
    """The draft of that kind with the sentences that the record supports, no others.

    `missing` is one line about prose that could not be had.
    """
    checked = check_claims(claims, record)
    places = {event.id: n for n, event in enumerate(record.events)}
    kept = sorted(
        checked.kept, key=lambda c: min((places[i] for i in c.cites if i in places), default=-1)
    )
    lines = [missing] if missing else []
    if checked.marked or any(why != TWICE for _, why in checked.dropped):
        lines.append(NOT_KEPT)
    told = "".join(f"\n*{escaped(line)}*\n" for line in lines)
    return Composed(with_prose(draft(record, kind), kept) + told, checked)


def with_prose(markdown: str, claims: Sequence[Claim]) -> str:
    """The document with verified claims as paragraphs under their headings.

    Claims for other sections are left out. In the summary the first paragraph is computed and
    stays; the second yields where the prose can replace it.
    """
    for section, heading in HEADINGS.items():
        told = [_rendered(claim) for claim in claims if claim.section == section][:MOST_SENTENCES]
        start = markdown.find(f"\n## {heading}\n")
        if not told or start < 0:
            continue
        head = start + len(f"\n## {heading}\n")
        end = markdown.find("\n## ", head)
        body = markdown[head : end if end >= 0 else len(markdown)].strip("\n")
        merged = _summary(body, told) if section == "summary" else f"{' '.join(told)}\n\n{body}"
        tail = markdown[end:] if end >= 0 else ""
        markdown = f"{markdown[:head]}{merged}\n{tail}".rstrip("\n") + "\n"
    return markdown


def _summary(body: str, told: list[str]) -> str:
    """Computed paragraph, prose, and the record's own words as far as there is room for them."""
    computed, _, own = body.partition("\n\n")
    room = MOST_SUMMARY_WORDS - _length(computed)
    prose = _fitting(told, room, _ids_in(computed))
    room -= _length(" ".join(prose))
    kept = _fitting(re.split(r"(?<=\]\.)\s+", own), room, _ids_in(" ".join(prose)))
    return "\n\n".join(filter(None, [computed, " ".join(prose), " ".join(kept)]))


def _ids_in(text: str) -> set[str]:
    return {i for cited in _CITED.findall(text) for i in re.findall(r"\w+", cited)}


def _fitting(sentences: Sequence[str], room: int, told: set[str]) -> list[str]:
    """Those that fit and tell of something else than what is told already."""
    kept = []
    for sentence in sentences:
        ids = _ids_in(sentence) - {CALC}
        if sentence and _length(sentence) <= room and not (ids and ids <= told):
            kept.append(sentence)
            room -= _length(sentence)
    return kept


def _length(text: str) -> int:
    return len(_WORD.findall(_CITED.sub("", text)))


def _rendered(claim: Claim) -> str:
    """The sentence on one line, harmless in Markdown, its sources in front of the full stop."""
    ids = [i for i in claim.cites if i != CALC]
    return f"{harmless(claim.text)}{cite(*ids, CALC if CALC in claim.cites else None)}."


def escaped(text: str) -> str:
    """Text of a model on one line, with nothing in it that Markdown would obey."""
    text = " ".join(text.split()).replace("[", "(").replace("]", ")")
    text = text.replace("<", "‹").replace(">", "›")
    return text.replace("**", "").replace("|", "/")


def harmless(text: str) -> str:
    """A sentence that somebody else wrote: escaped, without what Markdown reads at its beginning and its full stop."""
    return escaped(text).lstrip("#-*+>=~ ").rstrip(" .")
