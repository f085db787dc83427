"""The words of on-call work and what they stand for: `pager`, `on duty` and `oncall` are one concept.

Knows words and set phrases, nothing of their order. Refuses to know names and times. Serves `understanding`, which
counts concepts, and `words`, which mends slips towards what stands here. A new way of saying things is a
phrase in this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

CONCEPTS: Mapping[str, str] = {
    "who": "who, whom, whose, which person, which engineer, what person, which one of us, which of us",
    "anyone": "anyone, anybody, someone, somebody",
    "oncall": """
        oncall, on-call, on call, on duty, on-duty, has the pager, have the pager, got the pager, carries the pager,
        carrying the pager, carry the pager, holds the pager, holding the pager, hold the pager, with the pager,
        pager duty, wearing the pager, on pager, on shift, on rotation, on rota, on the rota, first line,
        first responder, on the hook, on watch, on standby
    """,
    "shift": """
        shift, shifts, rota, rotas, roster, rotation, rotations, schedule, schedules, duty, duties, turn, handoff,
        hand-off, hand off, handover, my week, my weekend
    """,
    "covers": "cover, covers, covering, covered, responsible, looks after, look after, in charge of, takes care of",
    "reach": "contact, reach, call, talk to, speak to, turn to, get hold of, ask",
    "me": "i, me, my, mine, myself, we, us, our",
    "when": """
        when, what time, what day, how long until, how soon, which days, what days, which day, until when, till when,
        how long
    """,
    "next": "next, upcoming, coming, following, up next, up",
    "incident": """
        incident, incidents, outage, outages, inc, incs, problem, problems, issue, issues, ticket, tickets, fires
    """,
    "open": """
        open, ongoing, active, current, unresolved, running, live, outstanding, still, in progress, unacknowledged,
        unacked, unanswered
    """,
    "happening": """
        happening, going on, going wrong, broken, burning, wrong, down, failing, on fire, quiet, healthy, calm,
        all good, all green, all quiet, all clear, everything ok, everything okay, everything fine, everything alright,
        acting up, unhealthy, degraded, affected
    """,
    "fire": """
        fire, firing, fired, alert, alerts, alerting, alarm, alarms, alarming, trigger, triggered, triggers, triggering,
        red, ringing, rang, go off, went off, goes off, gone off, going off, set off
    """,
    "often": """
        often, frequency, frequently, times, repeatedly, recurring, recurs, recur, repeat, how many times, how often,
        how frequently, how common, how noisy, noisy, flapping, flappy, flaps, number of times, count
    """,
    "before": """
        before, ever, previously, history, past, already, previous, earlier, last time, first time, the first time,
        seen this, had this, again, historically, last
    """,
    "why": "why, reason, how come, what for, for what reason, what reason, because, explain, explanation",
    "paged": """
        page, paged, pages, paging, wake, woke, woken, wakes, waking, called, notified, notify, ping, pinged, pings,
        bothered, disturbed, got up, get me up, out of bed, woken up
    """,
    "runbook": "runbook, runbooks, playbook, playbooks, run book, play book, run books",
    "docs": """
        sop, sops, instructions, guide, procedure, procedures, checklist, documentation, docs, what steps
    """,
    "howtofix": """
        how do i fix, how do we fix, how can i fix, how to fix, how do you fix, how can we fix, what do i do,
        what should i do, what do we do, what to do, what am i supposed to do, how do i handle, how to handle,
        how do i deal with, how to deal with, how do i mitigate, how to mitigate, how do i resolve, how to resolve,
        how do i debug, how to debug, where do i start, how should i react, how do we handle, what can i do
    """,
    "fixed": "fixed, solved, what fixed, what helped, what ended, how was it fixed",
    "changed": """
        changed, change, changes, happened, happen, timeline, log, progress, developments, work log, worklog, so far,
        what is new, anything new, any news, news, latest, any update, any updates, update, updates, catch me up,
        fill me in, bring me up to speed, up to speed, what did i miss, did i miss, missed, story, recap, been done,
        been tried, what was done, was done, was tried, have we done, have we tried, has happened, what has happened,
        where are we, where do we stand
    """,
    "has": """
        ack, acks, acked, acknowledge, acknowledged, acknowledges, acking, has, have, got, owns, owner, owning, own,
        taken, took, handles, handling, handled, assigned, assignee, commander, responding, responder, working on,
        works on, working, looking at, looking into, looks at, looks into, on it, on this, on that, in charge,
        dealing with, dealing, picked up, picked, answered, taking care of
    """,
    "status": """
        status, state, details, detail, info, information, show, describe, summary, summarise, summarize, overview,
        severity, sev, tell me about, how is, how are, how bad, how serious, how severe, what about, give me,
        look like, looks like, what is the story
    """,
    "over": "over, resolved, closed, done, ended, finished, mitigated, under control",
    "cause": """
        cause, caused, causes, causing, culprit, root cause, rootcause, root-cause, what broke, what led to,
        what is behind, because of what
    """,
    "list": "list, all, any, every",
    "help": """
        help, commands, what can you do, what do you do, how do you work, what can i ask, how do i use you,
        what can i say, what do you know, how does this work, what you can do, usage, manual, features, abilities,
        what are you able to, how to use you
    """,
}
SMALLTALK: Mapping[str, str] = {
    "greeting": "hi, hello, hey, hiya, howdy, yo, good morning, good evening, good afternoon, good day, greetings",
    "thanks": """
        thanks, thank, thankyou, thx, ty, cheers, thank you, many thanks, great job, good job, good bot, nice work,
        well done, awesome, great, perfect, nice, cool
    """,
    "bye": "bye, goodbye, cya, see you, good night, goodnight",
    "who_are_you": """
        who are you, what are you, are you a bot, are you human, are you real, are you an ai, are you there, your name,
        how are you, how are you doing, what is up
    """,
}
FILLERS = """
    show me, tell me, give me, let me know, remind me, can i, may i, could i, can we, i want to know,
    i would like to know, do we know, do you know, i wonder, i need, do we have, do you have, have we, have you,
    help me, can you, could you,
    would you, is there, are there, anyone know, does anyone know, does anybody know, i am curious, we have, has been,
    have been, had been, need to, have to, has to, what is the, at all
