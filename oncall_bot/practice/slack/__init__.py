"""The practice Slack: a strict stand-in on loopback that refuses what Slack refuses.

`practice_slack` is the whole; from there the story runs door -> api -> scene -> feed and wire, and back by gestures.
"""

from oncall_bot.practice.slack.answers import Refused
from oncall_bot.practice.slack.people import ChannelSeed, Person
from oncall_bot.practice.slack.practice_slack import PracticeSlack

__all__ = ["ChannelSeed", "Person", "PracticeSlack", "Refused"]
