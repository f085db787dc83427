"""What a provider's answer means for the page: it is on its way, try again, or never.

Knows HTTP and SMTP codes and how to speak HTTP carefully: no redirects, no proxies of the
environment, one time limit for the whole exchange, no more of the answer read than is needed.
Refuses to know brands. Serves the brand modules of paging.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx2

from oncall_bot.ports import Blame, DeliveryError

WHOLE_EXCHANGE_SECONDS: Final = 8.0
CONNECT_SECONDS: Final = 4.0
MAX_ANSWER_BYTES: Final = 16_384
MAX_RETRY_AFTER: Final = 300.0
_WORTH_ANOTHER_TRY: Final = frozenset({408, 409, 421, 423, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    def field(self, name: str) -> str | None:
        """A short text field of a JSON object, or None."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        value = content.get(name) if isinstance(content, dict) else None
        return value[:200] if isinstance(value, str) and value.isprintable() else None


def careful_client() -> httpx2.AsyncClient:
    """A client that goes where it is told and nowhere else."""
    return httpx2.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(WHOLE_EXCHANGE_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(
            max_connections=50, max_keepalive_connections=10, keepalive_expiry=30.0
        ),
        headers={"User-Agent": "oncall-bot"},
    )


async def exchange(
    client: httpx2.AsyncClient,
    road: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    login: tuple[str, str] | None = None,
    content: bytes | None = None,
    whole_seconds: float = WHOLE_EXCHANGE_SECONDS,
    most_bytes: int = MAX_ANSWER_BYTES,
    means: Callable[[str, Answer, str | None], DeliveryError] | None = None,
) -> Answer:
    """One request and its answer of the 200s, of which `most_bytes` are read;

    Anything else is a DeliveryError that says what it means, for a brand that says more in its `means`.
    """
    try:
        async with asyncio.timeout(whole_seconds):
            request = client.build_request(method, url, headers=headers, content=content)
            auth = httpx2.BasicAuth(*login) if login else None
            response = await client.send(request, auth=auth, stream=True)
            try:
                body = await _beginning(response, most_bytes)
            finally:
                await response.aclose()
    except (TimeoutError, httpx2.TimeoutException):
        raise DeliveryError(f"{road} did not answer in {whole_seconds:g} s.") from None
    except httpx2.InvalidURL:
        raise DeliveryError(
            f"The address of {road} cannot be used.", permanent=True, blame=Blame.ROAD
        ) from None
    except httpx2.UnsupportedProtocol:
        raise DeliveryError(
            f"The address of {road} cannot be used.", permanent=True, blame=Blame.ROAD
        ) from None
    except httpx2.RequestError as fault:  # its text may hold the address
        raise DeliveryError(f"{road} cannot be reached ({type(fault).__name__}).") from None
    answer, wait = Answer(response.status_code, body), response.headers.get("Retry-After")
    if not response.is_success:
        raise means(road, answer, wait) if means else refused(road, answer.status, wait)
    return answer


async def _beginning(response: httpx2.Response, most_bytes: int) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) >= most_bytes:
            return body[:most_bytes]
    return body


def refused(road: str, status: int, retry_after: str | None = None) -> DeliveryError:
    """What an HTTP status outside the 200s means."""
    if status == 429:
        return DeliveryError(
            f"{road} takes no more messages at the moment (429).",
            retry_after=seconds_to_wait(retry_after),
            rate_limited=True,
        )
    if status >= 500 or status in _WORTH_ANOTHER_TRY:
        wait = seconds_to_wait(retry_after)
        return DeliveryError(f"{road} has a fault of its own ({status}).", retry_after=wait)
    if status in {401, 403, 407}:
        # tried again: who mends a token mends the pages that wait for it
        return DeliveryError(f"{road} does not accept our credentials ({status}).")
    if 300 <= status < 400:
        return DeliveryError(
            f"{road} points elsewhere ({status}); redirects are not followed.",
            permanent=True,
            blame=Blame.ROAD,
        )
    return DeliveryError(f"{road} refuses the message ({status}).", permanent=True)


def seconds_to_wait(retry_after: str | None) -> float | None:
    """The header `Retry-After` (RFC 9110: seconds, or a date) in seconds, at most five minutes."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal() and len(retry_after) < 10:
        return min(float(retry_after), MAX_RETRY_AFTER)
    try:
        until = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), MAX_RETRY_AFTER)
