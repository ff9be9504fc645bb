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
    reply: ModelReply, options: ParseOptions | None = None, tools: Iterable[Tool] = SANDBOX
) -> Outcome:
    offered = parse_tools(tuple(tools))
    parsed = parse_reply(reply, offered, options or ParseOptions())
    calls = [
        resolve_call(native_call, str(place), offered)
        for place, native_call in enumerate(parsed.calls)
    ]
    return Outcome(
        run=tuple((call.name, call.arguments) for call in calls if not call.problem),
        refused=tuple(call.problem for call in calls if call.problem),
        text=parsed.text,
        repaired=(*parsed.repaired, *(note for call in calls for note in call.repaired)),
    )


def text_reply(text: str, finish_reason: str = "stop") -> ModelReply:
    return ModelReply(text, finish_reason=finish_reason)
