"""Ask a Prometheus for one number.

Knows prometheus-api-client; refuses to wait for ever. Serves doctor and live checks.

Blocking: call it from a thread. The library's default is no timeout and four slow tries on a 503; both are cut here.
"""

from __future__ import annotations

from datetime import datetime

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.adapters import Retry

from oncall_bot.ports import DeliveryError

TIMEOUT = 5
QUERY_MAX = 4096


class PrometheusMetrics:
    def __init__(self, url: str, *, timeout: int = TIMEOUT) -> None:
        session = requests.Session()
        session.trust_env = False
        retry = Retry(total=1)
        self._client = PrometheusConnect(url=url, session=session, retry=retry, timeout=timeout)

    def value(self, promql: str, *, at: datetime) -> float | None:
        """The query's first sample at that instant, or None when it selects nothing."""
        if len(promql) > QUERY_MAX:
            raise DeliveryError("The query is too long.", permanent=True)
        try:
            found = self._client.custom_query(promql, params={"time": at.timestamp()})
        except (PrometheusApiClientException, requests.RequestException) as error:
            raise DeliveryError(f"Prometheus did not answer: {type(error).__name__}.") from error
        if not found:
            return None
        sample = found[0]["value"] if isinstance(found[0], dict) else found
        return float(sample[1])