"""
"""Set phrases that frame a question and say nothing of it."""
_STOP_TEXT = """
    a an the of for to in on at by with from is are was were be been being am do does did will would can could shall
    should may might must please pls plz kindly so and or but not no yes ok okay well then there here it this that these
    those they them their he she him her his you your what which how as if also too just really actually maybe currently
    today tonight now hey hi bot oncall-bot team people guys folks one some any all know tell give show let see say
    want need like get us anyway exactly right quick quickly again more much many me i we my hmm um uh
    sure sorry wondering curious find out check look anything something everything nothing
    person engineer engineers developer dev service services system systems app stuff thing things side doing going by
"""
STOP = frozenset(_STOP_TEXT.split())
"""Words that neither carry a question nor speak against one."""

PRONOUNS: Mapping[str, str] = {
    "it": "incident",
    "this": "incident",
    "that": "incident",
    "them": "person",
    "they": "person",
    "him": "person",
    "her": "person",
    "he": "person",
    "she": "person",
}
_TIMES_TEXT = """
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december tomorrow yesterday tonight today morning afternoon evening night weekend week month hour
    hours minute minutes noon midnight since until last
"""
_TIMES = frozenset(_TIMES_TEXT.split())
_VERBS_TEXT = """
    silence silenced mute muted snooze escalate declare override resolve acknowledge note severity cancel swap replace
    close assign claim grab own mine hush quiet suppress wake phone ring summon start open create raise file report set
    lower upgrade downgrade bump promote mark add write put leave cover take over
"""
_VERBS = frozenset(_VERBS_TEXT.split())


@lru_cache(maxsize=1)
def phrases() -> Mapping[tuple[str, ...], str]:
    """Every word and set phrase, as a tuple of words, and its concept; what carries no question begins with `~`."""
    found: dict[tuple[str, ...], str] = {}
    for mark, table in (("", CONCEPTS), ("~", SMALLTALK), ("~", {"filler": FILLERS})):
        for concept, said in table.items():
            for phrase in said.split(","):
                found.setdefault(tuple(phrase.split()), mark + concept)
    return found


@lru_cache(maxsize=1)
def longest() -> int:
    return max(len(phrase) for phrase in phrases())


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """Every single word that means something here, for the mending of slips."""
    own = {word for phrase in phrases() for word in phrase}
    return frozenset(own | STOP | set(PRONOUNS) | _TIMES | _VERBS)
