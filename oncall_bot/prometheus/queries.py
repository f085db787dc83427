"""Ask a Prometheus: what is it now, what was it, and which expression has that rule.

Knows prometheus-api-client, and that an answer may be slow, huge or hostile: each question has a time, a size and a
number of series, and a Prometheus that does not answer is left alone for a while. Refuses to know incidents.
Serves live checks and pictures through `ports.Metrics`, in a few threads of its own, so that paging never waits.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from oncall_bot.core.graphs import POINTS_MAX, RANGE_MAX, Series, Window
from oncall_bot.core.promql import EXPRESSION_LIMIT
from oncall_bot.ports import DeliveryError, Sample

T = TypeVar("T")

WITHIN = 10
"""Seconds for one question, its whole answer read."""
AT_ONCE = 3
WAITING_MAX = 50
BODY_MAX = 8 * 1024 * 1024
PIECE = 256 * 1024
SERIES_READ = 200
"""Series of one answer that are looked at; of them the worst are kept. Newer servers are asked for no more."""
LABELS_READ = 64
TEXT_MAX = 1024
LEFT_ALONE_FOR = 30.0
RULES_KEPT_FOR = 600.0
ERROR_SHOWN = 200


class PrometheusMetrics:
    """Every Prometheus of the installation, by address; `close` lets the threads go."""

    def __init__(
        self, *, within: float = WITHIN, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._within = within
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="prometheus")
        self._waiting = 0
        self._silent: dict[str, float] = {}
        self._rules: dict[str, tuple[float, Mapping[str, Sequence[str]]]] = {}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def instant(self, address: str, promql: str, *, at: float) -> Sequence[Sample]:
        """The query's samples at that instant, none when it selects nothing."""
        return await self._ask(address, partial(self._instant, address, _bounded(promql), at))

    async def over(self, address: str, promql: str, window: Window) -> Sequence[Series]:
        """The query's series over the window, of at most POINTS_MAX points each: a finer step is raised."""
        return await self._ask(address, partial(self._over, address, _bounded(promql), window))

    async def rule(self, address: str, alertname: str) -> str | None:
        """The expression of the alerting rule of that name, when there is exactly one; asked seldom, and kept."""
        kept = self._rules.get(address)
        if kept is None or self._seconds() - kept[0] > RULES_KEPT_FOR:
            rules = await self._ask(address, partial(self._all_rules, address))
            kept = self._rules[address] = (self._seconds(), rules)
        found = set(kept[1].get(alertname, ()))
        return found.pop() if len(found) == 1 else None

    def _look_first(self, address: str) -> None:
        """Who gave no answer a moment ago is not asked again: not by those either who waited for a thread."""
        silent = self._silent.get(address)
        if silent is not None and self._seconds() - silent < LEFT_ALONE_FOR:
            raise DeliveryError(f"Prometheus ({_host(address)}) gave no answer a moment ago")

    async def names(self, address: str) -> frozenset[str]:
        """Every metric it has now, by name."""
        return await self._ask(address, partial(self._all_names, address))

    async def _ask(self, address: str, work: Callable[[], T]) -> T:
        self._look_first(address)

        def ask() -> T:
            self._look_first(address)
            return work()

        if self._waiting >= WAITING_MAX:
            raise DeliveryError("too many questions wait for Prometheus")
        self._waiting += 1
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except Silent:
            self._silent[address] = self._seconds()
            raise
        finally:
            self._waiting -= 1
        self._silent.pop(address, None)
        return found

    # --- in a thread ----------------------------------------------------------------------------------------------

    def _instant(self, address: str, promql: str, at: float) -> list[Sample]:
        def ask(client: Any) -> Any:
            return client.custom_query(promql, params={"time": f"{at:.3f}", **self._limits()})

        found = self._answer(address, ask)
        if found and not isinstance(found[0], dict):  # a scalar: [when, value]
            return [Sample({}, _number(found[1] if len(found) > 1 else None))]
        return [
            Sample(_labels(one), _number((one.get("value") or (0, None))[1]))
            for one in _dicts(found)
        ]

    def _over(self, address: str, promql: str, window: Window) -> list[Series]:
        lasts = (window.end - window.start).total_seconds()
        if lasts > RANGE_MAX.total_seconds() + window.step:
            raise DeliveryError(f"the range is longer than {RANGE_MAX.days} days", permanent=True)
        step = max(window.step, math.ceil(lasts / (POINTS_MAX - 1)), 1)

        def ask(client: Any) -> Any:
            return client.custom_query_range(
                promql, window.start, window.end, str(step), params=self._limits()
            )

        return [
            Series(_labels(one), [_point(two) for two in (one.get("values") or ())[:POINTS_MAX]])
            for one in _dicts(self._answer(address, ask))
        ]

    def _all_rules(self, address: str) -> dict[str, list[str]]:
        return _rules(self._got(address, "/api/v1/rules?type=alert"))

    def _all_names(self, address: str) -> frozenset[str]:
        found = self._got(address, "/api/v1/label/__name__/values")
        names = found.get("data") if isinstance(found, dict) else None
        if not isinstance(names, list):
            raise Silent("it does not answer as a Prometheus does")
        return frozenset(str(name) for name in names)

    def _got(self, address: str, path: str) -> Any:
        with _Bounded(self._within) as session:
            answer = _told(session, lambda: session.get(f"{address.rstrip('/')}{path}"))
        if answer.status_code != requests.codes.ok:
            raise DeliveryError(f"{_host(address)} answered {answer.status_code}", permanent=True)
        return _decoded(answer.content)

    def _limits(self) -> dict[str, str]:
        """What the server is to keep to by itself; older ones do not know `limit` and pass it over."""
        return {"timeout": f"{self._within:g}s", "limit": str(SERIES_READ)}

    def _answer(self, address: str, ask: Callable[[Any], Any]) -> list[Any]:
        """One question with a session of its own, so that threads share nothing; tried once."""
        from prometheus_api_client import PrometheusConnect
        from prometheus_api_client.exceptions import PrometheusApiClientException

        with _Bounded(self._within) as session:
            client = PrometheusConnect(
                address.rstrip("/"),
                session=session,
                retry=urllib3.Retry(total=0),
                timeout=WITHIN,
            )
            try:
                found = _told(session, lambda: ask(client))
            except PrometheusApiClientException as error:
                raise _refused(session.status, session.body, address) from error
        return found[: SERIES_READ * 2] if isinstance(found, list) else []


