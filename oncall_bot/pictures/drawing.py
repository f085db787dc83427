"""The process that makes pixels: SVG comes in by its standard input, PNG goes out, until nobody is there any more.

    python -m oncall_bot.pictures.drawing

Knows resvg-py, which holds Python's lock all the time it draws: in the bot's own process every page would wait for it.
Refuses to load anything but our two fonts: no system font, no file, no address. Serves png, and ends with it.
"""

from __future__ import annotations

import os
import select
import struct
import sys
from typing import IO

from oncall_bot.pictures.letters import FAMILY, FONTS

IDLE_S = 600
"""Without work for so long it ends; the next picture begins another."""
POLITE = 10
"""Pages come first on a machine that has too much to do."""
LENGTH = struct.Struct(">I")


def png_of(svg: str) -> bytes:
    """The picture, or nothing when it cannot be drawn."""
    import resvg_py

    try:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=svg,
                skip_system_fonts=True,
                font_files=list(FONTS),
                font_family=FAMILY,
                sans_serif_family=FAMILY,
            )
        )
    except ValueError:
        return b""


def read(source: IO[bytes]) -> bytes | None:
    """One piece of work or its answer; None at the end."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = source.read(length)
    return body if len(body) == length else None


def write(sink: IO[bytes], body: bytes) -> None:
    sink.write(LENGTH.pack(len(body)) + body)
    sink.flush()


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(POLITE)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while select.select([source], [], [], IDLE_S)[0]:
        svg = read(source)
        if svg is None:
            return
        write(sink, png_of(svg.decode()))


if __name__ == "__main__":
    main()
