"""Does Prometheus answer and tell an Alertmanager; does an Alertmanager, and with which configuration? For doctor.

Knows `GET /api/v1/query`, `/api/v1/alertmanagers` and `/api/v2/status`, and what to paste into Alertmanager's file.
Refuses to read that file. Changes nothing there. Blocking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from oncall_bot.ports import DeliveryError
from oncall_bot.prometheus.webhook import PATH

WITHIN = 4.0
STATUS_MAX = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class AlertmanagerFound:
    """`config` is the text of its configuration as it writes it out again, secrets hidden."""

    version: str
    config: str


class _Status(msgspec.Struct):
    config: dict[str, str] = {}
    versionInfo: dict[str, str] = {}  # noqa: N815 - the wire's own name


class _Active(msgspec.Struct):
    activeAlertmanagers: list[dict[str, str]] = []  # noqa: N815 - the wire's own name


class _Discovered(msgspec.Struct):
    data: _Active


def look(address: str, within: float = WITHIN) -> AlertmanagerFound:
    """What the Alertmanager there says of itself. DeliveryError when it does not answer as one."""
    try:
        status = msgspec.convert(_get(address, "/api/v2/status", within), type=_Status)
    except msgspec.ValidationError as error:
        raise DeliveryError("it does not answer as an Alertmanager does") from error
    return AlertmanagerFound(
        status.versionInfo.get("version", ""), status.config.get("original", "")
    )


def answers_queries(address: str, within: float = WITHIN) -> None:
    """Whether a Prometheus there answers the smallest query. DeliveryError when it does not. Tried once."""
    answer = _get(address, "/api/v1/query?query=vector(1)", within)
    if not isinstance(answer, dict) or answer.get("status") != "success":
        raise DeliveryError("it does not answer as a Prometheus does")


def alertmanagers_of(address: str, within: float = WITHIN) -> tuple[str, ...] | None:
    """The hosts to which the Prometheus there sends alerts now; None where it does not say (Thanos, Mimir)."""
    try:
        found = msgspec.convert(_get(address, "/api/v1/alertmanagers", within), type=_Discovered)
    except (DeliveryError, msgspec.ValidationError):
        return None
    return tuple(urlsplit(one.get("url", "")).netloc for one in found.data.activeAlertmanagers)


def is_answered(address: str, within: float = WITHIN) -> bool:
    """Whether a bot answers there from here, by its `/-/healthy`."""
    parts = urlsplit(address)
    try:
        with requests.Session() as session:
            session.trust_env = False
            place = f"{parts.scheme}://{parts.netloc}/-/healthy"
            return session.get(place, timeout=within, allow_redirects=False).status_code == 200
    except requests.RequestException:
        return False


def _get(address: str, path: str, within: float) -> Any:
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{address.rstrip('/')}{path}", timeout=within, allow_redirects=False
            )
        answer.raise_for_status()
        return msgspec.json.decode(answer.content[:STATUS_MAX])
    except requests.HTTPError as error:
        status = error.response.status_code
        raise DeliveryError(f"{_host(address)} answered {status}") from error
    except requests.RequestException as error:
        raise DeliveryError(f"{_host(address)} did not answer: {type(error).__name__}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DeliveryError(f"{_host(address)} did not answer in JSON") from error


def _host(address: str) -> str:
    """Host and port; a login in the address stays hidden."""
    return urlsplit(address).netloc.rpartition("@")[2]


def snippet(base: str) -> str:
    """What to paste into alertmanager.yml, with the token in a file beside it."""
    return f"""\
route:
  receiver: oncall-bot            # or a route of yours that leads to it
  group_by: [alertname, service]  # the bot groups anew by its own routes; few groups are fewer requests
receivers:
  - name: oncall-bot
    webhook_configs:
      - url: {base.rstrip("/")}{PATH}
        send_resolved: true
        max_alerts: 0
        http_config:
          authorization:
            credentials_file: /etc/alertmanager/oncall-bot.token
"""
