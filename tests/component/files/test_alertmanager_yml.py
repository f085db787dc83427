"""What is read in an Alertmanager's configuration: who posts where, with what, whether a route leads there."""

from __future__ import annotations

import pytest

from oncall_bot.files.alertmanager_yml import Hook, read_hooks
from oncall_bot.prometheus.checkup import snippet

URL = "http://bot:8080/webhook/alertmanager"
CONFIG = """\
route:
  receiver: default
  routes:
  - matchers: [team="shop"]
    routes:
    - receiver: oncall-bot
receivers:
- name: default
  email_configs:
  - to: ops@example.com
- name: oncall-bot
  webhook_configs:
  - send_resolved: true
    http_config:
      authorization:
        type: Bearer
        credentials: <secret>
    url: http://bot:8080/webhook/alertmanager
    max_alerts: 0
"""


def test_a_webhook_is_found_with_all_that_matters_of_it() -> None:
    assert read_hooks(CONFIG) == (Hook("oncall-bot", URL, credential="bearer"),)


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ("receiver: oncall-bot", "receiver: default", {"routed": False}),
        ("send_resolved: true", "send_resolved: false", {"sends_resolved": False}),
        ("max_alerts: 0", "max_alerts: 7", {"max_alerts": 7}),
        ("authorization:", "proxy:", {"credential": ""}),
        ("authorization:", "basic_auth:", {"credential": "basic_auth"}),
        ("authorization:", "oauth2:", {"credential": "oauth2"}),
        (URL, "<secret>", {"url": "<secret>"}),
    ],
)
def test_each_thing_that_can_be_wrong_shows(
    before: str, after: str, wrong: dict[str, object]
) -> None:
    (hook,) = read_hooks(CONFIG.replace(before, after))
    sound = {"receiver": "oncall-bot", "url": URL, "credential": "bearer"}
    assert hook == Hook(**{**sound, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n",
        "route: [\n",
        "receivers: 5\n",
        "a: &a [*a]\n",
        "receivers: [{webhook_configs: 1}]",
    ],
)
def test_a_text_that_is_no_such_configuration_has_no_webhook(text: str) -> None:
    assert read_hooks(text) == ()


def test_what_we_say_to_paste_would_be_found_as_it_should_be() -> None:
    (hook,) = read_hooks(snippet("https://oncall.example.com/"))
    url = "https://oncall.example.com/webhook/alertmanager"
    assert hook == Hook("oncall-bot", url, credential="bearer")
