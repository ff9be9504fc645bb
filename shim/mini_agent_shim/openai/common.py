"""What chat completions and responses share: model names, and declining a client's tools."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue, ValidationError

from mini_agent.agent.normalize import INSTRUCTION_ROLES
from mini_agent.agent.prompts import SYSTEM_PROMPT
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message, system
from mini_agent.remote.schema import AgentRunRequest
from mini_agent_shim.errors import NotFound

MODEL_NAME: Final = "mini-agent"
DECLINED_HEADER: Final = "X-Mini-Agent-Declined-Tools"
DECLINED_NOTE: Final = (
    "The caller has tools of its own ({names}). They cannot be used here: do not call them, "
    "and do not claim that you did."
)
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


def decline_tools(tools: Sequence[JsonObject] | None, choice: JsonValue) -> tuple[str, ...]:
    """Return the names of the client's tools; raises `BadRequest` where one must be called."""
    names = tuple(dict.fromkeys(name for tool in tools or () for name in _tool_names(tool)))
    if choice not in (None, "none", "auto"):
        raise BadRequest(
            f"tool_choice {choice!r:.80} cannot be: the tools of a client are not called here",
            field="tool_choice",
            hint='leave it out, or send "auto"; the agent has tools of its own, in sandboxes',
        )
    return names


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
