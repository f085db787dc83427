"""Every other road:

voice, SMS, mail and the rest of the providers apprise knows, one target a call.

Knows what apprise can tell of a failure: its result says only yes, no or too late, its log lines
hold the code. Refuses to let those lines out of the process, because they carry addresses and
payloads. Serves `paging.roads`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from oncall_bot.core.config import Channel
from oncall_bot.paging.addresses import Address, ReadFile
from oncall_bot.paging.answers import refused
from oncall_bot.paging.words import text_of, title_of, whole_text_of
from oncall_bot.ports import Blame, DeliveryError, LoudPage, Sent

WHOLE_CALL_SECONDS: Final = 10.0  # apprise allows 4 s to connect and 4 s to answer
MAX_LINES: Final = 200
_MAIL: Final = frozenset({"mailto", "mailtos"})
_PLAIN_HTTP: Final = frozenset({"json", "jsons", "form", "forms", "xml", "xmls"})
_HTTP_CODE = re.compile(r"\berror=(\d{3})\b")  # how its plugins end the line about a refusal
_SMTP_CODE = re.compile(r"\((\d{3}), b['\"]|refused: (\d{3}) ")  # str() of smtplib's exceptions
_NO_MAILBOX: Final = frozenset({550, 551, 553})  # RFC 5321: mailbox unavailable, elsewhere, no name
_BAD_ADDRESS: Final[Mapping[str, frozenset[int]]] = {
    # core.telegram.org/bots/api: 400 "chat not found", 403 "bot was blocked by the user"
    "tgram": frozenset({400, 403}),
    "pover": frozenset({400}),  # pushover.net/api: the user key is invalid
}
_CALL = re.compile(r"[?&]method=c(?:all?)?(?:&|$)", re.IGNORECASE)


class ApprisePager:
    """The Pager for roads of any scheme that apprise knows.

    Answers of providers carry no id: the key stands for it.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        read_file: ReadFile,
        *,
        timeout: float = WHOLE_CALL_SECONDS,
    ) -> None:
        self._addresses = {name: Address(channel, read_file) for name, channel in channels.items()}
        self._timeout = timeout
        self._apprise: Any = None
        _keep_its_log_inside()

    async def warm_up(self) -> Any:
        """Load apprise away from the loop, so that the first page at night need not wait for it."""
        if self._apprise is None:
            self._apprise = await asyncio.to_thread(_load)
        return self._apprise

    async def page(self, page: LoudPage) -> Sent:
        apprise = await self.warm_up()
        address = self._addresses.get(page.channel)
        if address is None:
            raise DeliveryError(
                f"There is no road {page.channel} in the file.", permanent=True, blame=Blame.ROAD
            )
        url = _with_extras(
            address.filled(page.address, host_may_vary=_host_is_fixed(apprise, address.scheme())),
            page,
        )
        caller = apprise.Apprise(asset=_asset(apprise, self._timeout))
        if not caller.add(url) or len(caller) != 1:
            raise DeliveryError(
                f"The address of {page.channel} is not one that can be used.",
                permanent=True,
                blame=Blame.ROAD,
            )
        if len(caller[0]) > 1:
            raise DeliveryError(
                f"The address of {page.channel} names more than one target.",
                permanent=True,
                blame=Blame.ROAD,
            )
        voice = bool(_CALL.search(url))
        result = await caller.async_notify(
            title=title_of(page),
            body=text_of(page)
            if voice
            else whole_text_of(page),  # nobody can press a link that is read aloud
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=apprise.NotifyType.FAILURE if page.urgent else apprise.NotifyType.WARNING,
            interpret_escapes=False,
            timeout=self._timeout,
            log_level=logging.DEBUG,
        )
        with result:
            if result:
                return Sent(page.key, channel=page.channel, answer="taken")
            raise _why(
                page.channel,
                address.scheme(),
                result.timeout_count,
                [str(line.message) for line in result.logs()],
                self._timeout,
            )


def _why(
    road: str, scheme: str, timeouts: int, lines: Iterable[str], timeout: float
) -> DeliveryError:
    """What can be known of the failure, in our words: theirs may hold secrets."""
    if timeouts:
        return DeliveryError(f"{road} did not answer in {timeout:g} s.")
    for line in reversed(list(lines)[:MAX_LINES]):
        if found := _HTTP_CODE.search(line):
            return _http(road, scheme, int(found[1]))
        if found := _SMTP_CODE.search(line):
            return _smtp(road, int(found[1] or found[2]))
    return DeliveryError(f"{road} did not take the message.")


def _http(road: str, scheme: str, status: int) -> DeliveryError:
    """What the brand means by the status, where it says of a person's address what others say of a login."""
    if status in _BAD_ADDRESS.get(scheme, frozenset()):
        text = f"{road} says that this address cannot be reached ({status})."
        return DeliveryError(text, permanent=True, blame=Blame.ADDRESS)
    return refused(road, status)


def _smtp(road: str, code: int) -> DeliveryError:
    """RFC 5321: the 500s are final, the 400s are not."""
    if code in {530, 534, 535}:
        return DeliveryError(f"{road} does not accept our credentials ({code}).")
    if code >= 500:
        return DeliveryError(
            f"{road} refuses the recipient or the message ({code}).",
            permanent=True,
            blame=Blame.ADDRESS if code in _NO_MAILBOX else Blame.MESSAGE,
        )
    return DeliveryError(f"{road} cannot take the message at the moment ({code}).")


def _with_extras(url: str, page: LoudPage) -> str:
    """The key as a header where the brand can carry one, and urgency where mail programs look for
    it.
    """
    scheme = url.partition(":")[0].casefold()
    extras: dict[str, str] = {}
    if scheme in _MAIL:
        extras = {"+X-Oncall-Key": page.key, "+Auto-Submitted": "auto-generated"}
        if page.urgent:
            extras |= {"+X-Priority": "1", "+Importance": "high"}
        if "format=" not in url:
            extras["format"] = "text"
    elif scheme in _PLAIN_HTTP:
        extras = {"+Idempotency-Key": page.key}
    query = "&".join(
        f"{quote(name, safe='+')}={quote(value, safe='')}" for name, value in extras.items()
    )
    return url + (("&" if "?" in url else "?") + query if query else "")


def _load() -> Any:
    """Apprise with its plugins, loaded once.

    170 plugins cost a second that no command line should pay.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # its mail plugin probes for an old module
        import apprise
        from apprise.manager_plugins import NotificationManager

        NotificationManager().schemas()  # type: ignore[no-untyped-call]
    return apprise


def _host_is_fixed(apprise: Any, scheme: str) -> bool:
    """Whether the brand's own service is called, so that the authority of the address names no
    host.
    """
    plugins = apprise.manager_plugins.NotificationManager()
    if scheme not in plugins.schemas():
        return False
    return not any("{host}" in template for template in plugins[scheme].templates)


def _asset(apprise: Any, timeout: float) -> Any:
    return apprise.AppriseAsset(
        app_id="oncall-bot",
        app_desc="oncall-bot",
        app_url="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        service_timeout=timeout,
        http_redirects=False,
        interpret_emojis=False,
        interpret_escapes=False,
        secure_logging=True,
        default_service_retry=0,
        allow_templates=False,
        pgp_autogen=False,
    )


def _keep_its_log_inside() -> None:
    """Apprise writes addresses and payloads to its log: read them here, hand them on to nobody."""
    theirs = logging.getLogger("apprise")
    theirs.propagate = False
    theirs.setLevel(logging.DEBUG)  # SMTP codes are told at this level only
    if not theirs.handlers:
        theirs.addHandler(logging.NullHandler())
