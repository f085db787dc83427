"""Ranked search: which runbook an alert is probably about, where nothing says so for certain.

words -> query (what is asked) and pages (what is known of a runbook) -> candidates -> score. Refuses to know storage
and certainty (`core.runbooks`). Serves the search in SQL, `runbooks match` and `/oncall runbook`.
"""

from oncall_bot.core.search.candidates import Corpus, worth_looking_up
from oncall_bot.core.search.pages import Page, page_of
from oncall_bot.core.search.query import Query, query_of
from oncall_bot.core.search.score import ATTACH_ABOVE, Asker, SearchIndex

__all__ = [
    "ATTACH_ABOVE",
    "Asker",
    "Corpus",
    "Page",
    "Query",
    "SearchIndex",
    "page_of",
    "query_of",
    "worth_looking_up",
]
