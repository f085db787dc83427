"""Does Prometheus answer; does an Alertmanager, and does its configuration post to us? One look, for doctor.

Knows `GET /api/v1/query`, `GET /api/v2/status` and how receivers stand in the text of its configuration, where
newer versions hide addresses. Refuses to parse YAML: a line with our path is enough. Changes nothing there. Blocking.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from oncall_bot.ports import DeliveryError
from oncall_bot.prometheus.webhook import PATH

WITHIN = 4.0
STATUS_MAX = 8 * 1024 * 1024
HIDDEN = "<secret>"

_RECEIVER_URL = re.compile(r"^\s*(?:-\s+)?url:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
_UNRESOLVED = re.compile(r"^\s*(?:-\s+)?send_resolved:\s*false", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AlertmanagerFound:
    """`posts_to`: the addresses with our path. `hidden`: some address of a receiver is not shown."""

    version: str
    posts_to: tuple[str, ...]
    hidden: bool
    some_without_resolved: bool


class _Status(msgspec.Struct):
    config: dict[str, str] = {}
    versionInfo: dict[str, str] = {}  # noqa: N815 - the wire's own name


def look(address: str, within: float = WITHIN) -> AlertmanagerFound:
    """What the Alertmanager there says of itself. DeliveryError when it does not answer as one."""
    try:
        status = msgspec.convert(_get(address, "/api/v2/status", within), type=_Status)
    except msgspec.ValidationError as error:
        raise DeliveryError("it does not answer as an Alertmanager does") from error
    return found_in(status.config.get("original", ""), status.versionInfo.get("version", ""))


def answers_queries(address: str, within: float = WITHIN) -> None:
    """Whether a Prometheus there answers the smallest query. DeliveryError when it does not. Tried once."""
    answer = _get(address, "/api/v1/query?query=vector(1)", within)
    if not isinstance(answer, dict) or answer.get("status") != "success":
        raise DeliveryError("it does not answer as a Prometheus does")


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


def found_in(config: str, version: str = "") -> AlertmanagerFound:
    """What the text of a configuration says about where alerts go."""
    addresses = _RECEIVER_URL.findall(config)
    return AlertmanagerFound(
        version=version,
        posts_to=tuple(dict.fromkeys(a for a in addresses if urlsplit(a).path.rstrip("/") == PATH)),
        hidden=HIDDEN in addresses,
        some_without_resolved=bool(_UNRESOLVED.search(config)),
    )


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
