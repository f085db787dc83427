"""The states of an incident as the store would hand them over: one value each, used by every drawing test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from oncall_bot.core.situation import (
    AlertCount,
    Change,
    HandOff,
    JudgedRunbook,
    LogEntry,
    NextStep,
    Noise,
    OnCallNow,
    Paged,
    PageNotice,
    PossibleRunbook,
    RoadFate,
    ShownRunbook,
    ShownSilence,
    Situation,
    State,
    WorkLog,
)

START = datetime(2026, 11, 22, 3, 7, tzinfo=UTC)
URL = "https://oncall.example.com"
CHAT = "https://example.slack.com/archives/C0CHECKOUT/p1795316820000100"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


BOOK = ShownRunbook(
    title="Checkout error rate is high",
    slug="checkout-error-rate",
    why="its rule names alertname=HighErrorRate and service=checkout",
    steps=(
        "Was there a deploy in the last 30 min?",
        "Are database connections left?",
        "Roll back to the last good version.\n```\ndeployctl rollback checkout --to GOOD\n```",
        "Is the error rate falling? See [the board](https://grafana.example.com/d/1?a=1&b=2).",
        "Is the queue draining?",
    ),
    link=f"{URL}/runbooks/checkout-error-rate",
    runbook_id=7,
)
POSSIBLE = (
    PossibleRunbook(11, "Queue consumer falls behind", 0.6, 'it shares "lag" with the alert', URL),
    PossibleRunbook(12, "Replica lag on payments-db", 0.52, 'it shares "replica" with the alert'),
)
CALLED_RIGHT = JudgedRunbook(7, "Checkout error rate is high", True, "Ana Ruiz")
CALLED_WRONG = JudgedRunbook(13, "Restart a stuck worker", False, "Bo Lindt")
ANA = Paged(
    "ana",
    "Ana Ruiz",
    1,
    at(0),
    (
        RoadFate("slack", "sent", at(0)),
        RoadFate("push", "sent", at(0)),
        RoadFate("voice", "waiting", at(1)),
    ),
)
BO = Paged(
    "bo",
    "Bo Lindt",
    2,
    at(5),
    (RoadFate("slack", "sent", at(5)), RoadFate("voice", "failed", at(6), "number not reachable")),
)
FIRING = Situation(
    incident_id=42,
    title="High error rate on checkout",
    state=State.FIRING,
    severity="SEV2",
    urgency="high",
    origin="alert",
    opened_at=START,
    updated_at=at(3),
    service="checkout",
    team="shop",
    channel="C0CHECKOUT",
    firing=3,
    alerts_ever=3,
    alerts=(
        AlertCount(
            "HighErrorRate",
            2,
            "5xx ratio > 2 % & rising <!channel> see wiki",
            ("eu-west", "eu-north"),
        ),
        AlertCount("SlowCheckout", 1),
    ),
    first_alert="HighErrorRate",
    runbook=BOOK,
    paged=(ANA,),
    next=NextStep(at(5), ("Bo Lindt",), "step 2 of 3"),
    steps=3,
    url=f"{URL}/incidents/42",
    chat_link=CHAT,
)
ACKNOWLEDGED = replace(
    FIRING,
    state=State.ACKNOWLEDGED,
    acked_at=at(3),
    acked_by="Ana Ruiz",
    acked_by_key="ana",
    paged=(replace(ANA, answered_at=at(3)),),
    next=None,
    ack_until=at(33),
)
UNANSWERED = replace(
    FIRING,
    updated_at=at(15),
    paged=(ANA, BO, Paged("cy", "Cy Okafor", 3, at(10), (RoadFate("slack", "sent", at(10)),))),
    next=NextStep(at(20), ("Ana Ruiz",), "round 2, step 1 of 3"),
)
STORM = replace(
    FIRING,
    incident_id=43,
    title="Many alerts at once on shop",
    origin="storm",
    severity="SEV1",
    firing=412,
    alerts_ever=412,
    service=None,
    first_alert="PrimaryDown",
    alerts=tuple(AlertCount(f"Alert{n}", 40) for n in range(10)),
    places=(
        ("checkout-api", 188),
        ("orders-api", 97),
        ("cart-api", 61),
        ("ledger-worker", 40),
        ("payments-db", 12),
        ("mail", 8),
        ("search", 6),
    ),
    url=f"{URL}/incidents/43",
)
MITIGATED = replace(
    ACKNOWLEDGED,
    state=State.MITIGATED,
    mitigated_at=at(24),
    firing=0,
    alerts=(AlertCount("HighErrorRate", 0), AlertCount("SlowCheckout", 0)),
    updated_at=at(24),
    ack_until=None,
)
RESOLVED = replace(
    MITIGATED, state=State.RESOLVED, resolved_at=at(39), resolved_by="Ana Ruiz", updated_at=at(39)
)
ENDED_ALONE = replace(
    RESOLVED,
    acked_at=None,
    acked_by=None,
    acked_by_key=None,
    mitigated_at=None,
    resolved_by=None,
    reopened=2,
    summary_line="Fired for 39 min, nobody was asked, ended by itself.",
)
NOBODY = replace(
    FIRING,
    nobody="shop-primary has nobody from 00:00 to 08:00 UTC; the fallback of team shop was paged.",
    paged=(
        Paged("dee", "Dee Marsh", 1, at(0), (RoadFate("slack", "sent", at(0)),), note="fallback"),
    ),
    next=NextStep(at(5), (), "the admins are paged"),
)
SECOND_ROAD = replace(
    FIRING,
    updated_at=at(6),
    paged=(
        Paged(
            "ana",
            "Ana Ruiz",
            1,
            at(0),
            (
                RoadFate("slack", "failed", at(0), "Slack gave no answer in time"),
                RoadFate("voice", "sent", at(0)),
            ),
        ),
    ),
)
SILENCED = replace(
    FIRING,
    state=State.SILENCED,
    firing=2,
    held_back=14,
    silence=ShownSilence(
        7, "Bo Lindt", at(173), "DB move, change 1882, errors < 5 % expected", 'service="checkout"'
    ),
    next=None,
    updated_at=at(63),
)
FLAPPING = replace(
    ACKNOWLEDGED,
    severity="SEV3",
    firing=0,
    reopened=3,
    changes=tuple(Change(at(n * 2.5), "Fires again" if n % 2 == 0 else "Ended") for n in range(8)),
    ack_until=None,
    updated_at=at(20),
)
MERGED = replace(FIRING, state=State.MERGED, merged_into=43, next=None)
DECLARED = replace(
    FIRING,
    incident_id=46,
    title="Checkout fails for some cards",
    origin="declared",
    declared_by="Cy Okafor",
    firing=0,
    alerts_ever=0,
    alerts=(),
    first_alert=None,
    runbook=None,
)
QUIET = replace(FIRING, urgency="none", severity="SEV5", paged=(), next=None, runbook=None)
NASTY = (
    "[FIRING:3] (prod-eu-west-1-checkout-api-blue-7d9f8c6b5-x2x9q) :fire: <!channel> "
    "*Ana is on it.* `x` & <@U1>\u202e\x07"
)
HOSTILE = replace(
    FIRING,
    incident_id=45,
    title=NASTY * 3,
    service="<!here>" * 40,
    severity="<sev>",
    first_alert="Checkout<b>&`Broken`" * 9,
    alerts=tuple(AlertCount(f"A`<{n}>&" * 30, n, NASTY * 40, (NASTY,) * 9) for n in range(1, 30)),
    paged=tuple(
        Paged(
            "x",
            NASTY,
            n,
            at(n),
            tuple(RoadFate("s<m>s", "failed", at(n), NASTY * 9) for _ in range(9)),
            note=NASTY,
        )
        for n in range(1, 30)
    ),
    next=NextStep(at(40), (NASTY,) * 9, NASTY),
    runbook=ShownRunbook(
        NASTY, "n|a>sty", NASTY * 9, (NASTY * 50,) * 40, "https://x.example.com/a|b>c d"
    ),
    declared_by=NASTY,
    nobody=None,
)
STATES = {
    "firing": FIRING,
    "acknowledged": ACKNOWLEDGED,
    "unanswered": UNANSWERED,
    "storm": STORM,
    "mitigated": MITIGATED,
    "resolved": RESOLVED,
    "ended-alone": ENDED_ALONE,
    "nobody": NOBODY,
    "second-road": SECOND_ROAD,
    "silenced": SILENCED,
    "flapping": FLAPPING,
    "merged": MERGED,
    "declared": DECLARED,
    "quiet": QUIET,
    "hostile-text": HOSTILE,
}


def notice(situation: Situation, **changed: object) -> PageNotice:
    made = PageNotice(
        situation, 9, "ana", "Ana Ruiz", "U0ANA00001", "shop-primary", "shop-primary", 1
    )
    return replace(made, **changed)  # type: ignore[arg-type]


LOG = WorkLog(
    42,
    (
        LogEntry(at(0), "HighErrorRate fires"),
        LogEntry(at(0), "Paged Ana Ruiz: Slack"),
        LogEntry(at(3), "Ana Ruiz acknowledged"),
        LogEntry(at(9), "pool is empty on both pods, 0 idle", "Ana Ruiz", pinned=True),
        LogEntry(at(12), "<!channel> :fire: *not ours*", "Bo <Lindt>"),
    ),
    folded=22,
    url=f"{URL}/incidents/42",
)
SHIFTS = (
    OnCallNow(
        "shop-primary",
        "ana",
        "Ana Ruiz",
        "U0ANA00001",
        at(1800),
        ("push", "voice"),
        (("Bo Lindt", "after 5 min"), ("Dee Marsh", "after 10 min")),
    ),
    OnCallNow(
        "search-primary",
        "bo",
        "Bo Lindt",
        None,
        at(400),
        (),
        (),
        covers_for="Cy Okafor",
        group_problem="user groups need a paid plan of Slack",
    ),
    OnCallNow("night", None, None, None, at(300), fallback=("Dee Marsh",)),
)
HANDED = HandOff(
    "shop-primary",
    at(0),
    at(10080),
    "Cy Okafor",
    "ana",
    "Ana Ruiz",
    ((42, "High error rate on checkout", State.MITIGATED),),
    ("slack", "push"),
    4,
)
HANDED_FULL = replace(
    HANDED,
    silences=(("Bo <Lindt>", at(600), "DB move <!channel>"), ("Ana", at(900), "")),
    noise=(Noise("HighErrorRate", 12, 3), Noise("<!channel> :fire: *x*", 2, 1)),
    then=(("Bo Lindt", "after 5 min"),),
    late=timedelta(minutes=42),
)
