"""LiteLLM's chat completion, read into a reply of ours."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.errors import ModelUnavailable
from mini_agent.model import ModelReply, ToolCall
from mini_agent.result import Usage


class Completion(Protocol):
    """LiteLLM's response object, as far as we read it."""

    def model_dump(self) -> dict[str, object]:
        """The response as plain values."""
        ...


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class _Function(_Read):
    name: str | None = Field(default=None, description="The name of the function.")
    arguments: str | None = Field(default=None, description="The arguments, as JSON text.")


class _Custom(_Read):
    name: str | None = Field(default=None, description="The name of the tool.")
    input: str | None = Field(default=None, description="The input of the tool, as text.")


class _ToolCall(_Read):
    id: str | int | None = Field(
        default=None, description="The id of the call; some servers send a number."
    )
    function: _Function | None = Field(default=None, description="The call of a function.")
    custom: _Custom | None = Field(
        default=None, description="The call of a tool that takes plain text."
    )


class _Message(_Read):
    content: str | None = Field(default=None, description="The text of the reply.")
    reasoning_content: str | None = Field(
        default=None, description="The reasoning, where the server sends it apart."
    )
    tool_calls: list[_ToolCall] | None = Field(default=None, description="The calls of the reply.")
    function_call: _Function | None = Field(
        default=None,
        description="The one call that servers answered with before there were tool calls.",
    )


class _Choice(_Read):
    message: _Message = Field(description="The message of the choice.")
    finish_reason: str | None = Field(default=None, description="Why the reply ended.")


class _PromptDetails(_Read):
    cached_tokens: int | None = Field(
        default=None, description="Tokens of the prompt that were taken from the server's cache."
    )


class _Usage(_Read):
    prompt_tokens: int | None = Field(default=None, description="Tokens of the prompt.")
    completion_tokens: int | None = Field(default=None, description="Tokens of the reply.")
    prompt_tokens_details: _PromptDetails | None = Field(
        default=None, description="What the prompt's tokens consist of."
    )


class _Completion(_Read):
    model: str | None = Field(default=None, description="The model that replied.")
    choices: list[_Choice] = Field(min_length=1, description="The choices, at least one.")
    usage: _Usage | None = Field(default=None, description="Tokens that were used.")


def as_reply(response: Completion | None, model: str) -> ModelReply:
    """The first choice of `response` that says or calls something, else the first.

    `ModelUnavailable` when the server of `model` sent none.
    """
    try:
        read = _Completion.model_validate(response.model_dump() if response else {})
    except ValidationError as odd:
        raise ModelUnavailable(
            f"the server of {model} answered without a message",
            hint="is api_base the address of a model server?",
        ) from odd
    choice = next((each for each in read.choices if _speaks(each.message)), read.choices[0])
    return ModelReply(
        text=choice.message.content or "",
        reasoning=choice.message.reasoning_content or "",
        tool_calls=tuple(_call(each) for each in _calls(choice.message)),
        finish_reason=choice.finish_reason or "stop",
        usage=_usage(read.usage or _Usage(), _cost(response)),
        model=model,
    )


def _speaks(message: _Message) -> bool:
    return bool((message.content or "").strip() or _calls(message))


def _calls(message: _Message) -> list[_ToolCall]:
    legacy = [_ToolCall(function=message.function_call)] if message.function_call else []
    return message.tool_calls or legacy


def _call(call: _ToolCall) -> ToolCall:
    function, custom = call.function or _Function(), call.custom or _Custom()
    return ToolCall(
        id="" if call.id is None else str(call.id),
        name=function.name or custom.name or "",
        arguments=function.arguments or custom.input or "",
    )


def _usage(usage: _Usage, cost: float) -> Usage:
    details = usage.prompt_tokens_details
    return Usage(
        prompt_tokens=usage.prompt_tokens or 0,
        completion_tokens=usage.completion_tokens or 0,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
        cost=cost,
    )


# None where LiteLLM knows no price for the model.
def _cost(response: Completion | None) -> float:
    hidden: dict[str, object] = getattr(response, "_hidden_params", {})
    cost = hidden.get("response_cost")
    return cost if isinstance(cost, float) else 0.0
