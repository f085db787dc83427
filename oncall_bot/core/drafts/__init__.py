"""Summary and postmortem of an incident, written from its record alone: no model, no network.

Knows the template and its order. Refuses to compute (facts do), to trust a text (wording makes
it harmless) and to name a cause that nobody confirmed.
Serves the CLI, the draft flow and, as the frame around checked sentences, the model.
"""

from oncall_bot.core.drafts.documents import KINDS, draft, postmortem, summary, summary_line
from oncall_bot.core.drafts.prose import HEADINGS, SECTIONS, Composed, compose, with_prose
from oncall_bot.core.drafts.review import checks_of, review

__all__ = [
    "HEADINGS",
    "KINDS",
    "SECTIONS",
    "Composed",
    "checks_of",
    "compose",
    "draft",
    "postmortem",
    "review",
    "summary",
    "summary_line",
    "with_prose",
]
