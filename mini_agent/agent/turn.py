"""One turn of the model: asked within the deadline, and its reply read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mini_agent.agent.deadline import Deadline, OutOfTime
from mini_agent.agent.patience import soonest
from mini_agent.errors import MiniAgentError, ModelError
from mini_agent.model import Model, ModelReply, ModelRequest, ToolCall
from mini_agent.result import Usage
from mini_agent.tool_parsing.found_ import Tools
from mini_agent.tool_parsing.reply import understood_reply
from mini_agent.tool_parsing.scanner import Setting


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model said and asked for."""

    text: str
    reasoning: str
    calls: tuple[ToolCall, ...]
    finish_reason: str
    model: str
    usage: Usage
    ms: float
    repaired: tuple[str, ...] = ()


async def reply_to(
    model: Model, request: ModelRequest, deadline: Deadline, on_silence: Callable[[], None]
) -> ModelReply:
    """The model's reply; `ModelError` when it fails, `OutOfTime` when it is too late.

    A model that says nothing for long is asked once more, which `on_silence` is told.
    """
    asked = soonest(lambda: model.reply(request), deadline.remaining, on_silence)
    try:
        reply: object = await deadline.bound(asked)
    except OutOfTime:
        raise
    except MiniAgentError:
        if not deadline.remaining:
            raise OutOfTime from None
        raise
    except Exception as broken:  # a model is foreign code and may raise anything
        raise ModelError(f"the model failed with {type(broken).__name__}: {broken}") from broken
    if not isinstance(reply, ModelReply):
        raise ModelError(f"the model answered with {type(reply).__name__}, not with a reply")
    return reply


def turn_of(reply: ModelReply, tools: Tools, setting: Setting, ms: float) -> Turn:
    """What `reply`, which took `ms` milliseconds, says and asks of `tools`."""
    read = understood_reply(reply, tools, setting)
    return Turn(
        text=read.text,
        reasoning=read.reasoning,
        calls=read.calls,
        finish_reason=reply.finish_reason,
        model=reply.model,
        usage=reply.usage,
        ms=ms,
        repaired=read.repaired,
    )