class Silent(DeliveryError):  # noqa: N818 - what a Prometheus is, told like any refusal
    """No answer, or none that can be read: the next question may be spared."""


class _Bounded(requests.Session):
    """A session whose answers end by a time and by a size, whatever the other side sends; no proxies, no redirects."""

    def __init__(self, within: float) -> None:
        super().__init__()
        self.trust_env = False
        self.within = within
        self._until = time.monotonic() + within
        self.status, self.body = 0, b""

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._until - 0.05

    def request(self, method: Any, url: Any, *args: Any, **given: Any) -> requests.Response:
        given |= {"stream": True, "allow_redirects": False}
        given["timeout"] = max(0.01, self._until - time.monotonic())
        answer = super().request(method, url, *args, **given)
        with answer:
            body = bytearray()
            while piece := answer.raw.read1(PIECE, decode_content=True):
                body += piece
                if len(body) > BODY_MAX:
                    raise DeliveryError(
                        f"the answer is larger than {BODY_MAX >> 20} MiB: narrow the query",
                        permanent=True,
                    )
                if time.monotonic() > self._until:
                    raise requests.Timeout
        answer._content = bytes(body)  # what `.content` answers once it was read
        self.status, self.body = answer.status_code, bytes(body)
        return answer


def _told(session: _Bounded, ask: Callable[[], T]) -> T:
    """The answer, or one sentence about why there is none."""
    try:
        return ask()
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        if isinstance(error, requests.Timeout) or session.is_over:
            raise Silent(f"Prometheus gave no answer in {session.within:g} s") from error
        if isinstance(error, ValueError):
            raise Silent("it does not answer as a Prometheus does") from error
        raise Silent("Prometheus cannot be reached") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Silent("it does not answer as a Prometheus does") from error


def _refused(status: int, body: bytes, address: str) -> DeliveryError:
    """Prometheus's own words for a query it does not run; a 5xx of a proxy in front is silence."""
    try:
        said = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return Silent(f"Prometheus ({_host(address)}) answered {status}")
    if status == 503 or "timed out" in said or "timeout" in said:
        return DeliveryError("the query took too long there and was ended", permanent=True)
    return DeliveryError(f"Prometheus says: {said[:ERROR_SHOWN]}", permanent=True)


def _bounded(promql: str) -> str:
    if not promql.strip():
        raise DeliveryError("the query is empty", permanent=True)
    if len(promql) > EXPRESSION_LIMIT:
        raise DeliveryError(
            f"the query is longer than {EXPRESSION_LIMIT:,} characters", permanent=True
        )
    return promql


def _dicts(found: Sequence[Any]) -> list[dict[str, Any]]:
    return [one for one in found[:SERIES_READ] if isinstance(one, dict)]


def _labels(one: Mapping[str, Any]) -> dict[str, str]:
    given = one.get("metric")
    pairs: Iterable[tuple[Any, Any]] = given.items() if isinstance(given, dict) else ()
    return {str(k)[:TEXT_MAX]: str(v)[:TEXT_MAX] for k, v in list(pairs)[:LABELS_READ]}


def _point(pair: Any) -> tuple[float, float]:
    if not isinstance(pair, list) or len(pair) != 2:
        return (0.0, math.nan)
    return (_number(pair[0]), _number(pair[1]))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Silent("it does not answer as a Prometheus does") from error


def _rules(data: Any) -> dict[str, list[str]]:
    """By alert name: the expressions of the alerting rules."""
    found: dict[str, list[str]] = {}
    try:
        groups = data["data"]["groups"]
        rules = [rule for group in groups for rule in group.get("rules", ())]
        for rule in rules:
            if rule.get("type", "alerting") == "alerting":
                found.setdefault(str(rule["name"]), []).append(str(rule["query"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise Silent("it does not answer as a Prometheus does") from error
    return {
        name: [one for one in queries if len(one) <= EXPRESSION_LIMIT]
        for name, queries in found.items()
    }


def _host(address: str) -> str:
    """Host and port; a login in the address stays hidden."""
    return urlsplit(address).netloc.rpartition("@")[2][:100]
