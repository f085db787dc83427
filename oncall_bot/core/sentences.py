"""What sentences say, as far as their words tell: a cause, a guess, a denial, a state, a deed.

Knows English patterns and tables, no record and no verdict. Refuses to understand: whoever asks must doubt what
they find. Serves the verifier.
"""

from __future__ import annotations

import re

from oncall_bot.core.evidence import stems

CAUSAL = re.compile(
    r"\bcaus(?:e|ed|es|ing)\b|\bbecause\b|\bdue to\b|\b(?:led|leads|leading) to\b|\btrigger(?:s"
    r"|ed|ing)?\b(?! at\b)|\bresult(?:s|ed|ing)? (?:in|from)\b|"
    r"\bas a result\b|\bowing to\b|\bstem(?:s|med) from\b|\bbrought (?:down|about)\b"
    r"|\btook down\b|\bbroke\b|\bresponsible for\b|\bthanks to\b|"
    r"\b(?:to|is|was) blame\b|\bmade \w+ (?:fail|crash|unavailable)\b|\bcame from\b"
    r"|\bexplains?\b|\bconsequence\b|\bprovok|\binduced\b|\bculprit\b|"
    r"\bwhich (?:drove|saturated|exhausted|overloaded|crashed)\b|\bin turn\b|\btherefore\b"
    r"|\bhence\b|\bso that\b|[,;] so (?!far\b|called\b)|\bcontribut|\bmeant that\b|\bprompted\b"
    r"|\bforced\b|\broot cause\b|\bsaturated\b|\bdr(?:ove|iven|ives)\b|\boverwhelm"
    r"|\bexhausted the\b|\b(?:knocked|took) out\b",
    re.IGNORECASE,
)
NO_CAUSE = re.compile(r"\bnot confirmed as (?:a|the) cause\b", re.IGNORECASE)
TENTATIVE_SAID = re.compile(
    r"\bsuspect|\bconsider|\bhypothes|\bguess|\btheor|\bearly\b|\binitial|\bat first\b"
    r"|\bfirst thought\b|\bassum|\bsuspicion|\bwondered|\basked\b|\bmight\b|"
    r"\bpossib|\bproposed\b|\bunconfirmed\b",
    re.IGNORECASE,
)
RULED_OUT = re.compile(
    r"\brul(?:ed|ing) out\b|\breject|\bdiscard|\bexclud|\bdropp|\bunrelated\b|\bnot (?:the|a|it"
    r"|related|involved|caused)\b|\bno \w+|\bwrong\b|\bdisprov|"
    r"\bnone\b|\bdismiss",
    re.IGNORECASE,
)
NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|zero|hardly|failed to)\b"
    r"|n't\b|\bun(?:changed|affected|related|available)\b",
    re.IGNORECASE,
)
NEGATED = re.compile(
    r"\b(?:not|no|never|none|without|cannot|zero)\b|n't\b|(?<![\d.,])0(?![\d.,])", re.IGNORECASE
)
UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
LINK = re.compile(r"\b(?:https?|ftp|mailto|javascript|data):\S+|\bwww\.\S+|\]\(", re.IGNORECASE)
MARKUP = re.compile(r"<[!@#a-zA-Z/]|@(?:channel|here|everyone)\b|!\[|^\s*#|```", re.IGNORECASE)
HANDLE = re.compile(r"(?<![\w/.])@[A-Za-z0-9](?:[\w.-]{0,62}\w)?")
CAPITAL = re.compile(r"\b[A-Z][a-zà-ÿ'’-]{2,}\b")
ABBREVIATION = re.compile(r"\b[A-Z]{2,}[A-Z0-9]*\b")
_PLAIN_ABBREVIATIONS_TEXT = """
    UTC SEV AI CPU API DNS HTTP HTTPS ID OK SLO SLA TTD TTA TTR TTM URL CA DB VM
"""
PLAIN_ABBREVIATIONS = frozenset(_PLAIN_ABBREVIATIONS_TEXT.split())
PERSON_VERB = re.compile(
    r"^\s+(?:acknowledged|acked|restarted|ran|decided|suspected|rolled|paged|deployed|noticed"
    r"|said|wrote|reported|confirmed|joined|took|found|executed|"
    r"started|stopped|scaled|issued|pushed|declared|resolved|fixed|asked|saw|was paged|led"
    r"|disabled|enabled|identified|escalated|raised|removed|moved|"
    r"throttled|bumped|paused|set|opened|closed|merged|approved|reverted)\b"
)
DID = re.compile(
    r"\s+(acknowledged|acked|restarted|ran|decided|suspected|rolled|paged|deployed|noticed|reported"
    r"|confirmed|found|executed|started|stopped|scaled|issued|pushed|declared|resolved|fixed|led"
    r"|disabled|enabled|identified|escalated|raised|removed|moved|throttled|paused|closed|merged"
    r"|approved|reverted|mitigated)\b"
)
_MONTHS_TEXT = """
    January February March April May June July August September October November December
"""
MONTHS = frozenset(_MONTHS_TEXT.split())
DAYS = frozenset(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])

