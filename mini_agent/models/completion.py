"""Parses a chat completion in OpenAI's format to a reply, whoever served it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from mini_agent.errors import ModelUnavailable
from mini_agent.model import INCOMPLETE, ModelReply, ToolCall
from mini_agent.result import Usage


def _to_json_text(arguments: object) -> object:
    """Some servers send the object itself in the place of its text."""
    is_text = arguments is None or isinstance(arguments, str)
    return arguments if is_text else json.dumps(arguments, ensure_ascii=False)


def _join_parts(content: object) -> object:
    """Some servers send the text in parts, as the messages of a request have them."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


# Other names of OpenAI's finish reasons.
FINISH_REASONS: Final = {
    "max_tokens": "length",
    "model_length": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "refusal": "content_filter",
    "end_turn": "stop",
    "eos": "stop",
    "error": INCOMPLETE,
    "abort": INCOMPLETE,
    "cancelled": INCOMPLETE,
    "insufficient_system_resource": INCOMPLETE,
}
JsonText = Annotated[str, BeforeValidator(_to_json_text)]
PlainText = Annotated[str, BeforeValidator(_join_parts)]


class _ResponsePart(BaseModel):
    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class _Function(_ResponsePart):
    name: str | None = Field(default=None, description="The name of the function.")
    arguments: JsonText | None = Field(default=None, description="The arguments, as JSON text.")


class _Custom(_ResponsePart):
    name: str | None = Field(default=None, description="The name of the tool.")
    input: str | None = Field(default=None, description="The input of the tool, as text.")


class _ToolCall(_ResponsePart):
    id: str | int | None = Field(
        default=None, description="The id of the call; some servers send a number."
    )
    function: _Function | None = Field(default=None, description="The call of a function.")
    custom: _Custom | None = Field(
        default=None, description="The call of a tool that takes plain text."
    )


class _Message(_ResponsePart):
    content: PlainText | None = Field(default=None, description="The text of the reply.")
    reasoning_content: str | None = Field(
        default=None,
        validation_alias=AliasChoices("reasoning_content", "reasoning", "thinking"),
        description="The reasoning, where the server sends it apart.",
    )
    tool_calls: list[_ToolCall] | None = Field(default=None, description="The calls of the reply.")
    function_call: _Function | None = Field(
        default=None,
        description="The one call that servers answered with before there were tool calls.",
    )


class _Choice(_ResponsePart):
    message: _Message = Field(description="The message of the choice.")
    finish_reason: str | None = Field(default=None, description="Why the reply ended.")


class _PromptDetails(_ResponsePart):
    cached_tokens: int | None = Field(
        default=None, description="Tokens of the prompt that were taken from the server's cache."
    )


class _Usage(_ResponsePart):
    prompt_tokens: int | None = Field(default=None, description="Tokens of the prompt.")
    completion_tokens: int | None = Field(default=None, description="Tokens of the reply.")
    prompt_tokens_details: _PromptDetails | None = Field(
        default=None, description="What the prompt's tokens consist of."
    )


class _Completion(_ResponsePart):
    model: str | None = Field(default=None, description="The model that replied.")
    choices: list[_Choice] = Field(min_length=1, description="The choices, at least one.")
    usage: _Usage | None = Field(default=None, description="Tokens that were used.")


def parse_completion(
    response: Mapping[str, object], model: str, *, cost: float = 0.0
) -> ModelReply:
    """Parses the first choice of `response` that has text or calls, else the first.

    Raises `ModelUnavailable` when the server of `model` sent no choice.
    """
    try:
        completion = _Completion.model_validate(response)
    except ValidationError as invalid:
        raise ModelUnavailable(
            f"the server of {model} answered without a message",
            hint="is api_base the address of a model server?",
        ) from invalid
    choice = next(
        (each for each in completion.choices if _has_content(each.message)), completion.choices[0]
    )
    return ModelReply(
        text=choice.message.content or "",
        reasoning=choice.message.reasoning_content or "",
        tool_calls=tuple(_call(each) for each in _calls(choice.message)),
        finish_reason=_finish_reason(choice),
        usage=_usage(completion.usage or _Usage(), cost),
        model=model,
    )


def _finish_reason(choice: _Choice) -> str:
    reason = choice.finish_reason or "stop"
    return FINISH_REASONS.get(reason.lower(), reason)


def _has_content(message: _Message) -> bool:
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
