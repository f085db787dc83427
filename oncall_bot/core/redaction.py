"""Finds what must never leave the house in plain text: tokens, passwords, keys, card numbers.

Knows the shapes of secrets, nothing of where a text came from or goes to. Refuses to guess in
prose: a plain word is a secret only where a sentence says that it is one.
Serves prompts, drafts, caches and the log; every pattern is linear in a bounded input.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

MAX_TEXT = 200_000  # characters looked at in one call; what is beyond is not shown at all
MOST_KNOWN = 500  # secrets of one text or record that are looked for again where they stand bare
SHORTEST_KNOWN = 6
CUT = "… (cut)"

Span = tuple[int, int]

_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:AKIA|ASIA|AGPA|AROA)[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{16,255}|github_pat_[A-Za-z0-9_]{20,255}|gl(?:pat|dt|rt|ft"
    r"|ptt|cbt|imt|soat|agent|oas)-[\w-]{16,64}"
    r"|xox[a-z]-[A-Za-z0-9-]{10,255}|xapp-[A-Za-z0-9-]{10,255}"
    r"|gl(?:sa|c)_[A-Za-z0-9_]{10,255}|hv[sbr]\.[A-Za-z0-9_-]{10,255}|s\.[A-Za-z0-9]{24}"
    r"|(?:sk|rk|pk|whsec)_(?:(?:live|test)_)?[A-Za-z0-9]{10,255}"
    r"|sk-[A-Za-z0-9_-]{16,255}|AIza[\w-]{30,50}|ya29\.[\w-]{16,255}"
    r"|eyJ[\w-]{8,4000}\.[\w-]{6,4000}(?:\.[\w-]{0,4000})?"
    r"|SG\.[\w-]{12,64}\.[\w-]{12,64}|npm_[A-Za-z0-9]{20,64}|pypi-[\w-]{20,255}"
    r"|dckr_pat_[\w-]{16,64}|do[opr]_v1_[a-f0-9]{32,64}|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{16,64}"
    r"|lin_api_[A-Za-z0-9]{16,64}|sq0[a-z]{3}-[\w-]{16,64}|NR(?:AK|II|JS)-[A-Za-z0-9-]{16,64}"
    r"|(?:AC|SK)[0-9a-f]{32}|key-[0-9a-f]{32}|hf_[A-Za-z0-9]{16,64}|ATATT[\w=-]{16,255}"
    r"|tskey-[\w-]{12,128}|PMAK-[\w-]{16,128}|sntrys_[\w=+/-]{16,255}|dp\.pt\.[\w-]{16,64}"
    r"|AGE-SECRET-KEY-1[0-9A-Z]{20,80}|\d{8,10}:AA[\w-]{30,40}|pat-[a-z]{2}\d-[\w-]{16,64}"
    r"|rubygems_[a-f0-9]{32,64}|cio[A-Za-z0-9]{32}(?![A-Za-z0-9])|dapi[a-f0-9]{32}|pul-[a-f0-9]{32,64}"
    r"|pscale_(?:tkn|pw|oauth)_[\w-]{20,80}|sbp_[a-f0-9]{32,64}|dp\.(?:st|ct|sa|scim)\.[\w.-]{16,80}"
    r"|CCIPAT_[\w-]{20,128}|bk[a-z]{2}_[a-f0-9]{32,64}|figd_[\w-]{20,80}|ntn_[A-Za-z0-9]{30,64}"
    r"|secret_[A-Za-z0-9]{43}|GOCSPX-[\w-]{20,40}|1//0[\w-]{40,128}|nfp_[A-Za-z0-9]{30,64}"
    r"|ATCTT3[\w=-]{16,255}|BBDC-[\w+/=-]{20,64}|AKCp[A-Za-z0-9]{40,80}|oy2[a-z0-9]{43}(?![a-z0-9])"
    r"|[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,80}|[A-Za-z0-9_.-]{3}8Q~[\w.~-]{31,34}"
    r"|[MNO][A-Za-z0-9]{23,25}\.[\w-]{6}\.[\w-]{27,38}|[a-f0-9]{32}-us\d{1,2}(?!\d)"
    r")"
)
_HASHED = re.compile(r"\$(?:2[abxy]?|5|6|y|apr1|argon2(?:id|i|d))\$[^\s:\"'|<>]{16,200}")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_BROKEN = re.compile(  # a line that ends in a long run, and one that goes on with what is no word
    r"(?<=[A-Za-z0-9+/_=.~-]{10})\r?\n[ \t>|+]{0,8}(?=[A-Za-z0-9+/_=.~-]{3})"
    r"(?![A-Z]?[a-z]{1,40}(?![A-Za-z0-9+/_=~-]))"
)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY = 20_000
_URL_LOGIN = re.compile(r"://([^/\s:@]{0,128}:[^\s/]{1,256})@")
_URL_TOKEN = re.compile(r"://([A-Za-z0-9_-]{20,128})@")
_HOOK = re.compile(
    r"hooks\.slack\.com/(?:services|workflows)/([\w/-]{10,200})"
    r"|discord(?:app)?\.com/api/webhooks/([\w/-]{10,200})"
    r"|webhook\.office\.com/webhookb2/([\w@/-]{10,300})"
)
_PARAMETER = re.compile(
    r"[?&](?:[a-z_-]{0,24}token|api_?key|key|sig|signature|password|passwd|secret|auth"
    r"|x-amz-[a-z-]{1,30})"
    r"=([^&\s\"'<>]{6,1000})",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\b(?:authorization\s{0,3}[:=]\s{0,3}(?:basic|bearer|token|apikey)\s{1,3}"
    r"|(?:x-[a-z-]{0,30}(?:token|key|secret)|(?:private|job|deploy)-token"
    r"|[a-z]{2,12}-(?:api|app|access|application)-(?:key|token))\s{0,3}[:=]\s{0,3})([^\s\"'<|]{6,2000})",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"\bcookie\s{0,3}:\s{0,3}([^\s\"'<|][^\n\"'<|]{5,4000})", re.IGNORECASE)
_AUTH_FIELD = re.compile(r"\"auth\\?\"\s{0,3}:\s{0,3}\\?\"([A-Za-z0-9+/=]{12,2000})")
_BEARER = re.compile(r"\b(?:bearer|basic)\s{1,3}([A-Za-z0-9+/=._~-]{12,2000})", re.IGNORECASE)
_FLAG = re.compile(
    r"(?:--?(?:password|passwd|pass|token|secret|api-key)[= ]|\bsshpass -p ?)([^\s]{4,200})",
    re.IGNORECASE,
)
_USER_FLAG = re.compile(
    r"\bcurl\b[^\n]{0,200}? (?:-u|--user)[= ]?['\"]?([^\s:'\"]{1,64}:[^\s'\"]{3,200})"
)

_NOUN = (
    r"pass(?:word|wort|wd|phrase|code)s?|kennwort|contrase[ñn]a|mot de passe|senha|wachtwoord|pwd|pw|"
    r"secret(?:[ _-]?key)?|"
    r"(?:api|access|private|signing|encryption|license|account|client|shared)[ _-]?key|"
    r"token|credentials?|creds|pin(?: code)?|otp|(?:mfa|2fa|recovery"
    r"|unlock|door|alarm) code"
)
_SAID = re.compile(
    rf"(?<![A-Za-z])(?P<noun>{_NOUN})"
    r"(?:['\"])?(?:\s(?:for|of|on|to)(?:\s[\w./@-]{1,40}){1,4}?)?(?:\s\([^()\n]{1,40}\))?"
    r"\s{0,3}(?P<link>:=|=>|=|:|\b(?:is|are|was|ist|lautet|war|es|est)\b|->)\s{0,3}(?:now |still |just |simply )?"
    r"(?P<value>\"[^\"\n]{3,200}\"|'[^'\n]{3,200}'|`[^`\n]{3,200}`|[^\s,;\"'`]{3,400})",
    re.IGNORECASE,
)
_ENVIRONMENT = re.compile(
    r"(?<![A-Za-z0-9])[A-Z][A-Z0-9_]{0,60}(?:TOKEN|SECRET|PASSWORD|PASSWD|PASS|_KEY|_PW|_PWD"
    r"|CREDENTIALS)"
    r"\s?[=:]\s?(?P<value>\"[^\"\n]{3,200}\"|'[^'\n]{3,200}'|[^\s,;\"'`]{4,400})"
)
_PAIR = re.compile(
    r"\b(?:login|creds?|credentials?|account|log in (?:as|with))\b\s{0,2}(?:is|are|with|as|:"
    r"|=)?\s{0,2}"
    r"([A-Za-z][\w.@-]{1,40})\s?[/:|]\s?([^\s,;]{6,100})",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"(?<![A-Za-z])(?:pass(?:word|wd|phrase|code)?|pwd|creds?|credentials?)\s"
    r"([A-Za-z0-9!#$%^&*+=?~@_.-]{7,64})(?![\w/])",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"^[\[(<{$%*]|^(?:redacted|hidden|masked|removed|null|none|true|false|empty|unset|undefined"
    r"|required|"
    r"optional|changeme_?example|x{3,}|\.{3,})\b",
    re.IGNORECASE,
)
_STATE_WORDS_TEXT = """
    expired expiring wrong invalid invalidated rotated rotating changed changing required reset
    correct missing incorrect not the in stored set being now too empty unknown same still also
    only one never valid leaked exposed revoked weak needed here there on at for a an what why
    how using used old new gone fine ok okay good bad out up down due with from by to it that
    this shared safe unsafe public private managed kept known handled checked refused accepted
    rejected denied failing broken fixed mandatory optional encrypted hashed unchanged different
    available unavailable documented written always auto-rotated hardcoded hard-coded read sent
    cached no yes and or but we they you someone
    falsch abgelaufen richtig neu alt nicht weg bekannt leer gesperrt incorrecta expirada expiré
