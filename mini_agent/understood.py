"""What the model asked for, made sense of before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mini_agent.messages import JsonObject, encodable, json_object
from mini_agent.model import ToolCall
from mini_agent.tools.aliases import tool_meant, with_own_names
from mini_agent.tools.offered import OfferedTool

UNSENDABLE: Final = re.compile(r"[^A-Za-z0-9_-]")
CUT_OFF: Final = "the call was cut off at the token limit, so it was not run; make it shorter"


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to be carried out, or the `problem` that it will be answered with instead.

    `name` is the tool's own, or what was asked for in a form that a model server accepts.
    """

    id: str
    name: str
    requested_name: str
    arguments: JsonObject = field(default_factory=dict)
    problem: str = ""
    repaired: tuple[str, ...] = ()


def understood(call: ToolCall, call_id: str, tools: Mapping[str, OfferedTool]) -> Ask:
    """`call` with the tool and the arguments it plainly means."""
    requested = encodable(call.name)[:200]
    tool = tool_meant(requested, tools)
    name = tool.name if tool else UNSENDABLE.sub("_", requested)[:64] or "unnamed"
    repaired = (f"tool {requested} was taken as {name}",) if tool and name != requested else ()
    try:
        arguments = json_object(call.arguments.strip() or "{}")
    except ValueError as wrong:
        problem = f"the arguments are not a JSON object: {encodable(str(wrong))}"
        return Ask(call_id, name, requested, problem=problem, repaired=repaired)
    if tool is None:
        return Ask(call_id, name, requested, arguments, _unknown(requested, tools))
    arguments, renamed = with_own_names(arguments, tool)
    missing = [each for each in tool.required if each not in arguments]
    problem = f"missing argument: {', '.join(missing)}" if missing else ""
    return Ask(call_id, name, requested, arguments, problem, (*repaired, *renamed))


def _unknown(requested: str, known: Iterable[str]) -> str:
    names = ", ".join(known) or "none"
    return f"there is no tool {requested!r}; known tools: {names}"
