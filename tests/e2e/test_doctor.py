"""init and doctor as a newcomer meets them: the real command, a strict Slack, Debian's Alertmanager and Prometheus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

from oncall_bot.prometheus.checkup import alertmanagers_of
from oncall_bot.slack.manifest import manifest
from tests.e2e.test_real_prometheus import alertmanager, prometheus
from tests.e2e.world import REPOSITORY, free_port, wait_until


def oncall(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "oncall_bot", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def checks(folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    _, out, err = oncall(folder, "doctor", "--json", env=env)
    assert out, err
    return {one["name"]: one for one in json.loads(out)["checks"]}


def test_from_init_to_green_with_real_alertmanager_and_prometheus(
    tmp_path: Path, slackcheck: ModuleType
) -> None:
    """What doctor tells to do is done, one thing after the other, until nothing is red."""
    am, prom, bot = free_port(), free_port(), free_port()
    (tmp_path / "rules.yml").write_text("groups: []\n")
    code, _, err = oncall(
        tmp_path,
        "init",
        *("--person", "Alice Adams <alice@example.com>", "--zone", "Europe/Berlin"),
        *("--channel", "#incidents", "--push", "ntfy.example.com"),
        *("--alertmanager", f"http://127.0.0.1:{am}", "--prometheus", f"http://127.0.0.1:{prom}"),
    )
    assert code == 0, err
    lines = (tmp_path / ".env").read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    env["ONCALL_PORT"] = str(bot)

    first = checks(tmp_path, {})
    assert first[".env"]["state"] == "fail"
    away = checks(tmp_path, env)
    assert away["prometheus default"]["state"] == away["alertmanager default"]["state"] == "fail"

    elsewhere = f"http://127.0.0.1:{bot}/elsewhere"
    ours = f"http://127.0.0.1:{bot}/webhook/alertmanager"
    app = slackcheck.App.from_manifest(manifest())
    thread = slackcheck.Thread(app=app)
    with closing(thread.loop), thread as slack, prometheus(tmp_path, prom, am):
        env |= {
            "ONCALL_SLACK_BOT_TOKEN": app.bot_token,
            "ONCALL_SLACK_APP_TOKEN": app.app_token,
            "ONCALL_SLACK_API_URL": slack.api,
            "ONCALL_PUBLIC_URL": "https://oncall.example.com",
        }
        with alertmanager(tmp_path, am, elsewhere):
            told = checks(tmp_path, env)["alertmanager default"]
            assert told["state"] == "fail"
            assert "/webhook/alertmanager" in told["mend"]
        with alertmanager(tmp_path, am, ours):
            base = (
                f"http://127.0.0.1:{prom}"  # Prometheus takes some seconds to settle on its targets
            )
            wait_until(lambda: alertmanagers_of(base), 20)
            code, out, err = oncall(tmp_path, "doctor", "--json", env=env)
            found = {one["name"]: one for one in json.loads(out)["checks"]}
            assert not [one for one in found.values() if one["state"] == "fail"], out
            assert code == 0, err
            assert found["slack"]["state"] == "ok"
            posts = found["alertmanager default"]["what"]
            assert "with a token (nothing answers there now: start serve)" in posts
            assert f"sends alerts to 127.0.0.1:{am}" in found["prometheus default"]["what"]
        assert not thread.server.violations
