"""How an answer comes about and reaches the one who asked: the plain one at once, a model's as it grows.

Knows when a model is asked and what is said when it fails. Refuses to know words and prompts. Serves events; an
answer that cannot be sent is written down and holds nothing up.
"""

from __future__ import annotations

from oncall_bot.ports import TalkAnswer, TalkTurn
from oncall_bot.slack import answers, pane, proposals, talk, told
from oncall_bot.slack.answering import links_of
from oncall_bot.slack.blocks import Drawn, context
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import escape
from oncall_bot.slack.presenting import Edits, Presenter, Stream, answer_of, post
from oncall_bot.slack.talk import Heard, Said
from oncall_bot.slack.turns import Turns


async def reply(edge: Edge, heard: Heard) -> None:
    """Answer in the thread of the question. A model is asked in a task of its own: no event waits for it."""
    in_pane = heard.alone and heard.thread is not None
    if in_pane and heard.thread:
        await pane.looking(edge, heard.channel, heard.thread)
    said = await talk.hear(edge, heard)
    if in_pane and heard.thread and said.about.intent is None:
        await pane.titled(edge, heard.channel, heard.thread, heard.text)
    turns = edge.turns
    if turns is not None and said.open_to_model and _may_ask(heard) and not turns.busy:
        edge.follow(_with_model(edge, heard, said, turns))
        return
    await post(edge, heard, said.drawn)
    await talk.remember(edge, heard, said)


def _may_ask(heard: Heard) -> bool:
    """Guests and people of other workspaces get the plain answers alone; a viewer may ask."""
    return heard.caller.refusal is None


async def _with_model(edge: Edge, heard: Heard, said: Said, turns: Turns) -> None:
    """The model's answer as it grows; where it has none, the plain answer with one honest line."""
    turn = TalkTurn(
        heard.text,
        heard.caller.actor,
        heard.caller.zone,
        edge.clock(),
        "" if heard.alone else heard.channel,
        said.about,
    )
    shown: Presenter = Stream(edge, heard) if heard.alone and heard.thread else Edits(edge, heard)
    async for what in turns.ask(turn):
        if isinstance(what, TalkAnswer):
            await _end(edge, heard, said, shown, what)
        else:
            await shown.add(what)


async def _end(edge: Edge, heard: Heard, said: Said, shown: Presenter, answer: TalkAnswer) -> None:
    links = await links_of(edge, answer.incidents)
    if answer.sentences:
        drawn, rest = answer_of(answer, links, edge.clock())
        await shown.end(drawn, rest)
    elif not (answer.offers or answer.questions or answer.refusals):
        why = context(escape(answer.problem or "The model gave no answer.", 300))
        await shown.end(Drawn(said.drawn.text, [*said.drawn.blocks, why]), [why])
    for one in answer.offers:
        await post(edge, heard, proposals.card(edge, one, heard.caller.actor))
    for needs in answer.questions[:1]:
        await post(edge, heard, told.ask_back(needs.question, needs.choices))
    for why_not in answer.refusals[:1]:
        if not answer.sentences:
            await post(edge, heard, answers.sentence(why_not))
    about = {"incident": answer.incidents[0]} if len(answer.incidents) == 1 else {}
    await talk.remember(edge, heard, Said(said.drawn, said.about, changed=about or said.changed))
