"""The model behind LiteLLM: one chat completion a call, for every provider."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from mini_agent.errors import ModelError, ModelUnavailable, NotConfigured
from mini_agent.model import ModelReply, ModelRequest, ToolCall, context_tokens, is_ollama
from mini_agent.models.litellm_errors import (
    FailedCall,
    create_model_error,
    parse_retry_after,
    timeout_error,
)
from mini_agent.models.litellm_runtime import load_litellm, look_up
from mini_agent.result import Usage
from mini_agent.settings import parse_ollama_url

OnText: TypeAlias = Callable[[str], None]
Parameters = dict[str, JsonValue]
COST_KEY: Final = "response_cost"
# LiteLLM keeps a client, with connections of its own, for every timeout that it is given. The time
# left differs from call to call, so that we cancel the call instead.
NO_TIMEOUT_S: Final = 86_400.0


# Not a `litellm.Router` a run: each leaves four callbacks in LiteLLM's global lists, which every
# later call runs (4 ms a call became 24 after 50 runs), and warns from the 100th on. `acompletion`
# shares its connections among all calls of a process.
class LiteLLMModel:
    """Calls `litellm.acompletion`, without retries, and cancels it at the request's deadline.

    `ollama_address` is Ollama's address where a request has no `api_base`. `num_ctx` is sent to
    Ollama alone. `on_text` is called with each piece of the text as it arrives, but not with
    Ollama's, which in a stream puts calls into the text.
    """

    def __init__(self, *, ollama_address: str = "", on_text: OnText | None = None) -> None:
        self._ollama_address = ollama_address
        self._on_text = on_text

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Requests a completion; raises `ModelError` for every error of LiteLLM."""
        parameters = self._parameters(request)
        try:
            async with asyncio.timeout(request.timeout_s):
                litellm = await load_litellm()
                if self._on_text and not is_ollama(request.model):
                    response = await stream_completion(litellm, parameters, self._on_text)
                else:
                    response = await litellm.acompletion(**parameters)
            return parse_completion(response, request.model)
        except TimeoutError:
            raise timeout_error(_failed_call(request, parameters, status=408)) from None
        except ModelError:
            raise
        # LiteLLM raises bare ValueError, KeyError and the like beside its own errors.
        except Exception as broken:
            failed = _failed_call(request, parameters, status=_status(broken), text=str(broken))
            raise create_model_error(
                replace(failed, retry_after_s=parse_retry_after(broken))
            ) from broken

    def _parameters(self, request: ModelRequest) -> Parameters:
        ollama = is_ollama(request.model)
        parameters: Parameters = {
            # LiteLLM rewrites messages in place for some providers.
            "messages": list(copy.deepcopy(request.messages)),
            "model": _with_native_tools(request.model),
            "timeout": NO_TIMEOUT_S,
            "num_retries": 0,
            "max_retries": 0,
        }
        if request.tools:
            parameters["tools"] = list(request.tools)
        if request.temperature is not None:
            parameters["temperature"] = request.temperature
        if ollama:
            parameters["num_ctx"] = context_tokens(request.model, request.num_ctx)
        if ollama and self._ollama_address:
            parameters["api_base"] = self._ollama_address
        parameters |= dict(request.options)
        address = parameters.get("api_base")
        if ollama and isinstance(address, str):
            parameters["api_base"] = _ollama_url(address)
        return parameters


def _with_native_tools(model: str) -> str:
    # LiteLLM's `ollama/` route makes every answer JSON as soon as there are tools.
    return f"ollama_chat/{model.removeprefix('ollama/')}" if model.startswith("ollama/") else model


def _ollama_url(address: str) -> str:
    try:
        return parse_ollama_url(address, "api_base")
    except NotConfigured as wrong:
        raise ModelError(wrong.message, hint=wrong.hint) from None


def _failed_call(
    request: ModelRequest, parameters: Parameters, *, status: int, text: str = ""
) -> FailedCall:
    return FailedCall(
        model=request.model,
        address=str(parameters.get("api_base") or ""),
        api_key=str(parameters.get("api_key") or ""),
        timeout_s=request.timeout_s,
        status=status,
        text=text,
    )


def _status(error: Exception) -> int:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else 500


class _LiteLLM(Protocol):
    """The functions of LiteLLM that a stream needs."""

    async def acompletion(self, **parameters: JsonValue) -> AsyncIterator[Completion]: ...

    def stream_chunk_builder(
        self, chunks: list[Completion], messages: JsonValue = None
    ) -> Completion | None: ...

    def completion_cost(self, completion_response: Completion) -> float: ...


async def stream_completion(
    litellm: _LiteLLM, parameters: Mapping[str, JsonValue], on_text: OnText
) -> Completion | None:
    """Streams a completion to its end, with its cost; calls `on_text` with each piece of text."""
    streaming: dict[str, JsonValue] = {
        **parameters,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    chunks: list[Completion] = []
    async for chunk in await litellm.acompletion(**streaming):
        chunks.append(chunk)
        text = _chunk_text(chunk)
        if text:
            on_text(text)
    whole = litellm.stream_chunk_builder(chunks, messages=parameters["messages"])
    if whole is not None:
        _add_cost(litellm, whole)
    return whole


def _chunk_text(chunk: Completion) -> str:
    choices: list[object] = getattr(chunk, "choices", [])
    delta = getattr(choices[0], "delta", None) if choices else None
    text = getattr(delta, "content", None)
    return text if isinstance(text, str) else ""


def _add_cost(litellm: _LiteLLM, whole: Completion) -> None:
    hidden_params: dict[str, object] = getattr(whole, "_hidden_params", {})
    if isinstance(hidden_params.get(COST_KEY), float):
        return
    hidden_params[COST_KEY] = look_up(
        lambda: litellm.completion_cost(completion_response=whole), 0.0
    )


class Completion(Protocol):
    """The method of LiteLLM's response that we use."""

    def model_dump(self) -> dict[str, object]:
        """Returns the response as plain values."""
        ...


class _ResponsePart(BaseModel):
    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class _Function(_ResponsePart):
    name: str | None = Field(default=None, description="The name of the function.")
    arguments: str | None = Field(default=None, description="The arguments, as JSON text.")


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
    content: str | None = Field(default=None, description="The text of the reply.")
    reasoning_content: str | None = Field(
        default=None, description="The reasoning, where the server sends it apart."
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


def parse_completion(response: Completion | None, model: str) -> ModelReply:
    """Parses the first choice of `response` that has text or calls, else the first.

    Raises `ModelUnavailable` when the server of `model` sent no choice.
    """
    try:
        completion = _Completion.model_validate(response.model_dump() if response else {})
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
        finish_reason=choice.finish_reason or "stop",
        usage=_usage(completion.usage or _Usage(), _cost(response)),
        model=model,
    )


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


# None where LiteLLM knows no price for the model.
def _cost(response: Completion | None) -> float:
    hidden_params: dict[str, object] = getattr(response, "_hidden_params", {})
    cost = hidden_params.get(COST_KEY)
    return cost if isinstance(cost, float) else 0.0
