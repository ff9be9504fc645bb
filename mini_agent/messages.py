"""Chat messages in OpenAI's form, the functions that create them, and attachments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import from_json

# An escape, or a pair of them that is one character, is kept.
ESCAPE: Final = re.compile(
    rb"(\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}",
    re.DOTALL,
)
SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class Attachment(BaseModel):
    """A file that a tool returns beside its text; the model sees its name, the caller gets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The name of the file.")
    media_type: str = Field(description="The media type of the content, such as image/png.")
    base64: str = Field(description="The content, base64-encoded.")

    @property
    def bytes(self) -> int:
        """The size of the content, in bytes."""
        return len(self.base64) * 3 // 4 - self.base64[-2:].count("=")


JsonObject: TypeAlias = dict[str, JsonValue]
Message: TypeAlias = dict[str, JsonValue]


def system(text: str) -> Message:
    """Creates a system message, an instruction for the model."""
    return {"role": "system", "content": text}


def user(text: str) -> Message:
    """Creates a message of the user."""
    return {"role": "user", "content": text}


def tool_result(call_id: str, text: str) -> Message:
    """Creates the message with the result of the tool call `call_id`."""
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def assistant(text: str, calls: Sequence[JsonObject] = ()) -> Message:
    """Creates a message of the model; `calls` are tool calls made by `function_call`."""
    if calls:
        return {"role": "assistant", "content": text, "tool_calls": list(calls)}
    return {"role": "assistant", "content": text}


def function_call(call_id: str, name: str, arguments: Mapping[str, JsonValue]) -> JsonObject:
    """Creates a tool call in OpenAI's form, its arguments as JSON text."""
    written = json.dumps(dict(arguments), ensure_ascii=False)
    function: JsonObject = {"name": name, "arguments": written}
    return {"id": call_id, "type": "function", "function": function}


def parse_json_object(text: str) -> JsonObject:
    """Parses `text` as a JSON object, lone surrogates replaced; raises `ValueError` for none."""
    content = replace_surrogate_escapes(text.encode("utf-8", "replace"))
    value: JsonValue = from_json(content, allow_inf_nan=False)
    if isinstance(value, dict):
        return value
    raise ValueError(f"a JSON object is needed, not {_json_type(value)}")


def replace_surrogates(text: str) -> str:
    """Replaces lone surrogates in `text`, which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")


def replace_surrogate_escapes(content: bytes) -> bytes:
    r"""Replace the escapes of lone surrogates in JSON, such as \ud83d, which pydantic refuses."""
    if SURROGATE.search(content) is None:
        return content
    return ESCAPE.sub(lambda found: found[1] or rb"\ufffd", content)


def _json_type(value: JsonValue) -> str:
    if value is None:
        return "null"
    return {bool: "a boolean", str: "a string", list: "a list"}.get(type(value), "a number")
