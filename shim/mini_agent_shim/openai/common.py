"""What chat completions and responses share: model names, parameters, and a client's tools."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue, ValidationError

from mini_agent.agent.normalize import INSTRUCTION_ROLES
from mini_agent.agent.prompts import SYSTEM_PROMPT
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message, system
from mini_agent.remote.openai_parameters import (
    MODEL_PARAMETERS,
    refuse_unknown,
    refuse_unsupported,
)
from mini_agent.remote.schema import AgentRunRequest
from mini_agent_shim.errors import NotFound

MODEL_NAME: Final = "mini-agent"
DECLINED_HEADER: Final = "X-Mini-Agent-Declined-Tools"
DECLINED_NOTE: Final = (
    "The caller named tools of its service ({names}). They cannot be used here: do not call them, "
    "and do not claim that you did."
)
# Fields of a run that may also stand beside OpenAI's, as LiteLLM's `extra_body` puts them.
RUN_FIELDS: Final = frozenset(AgentRunRequest.model_fields) - {"messages", "model", "stream"} | {
    "max_total_seconds",
    "max_seconds",
}
RESERVED_FIELDS: Final = frozenset({"messages", "model", "stream", "background"})
MAX_SHOWN_NAMES: Final = 40
UNSAFE_IN_HEADER: Final = re.compile(r"[^\x20-\x7e]")


def parse_model(name: str) -> str:
    """Return the model of a name such as `mini-agent/ollama/qwen3`; empty for the default model.

    Raises `NotFound` for a name that does not begin with `mini-agent`.
    """
    first, _, rest = name.partition("/")
    if first != MODEL_NAME:
        raise NotFound(
            "model_not_found",
            f"there is no model {name[:100]!r}",
            hint="there is mini-agent, and mini-agent/NAME with any model that LiteLLM knows",
        )
    return "" if rest == "default" else rest


def build_run_request(fields: Mapping[str, object], own: JsonObject | None) -> AgentRunRequest:
    """Build the run request; `own`, the fields of `mini_agent`, take precedence over `fields`."""
    reserved = sorted(set(own or {}) & RESERVED_FIELDS)
    if reserved:
        raise BadRequest(
            f"mini_agent: {', '.join(reserved)} stands beside it, not in it", field="mini_agent"
        )
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return AgentRunRequest.model_validate({**given, **(own or {})})
    except ValidationError as wrong:
        raise RequestValidationError(wrong.errors(include_url=False)) from None


@dataclass(frozen=True, slots=True)
class ClientTools:
    """The client's tools: those that the model is offered, and the names of those it is not.

    `choice` is passed to the model; None leaves it free.
    """

    offered: tuple[JsonObject, ...] = ()
    declined: tuple[str, ...] = ()
    choice: JsonValue = None


def read_client_tools(tools: Sequence[JsonObject] | None, choice: JsonValue) -> ClientTools:
    """Read `tools` and `tool_choice`; functions are offered, built-in tools of a service declined.

    Raises `BadRequest` for a choice that no tool here can meet.
    """
    offered = [function for tool in tools or () if (function := _read_function(tool))]
    others = [tool for tool in tools or () if not _read_function(tool)]
    declined = tuple(dict.fromkeys(name for tool in others for name in _tool_names(tool)))
    if choice in (None, "auto"):
        return ClientTools(tuple(offered), declined)
    if choice == "none":
        return ClientTools((), declined)
    return ClientTools(tuple(offered), declined, _read_choice(choice, offered))


def _read_function(tool: JsonObject) -> JsonObject | None:
    """Return a function in the form of chat completions; the Responses API has it flat."""
    if tool.get("type") != "function":
        return None
    nested = tool.get("function")
    if isinstance(nested, dict):
        return {"type": "function", "function": nested}
    return {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}


def _read_choice(choice: JsonValue, offered: Sequence[JsonObject]) -> JsonValue:
    if choice == "required":
        return choice
    nested = choice.get("function", choice) if isinstance(choice, dict) else None
    name = nested.get("name") if isinstance(nested, dict) else None
    names = [function_name(tool) for tool in offered]
    if name is not None and name in names:
        return {"type": "function", "function": {"name": name}}
    raise BadRequest(
        f"tool_choice {choice!r:.80} names no function among the tools",
        field="tool_choice",
        hint='send "auto", "none", "required", or a function that is in tools',
    )


def function_name(tool: JsonObject) -> str:
    """Return the name of a function, or of a call, in the form of chat completions."""
    function = tool["function"]
    return str(function.get("name")) if isinstance(function, dict) else ""


def choose_tools(parameters: JsonObject, tools: ClientTools) -> JsonObject:
    """Return the model's parameters with the tool choice, where there is one."""
    return parameters if tools.choice is None else {**parameters, "tool_choice": tools.choice}


def split_extra(extra: Mapping[str, JsonValue], known: Collection[str]) -> JsonObject:
    """Return those fields of `POST /agent/run` that stand beside OpenAI's own.

    Raises `BadRequest` for a field that is neither.
    """
    given = {name: value for name, value in extra.items() if value is not None}
    refuse_unsupported(given)
    refuse_unknown(given, {*known, *RUN_FIELDS})
    return {name: value for name, value in given.items() if name in RUN_FIELDS}


def model_parameters(given: Mapping[str, JsonValue]) -> JsonObject:
    """Return the parameters that go on to the model server as they are."""
    return {name: given[name] for name in MODEL_PARAMETERS if given.get(name) is not None}


def add_declined_note(messages: Sequence[Message], names: Sequence[str]) -> list[Message]:
    """Return the messages with a note on the declined tools after the instructions."""
    if not names:
        return list(messages)
    place = 0
    while place < len(messages) and messages[place].get("role") in INSTRUCTION_ROLES:
        place += 1
    note = system(
        f"{SYSTEM_PROMPT}\n{DECLINED_NOTE.format(names=', '.join(names[:MAX_SHOWN_NAMES]))}"
    )
    return [*messages[:place], note, *messages[place:]]


def response_headers(run_id: str, names: Sequence[str]) -> dict[str, str]:
    """Return the response headers: the run's id, and the declined tools."""
    headers = {"X-Run-Id": run_id}
    if names:
        shown = ", ".join(names[:MAX_SHOWN_NAMES])
        headers[DECLINED_HEADER] = UNSAFE_IN_HEADER.sub("?", shown)
    return headers


# Codex nests the tools of MCP servers in a `namespace`; built-in ones have a type and no name.
def _tool_names(tool: JsonObject) -> list[str]:
    nested = tool.get("tools")
    if isinstance(nested, list):
        return [name for each in nested if isinstance(each, dict) for name in _tool_names(each)]
    function = tool.get("function")
    named = function if isinstance(function, dict) else tool
    name = named.get("name") or tool.get("type") or "unnamed"
    return [str(name)[:64]]
