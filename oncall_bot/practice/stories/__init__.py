"""The stories one can live through: one module each. A story is a value; nothing happens here."""

from oncall_bot.practice.plot import Story
from oncall_bot.practice.stories.escalation import ESCALATION
from oncall_bot.practice.stories.flapping import FLAPPING
from oncall_bot.practice.stories.handoff import HANDOFF
from oncall_bot.practice.stories.outage import OUTAGE
from oncall_bot.practice.stories.own_alerts import OWN_ALERTS
from oncall_bot.practice.stories.storm import STORM
from oncall_bot.practice.stories.telephone import TELEPHONE

STORIES: tuple[Story, ...] = (OUTAGE, ESCALATION, TELEPHONE, STORM, FLAPPING, HANDOFF)
OWN_STORIES: tuple[Story, ...] = (OWN_ALERTS, *(story for story in STORIES if story.for_own))

__all__ = ["OWN_ALERTS", "OWN_STORIES", "STORIES"]
