"""Talk without a model: what a message asks or wishes, and whether what a model answers is grounded.

The story: `words` folds and mends, `names` and `when` find names and times, `reading` puts them together, `lexicon` and
`intents` are the tables, `scoring`, `wishes` and `understanding` judge.
`about` is what a conversation speaks of, `proposals` the
signed card of a wish, `grounds` the check of a model's words. All pure; answers are found elsewhere.
"""

from oncall_bot.core.talk.about import About, about_of
from oncall_bot.core.talk.intents import Intent
from oncall_bot.core.talk.names import Known, Names
from oncall_bot.core.talk.orders import Act
from oncall_bot.core.talk.questions import (
    AskBack,
    Question,
    Smalltalk,
    Understood,
    Unknown,
    spelled,
)
from oncall_bot.core.talk.understanding import understand
from oncall_bot.core.talk.wishes import Wish

__all__ = [
    "About",
    "Act",
    "AskBack",
    "Intent",
    "Known",
    "Names",
    "Question",
    "Smalltalk",
    "Understood",
    "Unknown",
    "Wish",
    "about_of",
    "spelled",
    "understand",
]
