"""Slack's published types and the design kit's lint take what we draw, and all that can be pressed is handled."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from oncall_bot.slack.actions import ACTIONS, MENU
from oncall_bot.slack.submissions import FORMS, LISTS
from tests.shared import shared
from tests.unit.slack.payloads import cases, objects

CASES = cases()
SEVERAL_MARKS = {"dm-bundle", "dm-bundle-late", "dm-bundle-over"}


@pytest.fixture(scope="module")
def check() -> Iterator[ModuleType]:
    """The design kit's own lint, with Slack's published types behind it."""
    sys.path.insert(0, str(shared("tools/slackcheck")))
    spec = importlib.util.spec_from_file_location("design_kit_check", shared("design-kit/check.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(shared("tools/slackcheck")))


@pytest.mark.parametrize("name", CASES)
def test_slack_and_the_design_kit_take_it(check: ModuleType, name: str) -> None:
    known = "card-11-" if "hostile" in name else "home-" if name in SEVERAL_MARKS else ""
    assert check.problems(known + name, CASES[name]) == []


def test_every_button_menu_entry_form_and_list_has_its_handler() -> None:
    drawn = [o for case in CASES.values() for o in objects(case["payload"])]
    buttons = {o["action_id"] for o in drawn if o.get("type") in {"button", "overflow"}}
    assert buttons == set(ACTIONS)
    entries = {
        option["value"].partition(":")[2]
        for o in drawn
        if o.get("type") == "overflow"
        for option in o["options"]
    }
    assert entries == set(MENU)
    assert {o["action_id"] for o in drawn if o.get("type") == "external_select"} == set(LISTS)
    assert {o["callback_id"] for o in drawn if o.get("callback_id")} == set(FORMS)
