"""A picture as PNG bytes, drawn by a process of its own.

Knows how that process is begun, how long it may take, and that it is begun anew when it ended. Refuses to know pixels.
Blocking, some tens of milliseconds: call it from a thread; while it waits everything else goes on.
Serves engine and slack through `ports.Picture`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

from oncall_bot.core.board import Board
from oncall_bot.core.fairness import Report
from oncall_bot.core.graphs import Graph
from oncall_bot.pictures import schedule, shares
from oncall_bot.pictures.drawing import read, write
from oncall_bot.pictures.graph import svg_of
from oncall_bot.ports import DeliveryError

WITHIN = 10.0
"""Seconds; what is not drawn by then is told in words."""
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment; tokens and passwords are nothing to who draws."""


class PngPictures:
    """Draws one at a time; `close` ends the process."""

    def __init__(self, *, within: float = WITHIN) -> None:
        self._within = within
        self._one = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def draw(self, graph: Graph) -> bytes:
        """The picture. Raises DeliveryError when it cannot be drawn in time."""
        return self._drawn(svg_of(graph))

    def shares(self, found: Report, name: Callable[[str], str]) -> tuple[bytes, str]:
        """How a schedule's load is shared, and the same in words. Raises as `draw` does."""
        return self._drawn(shares.svg_of(found, name)), shares.alt_text(found, name)

    def _drawn(self, svg: str) -> bytes:
        with self._one:
            png = self._exchange(svg.encode())
        if not png:
            raise DeliveryError("the picture could not be drawn", permanent=True)
        return png

    def week(self, board: Board) -> bytes:
        """A schedule's weeks; `core.board_words.alt_text` has the words. Raises as `draw` does."""
        return self._drawn(schedule.svg_of(board))

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _exchange(self, svg: bytes) -> bytes | None:
        process = self._running()
        late = threading.Timer(self._within, process.kill)
        late.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            write(process.stdin, svg)
            png = read(process.stdout)
        except OSError:
            png = None
        finally:
            late.cancel()
        if png is None:
            self.close()
        return png

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it had nothing to do for a while, or somebody ended it
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "oncall_bot.pictures.drawing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,  # Ctrl-C is for the bot, which ends it in good time
            )
        return self._process
