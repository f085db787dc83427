"""What doctor looks at elsewhere: Slack, Prometheus, Alertmanager, the model. Only what is configured is asked.

Knows what each answer means and what to do. Refuses to wait: every question is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oncall_bot.cli.findings import Check, Finding, fail, ok, warn
from oncall_bot.ports import DeliveryError

if TYPE_CHECKING:
    from oncall_bot.core.config import Config
    from oncall_bot.files.alertmanager_yml import Hook
    from oncall_bot.settings import Settings

ASK_WITHIN = 4.0
CLOCK_NOTED, CLOCK_WRONG = 5, 60  # seconds; Slack tells whole ones
ALERTING = """\
alerting:
  alertmanagers:
    - static_configs: [{targets: ["localhost:9093"]}]
"""


def checks(settings: Settings, config: Config, now: datetime) -> Iterator[tuple[str, Check]]:
    """A check for each address and each token there is."""
    yield "slack", partial(slack, settings, config, now)
    for source, url in _prometheus_addresses(settings, config):
        yield f"prometheus {source}", partial(prometheus, source, url)
    yield from _unset(settings, config)
    for source, url in _alertmanager_addresses(settings, config):
        yield f"alertmanager {source}", partial(alertmanager, source, url, base_url(settings))
    yield "model", partial(model, settings)
    yield "heartbeat", partial(heartbeat, settings)


def slack(settings: Settings, config: Config, now: datetime) -> list[Finding]:
    if settings.slack_bot_token is None:
        mend = "create the app with the link of oncall-bot init, and set its two tokens"
        return [warn("slack", "off; pages go by the other roads only", mend)]
    from oncall_bot.slack import checkup

    app = settings.slack_app_token
    look = checkup.look(
        settings.slack_bot_token.get_secret_value(),
        settings.slack_api_url,
        app.get_secret_value() if app else "",
        _channels(settings, config),
    )
    try:
        found = asyncio.run(look)
    except DeliveryError as error:
        mend = (
            "copy the token again from the app's page at api.slack.com/apps"
            if error.permanent
            else f"can this machine reach {_host(settings.slack_api_url)}?"
        )
        return [fail("slack", str(error).rstrip("."), mend)]
    if found.missing:
        mend = "paste docs/reference/slack-manifest.json as the app's manifest and install it again"
        return [fail("slack", f"scopes not granted: {', '.join(found.missing)}", mend)]
    mode = "Socket Mode" if settings.slack_mode == "socket" else "HTTP mode"
    granted = "" if found.missing is not None else "; it did not say which scopes are granted"
    here = [ok("slack", f"{found.bot} in {found.workspace}, {mode}{granted}")]
    return here + _rooms(found.unseen) + _slack_clock(found.said_at, now)


def _rooms(unseen: Sequence[str]) -> list[Finding]:
    if not unseen:
        return []
    mend = "create it, correct its name in oncall.yaml, or in a private one: /invite @oncall-bot"
    return [fail("slack rooms", f"the bot sees no {', '.join(unseen)}", mend)]


def _slack_clock(said_at: datetime | None, now: datetime) -> list[Finding]:
    """SQLite has no clock of its own to compare with, and signed links and shifts need a right one."""
    if said_at is None:
        return []
    seconds = (now - said_at).total_seconds()
    if abs(seconds) < CLOCK_NOTED:
        return []
    what = f"this machine is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} Slack"
    judge = fail if abs(seconds) > CLOCK_WRONG else warn
    return [judge("slack clock", what, "let the machine keep time with NTP")]


def _channels(settings: Settings, config: Config) -> list[str]:
    """Every channel by name that incidents may be told in."""
    named = [config.defaults.channel, *(team.channel for team in config.teams.values())]
    named += [settings.channel] if not config.people else []
    return list(dict.fromkeys(name for name in named if name and name.startswith("#")))


def _unset(settings: Settings, config: Config) -> Iterator[tuple[str, Check]]:
    """What is not configured and would be missed."""
    if next(_alertmanager_addresses(settings, config), None) is None:
        mend = "set ONCALL_ALERTMANAGER_URL: an end that is never told is found by asking there"
        yield (
            "alertmanager",
            lambda: [warn("alertmanager", "no address; nobody asks what still fires", mend)],
        )
    if next(_prometheus_addresses(settings, config), None) is None:
        told = "set ONCALL_PROMETHEUS_URL to have it looked at here"
        yield (
            "prometheus",
            lambda: [warn("prometheus", "no address; whether it sends here is not known", told)],
        )


def prometheus(source: str, url: str) -> list[Finding]:
    from oncall_bot.prometheus import checkup

    name = f"prometheus {source}"
    try:
        checkup.answers_queries(url, ASK_WITHIN / 2)
    except DeliveryError as error:
        return [fail(name, str(error).rstrip("."), "look at its log; paging does not need it")]
    sends_to = checkup.alertmanagers_of(url, ASK_WITHIN / 2)
    if sends_to == ():
        mend = "paste this into its configuration:\n" + _indented(ALERTING)
        return [fail(name, f"{_host(url)} answers, but sends alerts to no Alertmanager", mend)]
    more = f" and sends alerts to {', '.join(sends_to)}" if sends_to else ""
    return [ok(name, f"{_host(url)} answers{more}")]


def alertmanager(source: str, url: str, base: str) -> list[Finding]:
    from oncall_bot.files.alertmanager_yml import HIDDEN, read_hooks
    from oncall_bot.prometheus import checkup

    name = f"alertmanager {source}"
    try:
        found = checkup.look(url, ASK_WITHIN)
    except DeliveryError as error:
        mend = "is it up, and the address right? an end that is never told is found by asking there"
        return [fail(name, str(error).rstrip("."), mend)]
    who = f"{_host(url)} ({found.version})" if found.version else _host(url)
    hooks = read_hooks(found.config)
    if ours := [hook for hook in hooks if urlsplit(hook.url).path.rstrip("/") == _path()]:
        return [_hook(name, who, hook, base) for hook in ours]
    if hidden := list(dict.fromkeys(hook.receiver for hook in hooks if hook.url == HIDDEN)):
        mend = f"look there for {base}{_path()}, or fire a test alert: amtool alert add alertname=Trial"
        what = f"hides where its webhooks point ({', '.join(hidden[:5])}), as 0.26 and newer do"
        return [warn(name, f"{who} answers, but {what}", mend)]
    mend = "paste this into its configuration:\n" + _indented(checkup.snippet(base))
    return [fail(name, f"{who} answers, but no receiver there posts to this bot", mend)]


def _hook(name: str, who: str, hook: Hook, base: str) -> Finding:
    """One receiver that posts here, by the worst that is wrong with it."""
    from oncall_bot.prometheus import checkup

    answer = f"{who} posts to {_host(hook.url)}"
    if not hook.credential:
        mend = f"give receiver {hook.receiver} the token:\n" + _indented(checkup.snippet(base))
        return fail(name, f"{answer} without a token: all of it is refused", mend)
    if not hook.routed:
        mend = f"name receiver {hook.receiver} in the top route, or in one of its routes"
        return fail(name, f"{answer}, but no route leads to that receiver", mend)
    if not hook.sends_resolved:
        mend = f"remove send_resolved: false from receiver {hook.receiver}"
        return warn(name, f"{answer}, but never tells an end", mend)
    if hook.max_alerts:
        mend = f"remove max_alerts from receiver {hook.receiver}: a cut group may hide what fires"
        return warn(name, f"{answer}, but at most {hook.max_alerts} alerts at once", mend)
    if not checkup.is_answered(hook.url, ASK_WITHIN / 2):
        return ok(name, f"{answer} with a token (nothing answers there now: start serve)")
    return ok(name, f"{answer} with a token, and the bot answers there")


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
