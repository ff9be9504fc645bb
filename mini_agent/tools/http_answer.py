"""What a tools gateway answered, as a list of tools or as the output of one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import httpx
from pydantic import JsonValue
from pydantic_core import from_json

from mini_agent.errors import MiniAgentError, ToolsUnavailable, Unauthorized
from mini_agent.messages import JsonObject
from mini_agent.tools.foreign import OUTCOMES, output_of
from mini_agent.tools.http_exchange import Answered
from mini_agent.tools.invoker import Tool, ToolOutput, printed, refused

SHOWN: Final = 500
DATA_BESIDE_TEXT: Final = 1000
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
        known["text"] = _written(text)
    output = output_of(known)
    data = said.get("data")
    return output if data is None else _with_data(output, data)


def _with_data(output: ToolOutput, data: JsonValue) -> ToolOutput:
    if output.rc is None:
        return replace(output, error=f"{output.error}\n{_beside(data)}")
    text = output.stdout.strip()
    if not text:
        return replace(output, stdout=_written(data))
    if _is_same(text, data):
        return output
    return replace(output, stdout=f"{output.stdout}\n{_beside(data)}")


def _is_same(text: str, data: JsonValue) -> bool:
    try:
        read: JsonValue = from_json(text)
    except ValueError:
        return False
    return read == data


def _beside(data: JsonValue) -> str:
    written = _written(data)
    left = len(written) - DATA_BESIDE_TEXT
    more = f"... ({left} more characters)" if left > 0 else ""
    return f"data: {written[:DATA_BESIDE_TEXT]}{more}"


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
    return _written(said) if said else ""


def _written(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
