"""Where the tool calls of a reply are found."""

from __future__ import annotations

from mini_agent.model import ModelReply, ToolCall


def calls_in(reply: ModelReply) -> tuple[ToolCall, ...]:
    """The calls the model made, in its order."""
    return reply.tool_calls
