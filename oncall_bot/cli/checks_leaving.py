"""What leaves the house by this configuration: every destination, and which classes of text go there.

Knows what each edge sends. Refuses to ask anybody and to show a secret: of an address only the host is shown, if it
has one. Serves doctor; whoever has to answer for the data reads this list.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oncall_bot.cli.findings import Finding, ok

if TYPE_CHECKING:
    from oncall_bot.core.config import Channel, Config, Llm
    from oncall_bot.settings import Settings

OPENAI = "https://api.openai.com/v1"
WITH_HOST = frozenset(
    {"ntfy", "ntfys", "mailto", "mailtos", "json", "jsons", "webhook+http", "webhook+https"}
    | {"http", "https", "gotify", "gotifys"}
)
"""Schemes whose host is a host; in others a token may stand there."""

CARDS = (
    "incidents as cards and threads: titles, labels and annotations of alerts, names of people, runbook steps, "
    "suggested texts; and what people write to the bot is read"
)
PAGE = (
    "severity, title, service, what fires, a signed link to acknowledge; the address of the person"
)


def leaving(settings: Settings, config: Config) -> list[Finding]:
    """One line for each destination, and one that says that there are no others."""
    found = [*_slack(settings), *_roads(config), *_asked(settings, config)]
    found += [*_heartbeat(settings), *_model(settings, config.llm)]
    found.append(
        ok(
            "nothing else",
            "no usage figures, no update check; addresses in alerts are never fetched",
        )
    )
    return found


def _slack(settings: Settings) -> Iterator[Finding]:
    if settings.slack_bot_token is None:
        yield ok("to Slack", "nothing: no tokens are set")
        return
    yield ok("to Slack", f"{_host(settings.slack_api_url)}: {CARDS}")


def _roads(config: Config) -> Iterator[Finding]:
    for key, channel in config.channels.items():
        yield ok(f"to {key}", f"{_provider(channel)}: {PAGE}")


def _provider(channel: Channel) -> str:
    """The road's scheme, and its host where the scheme has one; the file of an address is looked into for that."""
    given = os.environ.get(channel.url_env) if channel.url_env else _first_line(channel.url_file)
    url = channel.url or given
    if url is None:
        return "an address that cannot be read now"
    scheme, _, rest = url.partition("://")
    scheme = scheme.casefold()
    if not rest or not scheme.replace("+", "").isalnum():
        return "an address without a scheme"
    host = _host(url) if scheme in WITH_HOST and "{" not in _host(url) else ""
    return f"{scheme} at {host}" if host else scheme


def _first_line(path: str | None) -> str | None:
    try:
        lines = Path(path or "").read_text(encoding="utf-8").split()
    except (OSError, UnicodeError):
        return None
    return lines[0] if lines else None


def _asked(settings: Settings, config: Config) -> Iterator[Finding]:
    """Those that are asked: only questions go there."""
    prometheus = [settings.prometheus_url, *(s.prometheus for s in config.sources.values())]
    alertmanager = [settings.alertmanager_url]
    alertmanager += [url for s in config.sources.values() for url in s.alertmanager]
    for url in dict.fromkeys(filter(None, prometheus)):
        what = "expressions of alert rules, of live checks in runbooks and of people, with label values filled in"
        yield ok("to Prometheus", f"{_host(url)}: {what}")
    for url in dict.fromkeys(filter(None, alertmanager)):
        yield ok("to Alertmanager", f"{_host(url)}: the question what fires, nothing of ours")


def _heartbeat(settings: Settings) -> Iterator[Finding]:
    if settings.heartbeat_url is not None:
        url = settings.heartbeat_url
        secret = url.get_secret_value() if hasattr(url, "get_secret_value") else str(url)
        yield ok("to the heartbeat", f"{_host(secret)}: one empty request a minute")


def _model(settings: Settings, llm: Llm) -> Iterator[Finding]:
    if not settings.llm_is_on or settings.llm_model is None:
        yield ok("to a model", "nothing: no model is named")
        return
    where = _host(settings.llm_base_url or OPENAI)
    yield ok(
        "to a model",
        f"{where} ({settings.llm_model}): titles, severity, services, computed figures, names of those who took part, "
        "and timeline entries (chat, notes, steps, states, deploys, readings), secrets blacked out",
    )
    yield ok("not to a model", _kept_back(llm))
    yield ok("model limits", _limits(llm))


def _kept_back(llm: Llm) -> str:
    labels = f"; labels {', '.join(llm.never_labels)} never" if llm.never_labels else ""
    return (
        "text from outside (annotations, webhooks, quoted customers) goes as its kind and length only; "
        f"contacts of people, tokens and the configuration never{labels}"
    )


def _limits(llm: Llm) -> str:
    cap = f", at most {llm.daily_cap} a day" if llm.daily_cap else ", no daily cap is set"
    return f"{_which(llm)}{cap}"


def _which(llm: Llm) -> str:
    """Of which incidents a model may be told; an empty list lets none out."""
    if llm.sends is None:
        return "for every incident that is not private"
    sends = ", ".join(one.removeprefix("severity:") for one in llm.sends)
    return f"only for {sends}" if sends else "for no incident"


def _host(url: str) -> str:
    """Host and port; a login in the address stays hidden."""
    return urlsplit(url).netloc.rpartition("@")[2]
