"""What the model asked for, made sense of before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mini_agent.messages import JsonObject, encodable
from mini_agent.model import CallForm, ToolCall
from mini_agent.tool_parsing.argument_text import Arguments, read_arguments
from mini_agent.tool_parsing.arguments import arguments_for
from mini_agent.tool_parsing.resolve import Choice, chosen_tool
from mini_agent.tools.names import language_of_tool
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
    form: CallForm = "call"


def understood(call: ToolCall, call_id: str, tools: Mapping[str, OfferedTool]) -> Ask:
    """`call` with the tool and the arguments it plainly means."""
    requested = encodable(call.name)[:200]
    choice = chosen_tool(requested, read_arguments(encodable(call.arguments)), tools)
    name = choice.tool.name if choice.tool else UNSENDABLE.sub("_", requested)[:64] or "unnamed"
    renamed = choice.tool is not None and name != requested
    repaired = (*call.repaired, *((_taken(requested, name, choice),) if renamed else ()))
    if call.problem:
        return Ask(call_id, name, requested, {}, call.problem, repaired, call.form)
    if choice.tool is None:
        given = choice.arguments
        problem = given.problem or _unknown(requested, tools, choice.why)
        said = (*repaired, *given.repaired)
        return Ask(call_id, name, requested, given.named, problem, said, call.form)
    meant = arguments_for(choice.tool, choice.arguments)
    missing = [each for each in choice.tool.required if _is_missing(each, meant, choice.tool)]
    problem = meant.problem or (f"missing argument: {', '.join(missing)}" if missing else "")
    arguments = {} if meant.problem else meant.named
    said = (*repaired, *meant.repaired)
    return Ask(call_id, name, requested, arguments, problem, said, call.form)


def _is_missing(name: str, given: Arguments, tool: OfferedTool) -> bool:
    """Whether it is not there; a program of nothing but white space is none."""
    value = given.named.get(name)
    is_blank = isinstance(value, str) and not value.strip()
    return name not in given.named or (is_blank and language_of_tool(tool) is not None)


def _taken(requested: str, name: str, choice: Choice) -> str:
    because = f", because {choice.why}" if choice.why else ""
    return f"tool {requested or 'without a name'} was taken as {name}{because}"


def _unknown(requested: str, known: Iterable[str], why: str) -> str:
    names = ", ".join(known) or "none"
    return f"{why or f'there is no tool {requested!r}'}; known tools: {names}"
