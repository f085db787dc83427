"""Which module carries which road: the one place that reads the scheme of a channel's address.

Knows the schemes of our own brands; everything else goes to apprise. Refuses to know what a page
says. Serves app (which builds the Pager once per revision of the file) and doctor (which asks what
is wrong with a road).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx2

from oncall_bot.core.config import Channel
from oncall_bot.core.paging import MAIL_SCHEMES, is_loud
from oncall_bot.paging import ntfy, twilio, webhook
from oncall_bot.paging.addresses import Address, ReadFile
from oncall_bot.paging.answers import WHOLE_EXCHANGE_SECONDS, careful_client
from oncall_bot.paging.apprise_pager import ApprisePager
from oncall_bot.ports import Blame, DeliveryError, LoudPage, Pager, Sent

APPRISE_EXTRA_SECONDS = (
    2.0  # it allows 4 s to connect and 4 s to answer, and threads wait in a queue
)

__all__ = ["CurrentRoads", "Roads", "build_pager", "is_loud", "read_secret_file"]


class Roads:
    """The Pager of an installation:

    Every channel of the file behind one door. `aclose` it when it is replaced.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        read_file: ReadFile,
        *,
        whole_seconds: float = WHOLE_EXCHANGE_SECONDS,
    ) -> None:
        self._channels = dict(channels)
        self._addresses = {name: Address(channel, read_file) for name, channel in channels.items()}
        self._apprise = ApprisePager(
            channels, read_file, timeout=whole_seconds + APPRISE_EXTRA_SECONDS
        )
        self._whole_seconds = whole_seconds
        self._client: httpx2.AsyncClient | None = None

    async def warm_up(self) -> None:
        """Load what the roads of this file need, so that the first page at night need not wait."""
        ours = ntfy.SCHEMES | webhook.SCHEMES | twilio.SCHEMES
        for address in self._addresses.values():
            try:
                scheme = address.scheme()
            except DeliveryError:
                continue  # told by `faults`
            if scheme not in ours:
                await self._apprise.warm_up()
                return

    async def page(self, page: LoudPage) -> Sent:
        return await self._carrier(page.channel).page(page)

    def _carrier(self, road: str) -> Pager:
        address = self._addresses.get(road)
        if address is None:
            raise DeliveryError(
                f"There is no road {road} in the file.", permanent=True, blame=Blame.ROAD
            )
        scheme = address.scheme()
        if scheme in ntfy.SCHEMES:
            return ntfy.NtfyPager(address, self._http(), self._whole_seconds)
        if scheme in webhook.SCHEMES:
            return webhook.WebhookPager(address, self._http(), self._whole_seconds)
        if scheme in twilio.SCHEMES:
            return twilio.TwilioPager(address, self._http(), self._whole_seconds)
        return self._apprise

    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = careful_client()
        return self._client

    def faults(self) -> Mapping[str, str]:
        """What is wrong with a road before anything is sent by it:

        Road -> a sentence for doctor and the log.
        """
        found: dict[str, str] = {}
        for name, address in self._addresses.items():
            try:
                template = address.template()
                if address.scheme() in twilio.SCHEMES:
                    twilio.account_of(name, template)
            except DeliveryError as fault:
                found[name] = str(fault)
                continue
            if template.casefold().startswith(MAIL_SCHEMES) and is_loud(self._channels[name]):
                found[name] = f"The road {name} is mail but counts as loud: name the channel mail."
        return found

    def answered_by_text(self) -> list[str]:
        """Roads whose text messages can be answered, once their provider hands answers on to us."""
        found = []
        for name, address in self._addresses.items():
            with suppress(DeliveryError):
                template = address.template()
                if address.scheme() in twilio.SCHEMES:
                    found += [] if twilio.account_of(name, template).calls else [name]
        return found

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def build_pager(
    channels: Mapping[str, Channel],
    read_file: ReadFile | None = None,
    *,
    whole_seconds: float = WHOLE_EXCHANGE_SECONDS,
) -> Roads:
    """The Pager for these channels.

    A road that cannot be used fails its own pages and no others.
    """
    return Roads(channels, read_file or read_secret_file, whole_seconds=whole_seconds)


def read_secret_file(path: str) -> str:
    """The content of a secret file; at most 64 kB are read."""
    with Path(path).open(encoding="utf-8") as file:
        return file.read(65_536)


class CurrentRoads:
    """The Pager of the revision in force; a new revision gets a new one."""

    def __init__(self, channels: Callable[[], Mapping[str, Channel]]) -> None:
        self._in_force = channels
        self._channels: object = None
        self._roads: Roads | None = None
        self._old: list[Roads] = []

    def current(self) -> Pager:
        channels = self._in_force()
        if self._roads is None or channels != self._channels:
            if self._roads is not None:
                self._old.append(self._roads)
            self._channels, self._roads = channels, build_pager(channels)
        return self._roads

    async def aclose(self) -> None:
        for roads in [*self._old, *([self._roads] if self._roads else [])]:
            await roads.aclose()
