"""What a tools gateway answered, as a list of tools or as the output of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import httpx
from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import from_json

from mini_agent.attachment import Attachment
from mini_agent.errors import MiniAgentError, ToolsUnavailable, Unauthorized
from mini_agent.messages import JsonObject
from mini_agent.net.http_exchange import Answered
from mini_agent.tools.data_beside import with_data, written
from mini_agent.tools.invoker import Tool, ToolOutput, printed, refused
from mini_agent.tools.outputs import OUTCOMES, output_of

SHOWN: Final = 500
_ATTACHED: Final = TypeAdapter(tuple[Attachment, ...])
BEARER: Final = 'pass headers={"Authorization": "Bearer ..."}'


def tools_in(answered: Answered, address: str) -> list[Tool]:
    """The tools listed; the error says what is wrong where there is no list."""
    if not answered.ok:
        raise refusal(answered, address)
    try:
        said: JsonValue = from_json(answered.content, allow_inf_nan=False)
    except ValueError:
        said = None
    listed = said.get("tools") if isinstance(said, dict) else said
    if isinstance(listed, list) and all(isinstance(tool, dict) for tool in listed):
        return [tool for tool in listed if isinstance(tool, dict)]
    raise ToolsUnavailable(
        f"{address}/tools answers with {answered.text[:60]!r}, not with a list of tools",
        hint="the address must be that of a tools gateway: GET /tools gives a JSON array",
    )


def refusal(answered: Answered, address: str, token: str = BEARER) -> MiniAgentError:
    """An answer that is not one of success, as an error; `token` says how to give a right one."""
    said = f"{address} answers {answered.status}: {_complaint(answered)}"
    if answered.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Unauthorized(said, hint=token)
    return ToolsUnavailable(said)


def output_in(answered: Answered) -> ToolOutput:
    """What a call came to: `{text?, error?, data?}`, other JSON, or plain text."""
    if not answered.ok:
        return refused(f"HTTP {answered.status}: {_complaint(answered)}")
    try:
        said: JsonValue = from_json(answered.content, allow_inf_nan=False)
    except ValueError:
        return printed(answered.text)
    if isinstance(said, str):
        return printed(said)
    if not isinstance(said, dict) or not said.keys() & {*OUTCOMES, "data"}:
        return printed(answered.text)
    return _outcome(said)


def _outcome(said: JsonObject) -> ToolOutput:
    error, text = _error(said.get("error")), said.get("text")
    known: JsonObject = {**said, "error": error}
    if text is not None and not isinstance(text, str):
        known["text"] = written(text)
    output = output_of(known)
    output = replace(output, attachments=_attachments(said.get("attachments")))
    data = said.get("data")
    return output if data is None else with_data(output, data)


# Our own gateway sends them; what another means by this word is not known.
def _attachments(said: JsonValue) -> tuple[Attachment, ...]:
    try:
        return _ATTACHED.validate_python(said or ())
    except ValidationError:
        return ()


def _complaint(answered: Answered) -> str:
    try:
        said: JsonValue = from_json(answered.content)
    except ValueError:
        said = None
    fields = said if isinstance(said, dict) else {}
    told = [_error(fields.get(name)) for name in ("error", "detail", "text")]
    found = next((each for each in told if each), answered.text.strip())
    return found[:SHOWN] or "(no body)"


def _error(said: JsonValue) -> str:
    """What went wrong, as text, however it is told; empty for nothing."""
    if isinstance(said, dict) and isinstance(said.get("message"), str):
        return str(said["message"])
    if isinstance(said, str):
        return said
    return written(said) if said else ""
