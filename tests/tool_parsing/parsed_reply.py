"""A reply read as the loop reads it: what would be run, what refused, and the words left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mini_agent.messages import JsonObject
from mini_agent.model import ModelReply
from mini_agent.testing.weak_models import OFFERED_TOOLS
from mini_agent.tool_parsing.reply import parse_reply
from mini_agent.tool_parsing.resolve import resolve_call
from mini_agent.tool_parsing.scanner import ParseOptions
from mini_agent.tools.arguments import parse_tools
from mini_agent.tools.invoker import Tool

SANDBOX = OFFERED_TOOLS["sandbox"]


class Outcome(NamedTuple):
    run: tuple[tuple[str, JsonObject], ...]
    refused: tuple[str, ...]
    text: str
    repaired: tuple[str, ...]


def parse_outcome(
    reply: ModelReply, setting: ParseOptions | None = None, tools: Iterable[Tool] = SANDBOX
) -> Outcome:
    offered = parse_tools(tuple(tools))
    read = parse_reply(reply, offered, setting or ParseOptions())
    asks = [resolve_call(call, str(place), offered) for place, call in enumerate(read.calls)]
    return Outcome(
        run=tuple((ask.name, ask.arguments) for ask in asks if not ask.problem),
        refused=tuple(ask.problem for ask in asks if ask.problem),
        text=read.text,
        repaired=(*read.repaired, *(said for ask in asks for said in ask.repaired)),
    )


def text_reply(text: str, finish_reason: str = "stop") -> ModelReply:
    return ModelReply(text, finish_reason=finish_reason)
