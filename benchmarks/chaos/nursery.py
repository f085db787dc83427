"""Quick births: a parent that has loaded the bot's code once and forks a `serve` for each new life.

Most of a start is loading code, some seconds where two cores are busy; three hundred deaths would be an hour of
loading. A life forked here runs the same `serve` from its first line, in a process of its own, and dies as any other.
Starts are measured without it. Serves the kills and the end-to-end tests, which talk to it by lines of JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1


class Born:
    """A process that is nobody's child here; as much of Popen as is needed."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._handle = os.pidfd_open(pid)
        self._status: int | None = None

    def poll(self) -> int | None:
        return self._exit_status() if self._gone(0) else None

    def wait(self, timeout: float) -> int:
        if not self._gone(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return self._exit_status()

    @property
    def returncode(self) -> int | None:
        return self._status

    def _exit_status(self) -> int:
        if self._status is None:
            self._status = self._nursery.status(self.pid)
        return self._status

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        if not self._gone(0):
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _gone(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._handle], [], [], timeout)
        return bool(ready)

    def __del__(self) -> None:
        os.close(self._handle)


class Nursery:
    """The parent process, seen from the driver."""

    def __init__(self, root: Path) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ONCALL_")}
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.chaos.nursery"],
            cwd=root,
            env=clean,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._asking = threading.Lock()
        assert self._parent.stdout is not None
        self._parent.stdout.readline()  # it has loaded everything

    def bear(self, env: Mapping[str, str], folder: Path, log: Path) -> Born:
        """A new life, with just this environment, in this folder; what it says is added to the log."""
        return Born(self, self._ask({"env": dict(env), "folder": str(folder), "log": str(log)}))

    def status(self, pid: int) -> int:
        """How a life ended, as Popen says it; waits for the end."""
        return self._ask({"ended": pid})

    def _ask(self, wish: Mapping[str, object]) -> int:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        with self._asking:
            self._parent.stdin.write(json.dumps(wish) + "\n")
            self._parent.stdin.flush()
            return int(self._parent.stdout.readline())

    def close(self) -> None:
        with self._parent:  # closes its pipes and waits
            self._parent.terminate()


def main() -> None:
    import gc

    import oncall_bot.app
    import oncall_bot.cli.serving
    import oncall_bot.telemetry.logs  # noqa: F401 - loaded for the children

    gc.freeze()
    sys.stdout.write("loaded\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(f"{_answer(json.loads(line))}\n")
        sys.stdout.flush()


def _answer(wish: dict[str, object]) -> int:
    """The pid of a new life, or how one ended."""
    if "ended" in wish:
        _, status = os.waitpid(int(str(wish["ended"])), 0)
        return os.waitstatus_to_exitcode(status)
    pid = os.fork()
    if pid == 0:
        _live(wish)
    return pid


def _die_with_the_parent() -> None:
    """Linux: nobody outlives a run that was interrupted."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _live(wish: dict[str, object]) -> None:
    """The child: its environment, its log, then `serve` until the end."""
    os.setsid()
    _die_with_the_parent()
    log = os.open(str(wish["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    env = wish["env"]
    assert isinstance(env, dict)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(str(wish["folder"]))
    from oncall_bot.cli import main as command

    sys.argv = ["oncall-bot", "serve"]
    status: object = 1
    try:
        command()
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    main()
