"""Schedules: who is on call at an instant, by rules R1 to R16, exact on every night of the year.

The story: `reading`, by way of `fields`, turns what is written into a Definition; `walltime` is the
one way from a wall clock to an instant; `windows` and `turns` say when a layer shows and whose turn
it is; `painting` lays layers, holidays and overrides over each other and cuts the shifts. All pure:
time is an argument. Refuses to know people's records, storage and Slack.
"""

from oncall_bot.core.rotations.definition import Definition, Override, Shift, people_named
from oncall_bot.core.rotations.fields import DefinitionError
from oncall_bot.core.rotations.painting import next_handoff, on_call_at, shifts
from oncall_bot.core.rotations.reading import answer, parse_definition

__all__ = [
    "Definition",
    "DefinitionError",
    "Override",
    "Shift",
    "answer",
    "next_handoff",
    "on_call_at",
    "parse_definition",
    "people_named",
    "shifts",
]
