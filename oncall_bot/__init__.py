"""oncall-bot: the on-call engineer's first responder in Slack."""

__version__ = "0.1.0"
