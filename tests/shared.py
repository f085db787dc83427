"""Where shared acceptance data lies, if it lies anywhere.

Set ONCALL_SHARED, or keep a folder `shared` beside the checkout. Tests that need it skip and say so;
with ONCALL_REQUIRE_REAL=1 a missing folder is a failure, so that CI cannot pass by skipping.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REQUIRE_REAL = os.environ.get("ONCALL_REQUIRE_REAL") == "1"


def _find() -> Path | None:
    named = os.environ.get("ONCALL_SHARED")
    beside = Path(__file__).resolve().parents[2] / "shared"
    for folder in ([Path(named)] if named else []) + [beside]:
        if (folder / "data").is_dir():
            return folder
    return None


SHARED = _find()


def missing(what: str) -> None:
    """Skip the test loudly, or fail it where the real thing is required."""
    if REQUIRE_REAL:
        pytest.fail(f"{what} is required here (ONCALL_REQUIRE_REAL=1) and was not found")
    pytest.skip(f"SKIPPED FOR WANT OF {what}")


def shared(path: str) -> Path:
    """The shared file or folder at `path`."""
    if SHARED is None or not (SHARED / path).exists():
        missing(f"shared/{path}")
        raise AssertionError
    return SHARED / path
