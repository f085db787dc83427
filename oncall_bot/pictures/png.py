"""A picture as PNG bytes, by resvg with our own font.

Knows resvg-py; refuses to load anything else than the two fonts beside it: no system font, no file, no address.
Blocking, some tens of milliseconds: call it from a thread. Serves engine through `ports.Picture`.
"""

from __future__ import annotations

from oncall_bot.core.graphs import Graph
from oncall_bot.pictures.graph import svg_of
from oncall_bot.pictures.letters import FAMILY, FONTS


class PngPictures:
    """Draws one at a time or several side by side; it keeps nothing."""

    def draw(self, graph: Graph) -> bytes:
        return png_of(svg_of(graph))


def png_of(svg: str) -> bytes:
    """The picture as PNG."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            skip_system_fonts=True,
            font_files=list(FONTS),
            font_family=FAMILY,
            sans_serif_family=FAMILY,
        )
    )
