"""Does an Alertmanager answer, and does its configuration post to us? One look, for doctor.

Knows `GET /api/v2/status` and how receivers stand in the text of its configuration, where newer versions hide
addresses. Refuses to parse YAML: a line with our path is enough. Changes nothing there. Blocking.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
    url = f"{address.rstrip('/')}/api/v2/status"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=within, allow_redirects=False)
        answer.raise_for_status()
        status = msgspec.json.decode(answer.content[:STATUS_MAX], type=_Status)
    except requests.RequestException as error:
        host = urlsplit(address).netloc.rpartition("@")[2]
        raise DeliveryError(f"{host} did not answer: {type(error).__name__}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DeliveryError("it does not answer as an Alertmanager does") from error
    return found_in(status.config.get("original", ""), status.versionInfo.get("version", ""))


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
