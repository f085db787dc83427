"""Where a page goes:

the road's address with the person's own address put in, and nothing else let in.

Knows how `{to}` is filled so that no address of a person can change scheme, host, parameters or
number of targets. Refuses to know providers. Serves the brand modules of paging. Errors name the
road, never its address: that is a secret.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

from oncall_bot.core.config import Channel
from oncall_bot.ports import Blame, DeliveryError

TO: Final = "{to}"
MAX_TO: Final = 254  # the longest e-mail address (RFC 5321)
MAX_URL: Final = 4_000
_NEVER_IN_TO: Final = frozenset(
    ",;|<>\"'`\\{}^"
)  # each splits targets or opens something for some provider

ReadFile = Callable[[str], str]


class Address:
    """The address of one road, read again for each page so that a rotated secret needs no restart.

    When its file cannot be read the last good content is used.
    """

    __slots__ = ("_channel", "_last", "_read_file")

    def __init__(self, channel: Channel, read_file: ReadFile) -> None:
        self._channel = channel
        self._read_file = read_file
        self._last: str | None = None

    def template(self) -> str:
        """The address with `{to}` still in it."""
        if self._channel.url is not None:
            return _one_line(self._channel.key, self._channel.url)
        if self._channel.url_env is not None:
            return _one_line(self._channel.key, os.environ.get(self._channel.url_env, ""))
        if self._channel.url_file is None:
            raise _unusable(self._channel.key, "has no address")
        try:
            self._last = _one_line(self._channel.key, self._read_file(self._channel.url_file))
        except (OSError, UnicodeError) as gone:
            if self._last is None:
                why = f"cannot read the file of its address ({type(gone).__name__})"
                raise _unusable(self._channel.key, why, permanent=False) from None
        return self._last

    def scheme(self) -> str:
        """The scheme in lower case, such as `ntfys` or `webhook+https`."""
        return self.template().partition(":")[0].casefold()

    def filled(self, to: str, *, host_may_vary: bool = False) -> str:
        """The whole address for this person.

        `{to}` may stand in the authority only where that names no host.
        """
        template = self.template()
        checked = checked_to(self._channel.key, to)
        before, found, _ = template.partition(TO)
        if not found:
            return template
        if "://" not in before:
            raise _unusable(self._channel.key, "has {to} where its scheme should be")
        if "/" not in before.split("://", 1)[1].replace("?", "/") and not host_may_vary:
            raise _unusable(self._channel.key, "has {to} where its host should be")
        return template.replace(TO, quote(checked, safe=""))


def checked_to(road: str, to: str) -> str:
    """The person's address as given, once it is sure to be one address and nothing more."""
    to = to.strip()
    if not to or len(to) > MAX_TO:
        raise DeliveryError(
            f"The address for {road} is empty or longer than {MAX_TO} characters.",
            permanent=True,
            blame=Blame.ADDRESS,
        )
    if "://" in to or not to.isprintable() or any(c.isspace() or c in _NEVER_IN_TO for c in to):
        raise DeliveryError(
            f"The address for {road} holds characters that no address has.",
            permanent=True,
            blame=Blame.ADDRESS,
        )
    return to


def without_login(url: str) -> tuple[str, str | None, str | None]:
    """The address, its user and its password taken apart, so that the login travels as a header
    only.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, fragment="").geturl(), parts.username, parts.password


def _one_line(road: str, text: str) -> str:
    url = text.strip()
    if not url or len(url) > MAX_URL or not url.isprintable() or "://" not in url:
        raise _unusable(road, "has an address that is no single line of the form scheme://...")
    try:
        urlsplit(url)
    except ValueError:
        raise _unusable(road, "has an address that cannot be read") from None
    return url


def _unusable(road: str, why: str, *, permanent: bool = True) -> DeliveryError:
    return DeliveryError(f"The road {road} {why}.", permanent=permanent, blame=Blame.ROAD)
