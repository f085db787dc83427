"""SVG to PNG bytes, by resvg with our own font.

Knows resvg-py; refuses to load anything else than the two fonts beside it: no system font, no file, no address.
Blocking, some tens of milliseconds: call it from a thread. Serves the pictures of this room.
"""

from __future__ import annotations

from oncall_bot.pictures.letters import FAMILY, FONTS


def png_of(svg: str) -> bytes:
    """The drawing as it is, pixel for pixel."""
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
