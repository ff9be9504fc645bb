"""One turn of the model: asked within the deadline, and its reply read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from pydantic import JsonValue

from mini_agent.calls import calls_in
from mini_agent.config import AgentConfig
from mini_agent.deadline import Deadline, OutOfTime
from mini_agent.errors import MiniAgentError, ModelError
from mini_agent.messages import Message, encodable
from mini_agent.model import Model, ModelReply, ModelRequest, ToolCall
from mini_agent.reasoning import without_thoughts
from mini_agent.result import Usage
from mini_agent.tools.invoker import Tool


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model said and asked for. `is_cut_off` tells that the token limit ended it."""

    text: str
    reasoning: str
    calls: tuple[ToolCall, ...]
    finish_reason: str
    model: str
    usage: Usage
    ms: float

    @property
    def is_cut_off(self) -> bool:
        return self.finish_reason == "length"


async def next_turn(model: Model, request: ModelRequest, deadline: Deadline) -> Turn:
    """The model's next turn; `ModelError` when it fails, `OutOfTime` when it is too late."""
    started = perf_counter()

    async def reply() -> Turn:
        return _read(await model.reply(request), request.model, started)

    try:
        return await deadline.bound(reply())
    except OutOfTime:
        raise
    except MiniAgentError:
        if not deadline.remaining:
            raise OutOfTime from None
        raise
    except Exception as broken:  # a model is foreign code and may raise anything
        raise ModelError(f"the model failed with {type(broken).__name__}: {broken}") from broken


def request_for(
    config: AgentConfig, messages: list[Message], tools: list[Tool], timeout_s: float
) -> ModelRequest:
    """The request for the next turn; with no tools nothing is said about their choice."""
    return ModelRequest(
        model=config.model,
        messages=messages,
        tools=tools,
        timeout_s=timeout_s,
        temperature=config.temperature,
        num_ctx=config.num_ctx,
        options=_options(config.completion_kwargs, messages, tools),
    )


def _options(
    given: Mapping[str, JsonValue], messages: list[Message], tools: list[Tool]
) -> dict[str, JsonValue]:
    dropped = set() if tools else {"tool_choice", "parallel_tool_calls"}
    if messages[-1]["role"] == "tool":
        # A model that must call a tool every time could never give its answer.
        dropped.add("tool_choice")
    return {name: value for name, value in given.items() if name not in dropped}


def _read(reply: ModelReply, asked_model: str, started: float) -> Turn:
    text, thoughts = without_thoughts(encodable(reply.text))
    return Turn(
        text=text,
        reasoning="\n".join(part for part in (encodable(reply.reasoning), thoughts) if part),
        calls=calls_in(reply),
        finish_reason=reply.finish_reason,
        model=reply.model or asked_model,
        usage=reply.usage,
        ms=(perf_counter() - started) * 1000,
    )
