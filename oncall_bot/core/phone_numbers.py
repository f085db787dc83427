"""Telephone numbers as providers want them: a plus, the country, the rest, nothing else.

Knows how people write them and what is no number. Refuses to know countries and providers. Serves contacts, the roads
that ring or text, and whoever asks whose number that is.
"""

from __future__ import annotations

import re
from typing import Final

from oncall_bot.core.config import Channel

PHONE_KEYS: Final = frozenset({"sms", "voice", "phone", "call"})
PHONE_SCHEMES: Final = ("twilio:", "twilio+http:", "twilio+https:")
_DECORATION = re.compile(r"[ \u00a0\-./()]")  # how people group digits
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)  # ITU-T E.164: at most 15 digits


def normal(text: str) -> str | None:
    """`+49 30 5550100` and `0049-30-5550100` as `+49305550100`; None for what is no number with its country."""
    plain = _DECORATION.sub("", text.strip().replace("(0)", ""))
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    return plain if _E164.fullmatch(plain) else None


def takes_numbers(channel: Channel) -> bool:
    """Whether the addresses of this road are telephone numbers: by its scheme when that is known, else by its name."""
    if channel.url is not None:
        return channel.url.casefold().startswith(PHONE_SCHEMES)
    return channel.key.casefold() in PHONE_KEYS
