"""What doctor looks at elsewhere: Slack, Prometheus, Alertmanager, the model. Only what is configured is asked.

Knows what each answer means and what to do. Refuses to wait: every question is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oncall_bot.cli.findings import Check, Finding, fail, ok, warn
from oncall_bot.ports import DeliveryError

if TYPE_CHECKING:
    from oncall_bot.core.config import Config
    from oncall_bot.settings import Settings

ASK_WITHIN = 4.0


def checks(settings: Settings, config: Config) -> Iterator[tuple[str, Check]]:
    """A check for each address and each token there is."""
    yield "slack", partial(slack, settings)
    for source, url in _prometheus_addresses(settings, config):
        yield f"prometheus {source}", partial(prometheus, source, url)
    for source, url in _alertmanager_addresses(settings, config):
        yield f"alertmanager {source}", partial(alertmanager, source, url, base_url(settings))
    yield "model", partial(model, settings)
    yield "heartbeat", partial(heartbeat, settings)


def slack(settings: Settings) -> list[Finding]:
    if settings.slack_bot_token is None:
        return [
            warn(
                "slack", "off; pages go by the other roads only", "oncall-bot init prints the link"
            )
        ]
    from oncall_bot.slack import checkup

    app = settings.slack_app_token
    look = checkup.look(
        settings.slack_bot_token.get_secret_value(),
        settings.slack_api_url,
        app.get_secret_value() if app else "",
    )
    try:
        found = asyncio.run(look)
    except DeliveryError as error:
        mend = (
            "copy the token again from the app's page"
            if error.permanent
            else "is it reachable from here?"
        )
        return [fail("slack", str(error).rstrip("."), mend)]
    if found.missing:
        mend = "paste docs/reference/slack-manifest.json as the app's manifest and install it again"
        return [fail("slack", f"scopes not granted: {', '.join(found.missing)}", mend)]
    mode = "Socket Mode" if settings.slack_mode == "socket" else "HTTP mode"
    granted = "" if found.missing is not None else "; it did not say which scopes are granted"
    return [ok("slack", f"{found.bot} in {found.workspace}, {mode}{granted}")]


def prometheus(source: str, url: str) -> list[Finding]:
    from oncall_bot.prometheus import checkup

    name = f"prometheus {source}"
    try:
        checkup.answers_queries(url, ASK_WITHIN)
    except DeliveryError as error:
        return [fail(name, str(error).rstrip("."), "graphs and live checks need it")]
    return [ok(name, f"{_host(url)} answers")]


def alertmanager(source: str, url: str, base: str) -> list[Finding]:
    from oncall_bot.prometheus import checkup

    name = f"alertmanager {source}"
    try:
        found = checkup.look(url, ASK_WITHIN)
    except DeliveryError as error:
        mend = "without it an end that is never told is never noticed"
        return [fail(name, str(error).rstrip("."), mend)]
    who = f"{_host(url)} ({found.version})" if found.version else _host(url)
    if found.posts_to:
        quiet = "some receiver there has send_resolved: false; ours must not"
        answer = f"{who} posts to {', '.join(_host(one) for one in found.posts_to)}"
        return [warn(name, answer, quiet) if found.some_without_resolved else ok(name, answer)]
    if found.hidden:
        mend = f"look there for {base}{_path()}, or fire a test alert"
        return [warn(name, f"{who} answers, but hides where its webhooks point", mend)]
    mend = "paste this into its configuration:\n" + _indented(checkup.snippet(base))
    return [fail(name, f"{who} answers, but no receiver there posts to this bot", mend)]


def model(settings: Settings) -> list[Finding]:
    if settings.llm_model is None:
        return [ok("model", "none; drafts hold the facts alone")]
    from oncall_bot.llm import checkup

    key = settings.llm_api_key
    base = settings.llm_base_url or "https://api.openai.com/v1"
    try:
        listed = checkup.look(
            base, key.get_secret_value() if key else "", settings.llm_model, ASK_WITHIN
        )
    except DeliveryError as error:
        return [
            fail(
                "model",
                f"{_host(base)}: {str(error).rstrip('.')}",
                "drafts hold the facts alone till then",
            )
        ]
    if listed is False:
        what = f"{_host(base)} does not list {settings.llm_model}"
        return [warn("model", what, "is ONCALL_LLM_MODEL spelt as the server spells it?")]
    return [ok("model", f"{_host(base)} answers")]


def heartbeat(settings: Settings) -> list[Finding]:
    if settings.heartbeat_url is None:
        mend = "set ONCALL_HEARTBEAT_URL to a monitor elsewhere that alarms when the calls stop"
        return [warn("heartbeat", "nobody notices when this machine dies", mend)]
    return [ok("heartbeat", "set; it is called every minute while the bot's own checks pass")]


def base_url(settings: Settings) -> str:
    """Where Alertmanager reaches us, as far as it can be told."""
    import socket

    if settings.public_url:
        return settings.public_url
    host = settings.host
    if host in ("0.0.0.0", "::", "127.0.0.1", "localhost"):  # noqa: S104 - compared, not bound
        host = socket.gethostname()
    return f"http://{host}:{settings.port}"


def _prometheus_addresses(settings: Settings, config: Config) -> Iterator[tuple[str, str]]:
    if settings.prometheus_url:
        yield "default", settings.prometheus_url
    for key, source in config.sources.items():
        if source.prometheus:
            yield key, source.prometheus


def _alertmanager_addresses(settings: Settings, config: Config) -> Iterator[tuple[str, str]]:
    if settings.alertmanager_url:
        yield "default", settings.alertmanager_url
    for key, source in config.sources.items():
        for address in source.alertmanager:
            yield key, address


def _host(url: str) -> str:
    """Host and port; a login in the address stays hidden."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _path() -> str:
    from oncall_bot.prometheus.webhook import PATH

    return PATH


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
