"""How wide a text is in our own font, and outside text made fit for an SVG: bounded, one line, escaped.

Knows the advance widths of DejaVu Sans (the fonts beside this module). Refuses to know where a text stands.
Serves graph. The font comes with us and never from the system: a slim image has none, and every picture looks alike.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from xml.sax.saxutils import escape

FONTS = tuple(
    str(Path(__file__).parent / "fonts" / f"{name}.ttf")
    for name in ("DejaVuSans", "DejaVuSans-Bold")
)
FAMILY = "DejaVu Sans"
TEXT_LIMIT = 200

# Thousandths of the size, from the space to the tilde.
_REGULAR = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 337 337"
    " 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989"
    " 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 635 411 521"
    " 392 634 592 818 592 592 525 636 337 636 838"
)
_BOLD = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 696 400 400"
    " 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 770 720 682 812 774 1103"
    " 771 724 725 457 365 457 838 500 500 675 716 593 716 678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595"
    " 478 712 652 924 645 652 582 712 365 712 838"
)
_WIDTHS = {
    bold: {chr(32 + n): int(width) for n, width in enumerate(widths.split())}
    for bold, widths in ((False, _REGULAR), (True, _BOLD))
}
_ELSE = 1000
"""Any other letter: as wide as the widest, so that nothing overlaps."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How many pixels the text takes at that size, at most."""
    widths = _WIDTHS[bold]
    return sum(widths.get(letter, _ELSE) for letter in text) * size / 1000


def one_line(text: str) -> str:
    """Outside text on one line, without control, invisible and turning characters; what we cannot draw is a box."""
    bare = (
        letter
        for letter in text[:TEXT_LIMIT].replace("\n", " ").replace("\t", " ")
        if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return " ".join("".join(_drawable(letter) for letter in bare).split())


def _drawable(letter: str) -> str:
    at = ord(letter)
    known = at < 0x250 or 0x300 <= at < 0x530 or 0x2000 <= at < 0x2300 or 0x25A0 <= at < 0x2600
    return letter if known else "□"


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, or as much of it as fits with `…` behind it."""
    shown = one_line(text)
    if width(shown, size, bold=bold) <= room:
        return shown
    while shown and width(f"{shown}…", size, bold=bold) > room:
        shown = shown[:-1]
    return f"{shown.rstrip()}…" if shown else ""


def safe(text: str) -> str:
    """Ready to stand between two tags."""
    return escape(text)
