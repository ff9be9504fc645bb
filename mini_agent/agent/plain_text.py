"""Turns put in plain text, for servers that say that they take no tools."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mini_agent.agent.context_window import with_addenda
from mini_agent.agent.in_words import in_words
from mini_agent.agent.prompted_tools import instructions, parsed, schema
from mini_agent.errors import ModelError, NoToolSupport
from mini_agent.messages import JsonObject
from mini_agent.model import ModelReply, ModelRequest, ToolCall
from mini_agent.tool_parsing.found_ import Tools

WITHOUT_TOOLS: Final = "the server takes no tools, so the model was asked for its calls in text"
WITHOUT_SCHEMA: Final = "the server takes no JSON schema, so the model was asked without one"
NAME: Final = "step"


class PlainText:
    """Whether a run speaks in plain text; once it does, it does to its end."""

    def __init__(self) -> None:
        self._is_needed = False
        self._takes_schema = True

    def remedy(self, broken: ModelError, request: ModelRequest) -> str:
        """What is done about `broken` here, empty when that is nothing."""
        if isinstance(broken, NoToolSupport) and request.tools:
            self._is_needed = True
            return WITHOUT_TOOLS
        may_be_the_schema = self._is_needed and "response_format" in request.options
        if may_be_the_schema and not broken.retryable and self._takes_schema:
            self._takes_schema = False
            return WITHOUT_SCHEMA
        return ""

    def request(self, native: ModelRequest, tools: Tools) -> ModelRequest:
        """`native`, or the same turn in plain text."""
        if not self._is_needed:
            return native
        options = dict(native.options)
        for only_with_tools in ("tool_choice", "parallel_tool_calls"):
            options.pop(only_with_tools, None)
        if tools and self._takes_schema:
            named: JsonObject = {"name": NAME, "schema": schema(tools)}
            options["response_format"] = {"type": "json_schema", "json_schema": named}
        elif not self._takes_schema:
            options.pop("response_format", None)
        addenda = [instructions(tools)] if tools else []
        messages = with_addenda(in_words(native.messages), addenda)
        return replace(native, messages=messages, tools=[], options=options)

    def read(self, reply: ModelReply) -> ModelReply:
        """`reply` with its step as calls or as the answer; as it is where it holds no step."""
        if not self._is_needed:
            return reply
        step = parsed(reply.text)
        if step is None:
            return reply
        if isinstance(step, str):
            return replace(reply, text=step)
        calls: tuple[ToolCall, ...] = tuple(step)
        return replace(reply, text="", tool_calls=calls)
