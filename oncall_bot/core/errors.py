"""The one exception that people see.

Knows: nothing but its message. Refuses to know: where it is shown.
Serves every room: raised where a person has to be told something, caught at the edges.
"""


class OncallError(Exception):
    """A fault whose message is fit to show to a person in Slack or a terminal, as it stands."""


class BadInput(OncallError):  # noqa: N818 - what was given, not what we did
    """What somebody gave us cannot be used; the message says what was read and what would do."""
