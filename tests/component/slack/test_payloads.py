"""Slack's published types and the design kit's lint take every payload we draw."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.shared import shared
from tests.unit.slack.payloads import cases

CASES = cases()
SEVERAL_MARKS = {"dm-bundle"}


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
