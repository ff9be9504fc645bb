"""Calls as a model makes them."""

from __future__ import annotations

import json

from pydantic import JsonValue

from mini_agent.tools.invoker import OpenAIToolCall


def openai_call(name: str, **arguments: JsonValue) -> OpenAIToolCall:
    function: JsonValue = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": "1", "type": "function", "function": function}