LIFECYCLE: tuple[tuple[re.Pattern[str], frozenset[str], re.Pattern[str]], ...] = tuple(
    (re.compile(said, re.IGNORECASE), frozenset(kinds.split()), re.compile(text, re.IGNORECASE))
    for said, kinds, text in (
        (r"\bfir(?:ed|ing|es)\b", "alert", r"\bfir(?:ed|ing)\b"),
        (
            r"\b(?:alert|alarm)\b.{0,40}\b(?:ended|cleared|resolved)\b",
            "resolve",
            r"\bresolved\b|\bcleared\b|\bended\b|\bno longer\b",
        ),
        (r"\bresolved\b", "resolve status", r"\bresolv"),
        (r"\bmitigated\b", "status", r"\bmitigat"),
        (r"\backnowledged\b", "ack", r"\back"),
        (r"\bpaged\b", "page", r"\bpag(?:e|ed|ing)\b"),
        (r"\bescalated\b", "page", r"\bescalat"),
        (
            r"\bdeployed\b|\breleased\b|\brolled out\b",
            "deploy",
            r"\bdeploy|\breleas|\broll(?:ed|out)|\bship|\bpush|\bapprov|\binsert|\bchange",
        ),
        (
            r"\brolled back\b|\breverted\b",
            "",
            r"\broll(?:ed|ing)?\b.{0,60}\bback\b|\brollback|\brevert",
        ),
        (r"\bdeclared\b", "status", r"\bdeclar"),
        (r"\breopened\b|\brelapsed\b", "", r"\breopen|\brelaps|\bagain\b|\bback\b"),
        (r"\bdisabled\b", "", r"\bdisabl|\b(?:turn|switch)(?:ed)? off|\bkill|\boff\b"),
        (r"\b(?:re-?)?enabled\b", "", r"\benabl|\bturn(?:ed)? on|\bon again\b"),
        (r"\brestarted\b", "", r"\brestart"),
        (
            r"\brestored\b|\brecovered\b",
            "status resolve",
            r"\brestor|\brecover|\bback\b|\bhealthy|\bagain\b|\bnormal\b",
        ),
    )
)
_ROLES_TEXT = """
    nobody somebody everyone someone responder engineer commander team support mitigation
    traffic service monitoring prometheus customer user primary secondary the it this that they
    incident impact login access replication which who all
"""
ROLES = frozenset(_ROLES_TEXT.split())
TRADE = stems(
    "incident impact service services outage start started began begin end ended first later "
    "responder responders team engineer engineers commander primary secondary page paged alert "
    "alerts alerted fired firing detection detected acknowledge acknowledged acknowledgement "
    "declare declared severity mitigate mitigated mitigation resolve resolved resolution recover "
    "recovered response took take minutes hours seconds users customers requests peak during "
    "between until within time times record recorded suspected suspicion early considered ruled "
    "hypothesis came stayed remained returned reached change changes step steps found noted "
    "reported noticed decision decided system affected followed afterwards monitoring total "
    "lasted minute hour second utc went was were well"
)
