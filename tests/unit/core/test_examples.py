"""For every route that an alert can reach there are labels that reach it, and urgent ones where there are any."""

from __future__ import annotations

import pytest

from oncall_bot.core.config import Config
from oncall_bot.core.documents import config_of, normalised
from oncall_bot.core.examples import example_labels, way_of


def config(*routes: dict[str, object]) -> Config:
    document = {
        "version": 1,
        "people": {"ana": {"name": "Ana"}},
        "teams": {"shop": {"members": ["ana"]}},
        "services": {
            "checkout": {"team": "shop", "policy": "first", "label_values": ["checkout-api"]}
        },
        "policies": {"first": {"steps": [{"after": "0m", "page": ["person:ana"]}]}},
        "severities": {
            "page": {"incident": "SEV1", "urgency": "high"},
            "warning": {"incident": "SEV4", "urgency": "low"},
            "default": "warning",
        },
        "routes": [*routes, {"name": "rest", "policy": "first"}],
    }
    return config_of(normalised(document))


@pytest.mark.parametrize(
    "match",
    [
        ['service="checkout-api"', 'severity="page"'],
        ['service=~"checkout.*"'],
        ['team=~"(shop|search)"', 'env!="test"'],
        ['alertname=~"Kube.+Down"'],
        ['namespace!~"kube-.*"', 'cluster=""'],
        ['app=~"front\\\\.end|back"'],
    ],
)
def test_a_route_has_labels_that_lead_to_it(match: list[str]) -> None:
    found = config({"name": "mine", "match": match, "policy": "first"})
    labels = example_labels(found, found.routes[0])
    assert labels is not None
    way = way_of(found, found.routes[0], labels)
    assert way is not None
    assert way.severity.urgency == "high"


def test_the_last_route_gets_what_no_other_takes() -> None:
    found = config({"name": "mine", "match": ['severity="page"'], "policy": "first"})
    labels = example_labels(found, found.routes[1])
    assert labels is not None
    assert labels["severity"] != "page"


def test_a_route_that_another_hides_has_no_example() -> None:
    found = config(
        {"name": "first", "match": ['team="shop"'], "policy": "first"},
        {"name": "hidden", "match": ['team="shop"', 'env="prod"'], "policy": "first"},
    )
    assert example_labels(found, found.routes[1]) is None