"""
_STATE_WORDS = frozenset(_STATE_WORDS_TEXT.split())
_LONG_RUN = re.compile(r"(?<![\w./+=@-])[A-Za-z0-9+/_=-]{24,}(?![\w@])")
_HEX = re.compile(r"^[0-9a-fA-F-]+$")
_HUMP = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{2,}(?=[A-Z][a-z])")
_DENSE = re.compile(r"[A-Za-z0-9+/_=.:-]{13}")
_DIGITS = re.compile(r"\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d")
_SIGNS = (
    *(
        "pass",
        "pwd",
        "pw",
        "secret",
        "token",
        "key",
        "cred",
        "pin",
        "otp",
        "code",
        "auth",
        "cookie",
    ),
    *("kennwort", "contrase", "senha", "wachtwoord"),
    *("login", "log in", "account", "bearer", "basic", "curl", "sig", "_pw"),
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)")
_CARD_START = re.compile(r"^(?:4|5[1-5]|2[2-7]|3[4-7]|6(?:011|4|5))")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,63}){1,4}")
_PHONE = re.compile(r"(?<![\w.+-])\+\d{1,3}(?:[ .()/-]{0,2}\d){7,12}(?![\w-])")
_STRICT = re.compile(
    r"\b(?:pass(?:word|wd|phrase)|secret|token|api[ _-]?key|credentials?)\s*(?:=|is"
    r"|:)\s*[^\s,.;]{4,}",
    re.IGNORECASE,
)


class Redactor:
    """Replaces secrets by placeholders that stay the same for the same secret as long as it lives.

    `label` names the placeholder ([secret-1]); `contacts` also hides e-mail addresses and phones.
    """

    __slots__ = ("_contacts", "_label", "_numbers")

    def __init__(self, label: str = "secret", *, contacts: bool = False) -> None:
        self._label = label
        self._contacts = contacts
        self._numbers: dict[str, int] = {}

    @property
    def found(self) -> int:
        """How many different secrets were replaced so far."""
        return len(self._numbers)

    def redact(self, text: str) -> str:
        """The text with every secret replaced; a text beyond 200,000 characters is cut."""
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT].rstrip() + CUT
        pieces, end = [], 0
        for start, stop in secret_spans(text, contacts=self._contacts):
            pieces += [text[end:start], self._placeholder(text[start:stop])]
            end = stop
        return self._known_gone("".join([*pieces, text[end:]]) if pieces else text)

    def learn(self, texts: Iterable[str]) -> None:
        """Take note of the secrets in some texts, so that one repeated bare elsewhere is known as one."""
        for text in texts:
            for start, stop in secret_spans(text[:MAX_TEXT], contacts=self._contacts):
                self._placeholder(text[start:stop])

    def _known_gone(self, text: str) -> str:
        for secret, number in list(self._numbers.items())[:MOST_KNOWN]:
            if len(secret) >= SHORTEST_KNOWN and secret in text:
                text = text.replace(secret, f"[{self._label}-{number}]")
        return text

    def _placeholder(self, secret: str) -> str:
        plain = _INVISIBLE.sub("", secret).strip("\"'`")
        number = self._numbers.setdefault(plain, len(self._numbers) + 1)
        return f"[{self._label}-{number}]"


def without_secrets(value: Any, redactor: Redactor | None = None) -> Any:
    """Decoded JSON with the secrets of all its texts replaced, the same ones by the same placeholder; keys stay."""
    redactor = redactor or Redactor("redacted")
    if isinstance(value, str):
        return redactor.redact(value)
    if isinstance(value, Mapping):
        return {key: without_secrets(inner, redactor) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(inner, redactor) for inner in value]
    return value


def redact(text: str) -> str:
    """The text with its secrets replaced by [secret-1], [secret-2] and so on."""
    return Redactor().redact(text)


def holds_secret(text: str) -> bool:
    """Whether any part of the text has the shape of a secret."""
    return bool(secret_spans(text))


def speaks_of_secret(text: str) -> bool:
    """Whether a sentence hands over something it calls a password, token or key, whatever it is.

    Wider than `holds_secret` and wrong now and then: for texts that can be left out at no cost.
    """
    return bool(_STRICT.search(text)) or holds_secret(text)


def secret_spans(text: str, *, contacts: bool = False) -> list[Span]:
    """Where the secrets stand, in order, overlapping ones joined.

    Those that line ends or invisible characters break up are found too.
    """
    all_found = set(_spans(text, contacts))
    if _INVISIBLE.search(text):
        all_found.update(_mapped(text, _INVISIBLE, lambda clean: _spans(clean, contacts)))
    if "\n" in text and _BROKEN.search(text):
        whole = _mapped(text, _BROKEN, lambda clean: _spans(clean, contacts))
        all_found.update(span for span in whole if "\n" in text[slice(*span)])
    found = sorted(all_found)
    joined: list[Span] = []
    for start, stop in found:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _mapped(
    text: str, left_out: re.Pattern[str], find: Callable[[str], Iterable[Span]]
) -> Iterator[Span]:
    """What is found in the text without these pieces, where it stands in the text with them."""
    kept: list[str] = []
    places: list[int] = []
    end = 0
    for match in left_out.finditer(text):
        kept.append(text[end : match.start()])
        places.extend(range(end, match.start()))
        end = match.end()
    kept.append(text[end:])
    places.extend(range(end, len(text)))
    for start, stop in find("".join(kept)):
        if stop > start:
            yield places[start], places[stop - 1] + 1


def _tokens(text: str) -> Iterator[Span]:
    """What its shape alone gives away."""
    for pattern in (_PREFIXED, _HASHED):
        yield from (m.span() for m in pattern.finditer(text))
    yield from _runs(text)


def _spans(text: str, contacts: bool) -> Iterator[Span]:
    """All finds. The patterns are costly on plain text, so each is asked only where a sign stands."""
    low = text.lower()
    if _DENSE.search(text):
        yield from _tokens(text)
    if any(sign in low for sign in _SIGNS):
        yield from _handed_over(text)
        yield from _said_values(text)
    if _DIGITS.search(text):
        yield from _cards(text)
        yield from (m.span() for m in _IBAN.finditer(text) if _is_iban(m[0]))
    if "-----BEGIN" in text:
        yield from _private_keys(text)
    if "://" in text or "hooks" in low:
        yield from _links(text)
    if contacts:
        yield from (m.span() for m in _EMAIL.finditer(text))
        yield from (m.span() for m in _PHONE.finditer(text))


def _private_keys(text: str) -> Iterator[Span]:
    """From the first line to the last; to the end of the text where that line is cut off."""
    end = 0
    for begin in _KEY_BEGINS.finditer(text):
        if begin.start() >= end:
            last = _KEY_ENDS.search(text, begin.end(), begin.end() + _LONGEST_KEY)
            end = last.end() if last else min(len(text), begin.end() + _LONGEST_KEY)
            yield begin.start(), end


def _links(text: str) -> Iterator[Span]:
    for pattern in (_URL_LOGIN, _URL_TOKEN, _HOOK):
        for match in pattern.finditer(text):
            yield match.span(match.lastindex or 0)


def _handed_over(text: str) -> Iterator[Span]:
    """Values in the places where programs and people put credentials."""
    for pattern in (_PARAMETER, _HEADER, _COOKIE, _AUTH_FIELD, _FLAG, _USER_FLAG):
        for match in pattern.finditer(text):
            if not _NOT_SECRET.search(match[1]):
                yield match.span(1)
    for match in _BEARER.finditer(text):
        if _looks_made_up(match[1]) and any(c.isdigit() for c in match[1]):
            yield match.span(1)
    for match in _ENVIRONMENT.finditer(text):
        if not _NOT_SECRET.search(_bare(match["value"])):
            yield match.span("value")
    for match in _PAIR.finditer(text):
        if _looks_made_up(match[2]) and not _NOT_SECRET.search(match[2]):
            yield match.span(2)
    for match in _BESIDE.finditer(text):
        value = _bare(match[1])
        if (
            _looks_made_up(value)
            and sum(c.isdigit() for c in value)
            and not _NOT_SECRET.search(value)
        ):
            yield match.span(1)


def _said_values(text: str) -> Iterator[Span]:
    for match in _SAID.finditer(text):
        value = _bare(match["value"])
        if _NOT_SECRET.search(value) or value.lower() in _STATE_WORDS:
            continue
        noun, assigned = match["noun"].lower(), "=" in match["link"]
        quoted = match["value"][0] in "\"'`"
        spoken = noun.startswith(_SPOKEN) and (assigned or value.isascii())
        code = noun.startswith(("pin", "otp")) or noun.endswith("code")
        if code:
            if sum(c.isdigit() for c in value) >= 4 and len(value) <= 12:
                yield match.span("value")
        elif (
            spoken
            or (assigned and len(value) >= 4)
            or _looks_made_up(value)
            or (quoted and len(value) >= 6 and " " not in value)
        ):
            yield match.span("value")


_SPOKEN = ("pass", "pwd", "pw", "kennwort", "contrase", "mot de", "senha", "wachtwoord")


def _bare(value: str) -> str:
    return value.strip("\"'`").rstrip(".,;:!?)]}")


def _looks_made_up(value: str) -> bool:
    """A run of characters that no plain word, number, version or time has."""
    value = _bare(value)
    if len(value) < 6 or re.fullmatch(r"[\d.,:/%-]+", value):
        return False
    digit, letter = any(c.isdigit() for c in value), any(c.isalpha() for c in value)
    mixed = any(c.isupper() for c in value[1:]) and any(c.islower() for c in value)
    odd = any(c in "!#$%^&*+=?~@" for c in value[:-1])
    return (digit and letter) or (mixed and len(value) >= 8) or (odd and letter) or len(value) >= 20


def _runs(text: str) -> Iterator[Span]:
    for match in _LONG_RUN.finditer(text):
        if _random_looking(match[0]):
            yield match.span()


def _random_looking(run: str) -> bool:
    if _HEX.match(run):
        return False
    classes = (any(c.isupper() for c in run), any(c.islower() for c in run))
    digits = sum(c.isdigit() for c in run)
    if not all(classes) or digits < 2:
        return False
    if sum(len(m[0]) for m in _HUMP.finditer(run)) > (0.4 if run.count("/") > 2 else 0.55) * len(
        run
    ):
        return False  # words joined: an alert name, a path, a class
    counts = Counter(run)
    entropy = -sum(n / len(run) * math.log2(n / len(run)) for n in counts.values())
    return entropy >= 3.7


def _cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _CARD_START.match(digits) and _luhn(digits):
            yield match.span()


def _is_iban(text: str) -> bool:
    """ISO 13616: the rest modulo 97 is 1."""
    whole = text.replace(" ", "")
    return (
        15 <= len(whole) <= 34
        and int("".join(str(int(c, 36)) for c in whole[4:] + whole[:4])) % 97 == 1
    )


def _luhn(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1
