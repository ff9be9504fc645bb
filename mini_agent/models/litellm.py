"""The model behind LiteLLM: one chat completion a call, for every provider."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from pydantic import JsonValue

from mini_agent.errors import ModelError, NotConfigured
from mini_agent.messages import JsonObject
from mini_agent.model import ModelReply, ModelRequest, context_tokens, is_ollama
from mini_agent.models.accumulator import CompletionAccumulator, offered_names
from mini_agent.models.completion import parse_completion
from mini_agent.models.litellm_errors import (
    FailedCall,
    create_model_error,
    parse_retry_after,
    timeout_error,
)
from mini_agent.models.litellm_runtime import load_litellm, look_up
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
                    whole, cost = await stream_completion(litellm, parameters, self._on_text)
                else:
                    response = await litellm.acompletion(**parameters)
                    whole, cost = _dump(response), _cost(response)
            return parse_completion(whole, request.model, cost=cost)
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
    litellm: _LiteLLM, parameters: Parameters, on_text: OnText
) -> tuple[JsonObject, float]:
    """Streams a completion to its end; calls `on_text` with each piece of text.

    Returns the completion and its cost in US dollars.
    """
    streaming: Parameters = {
        **parameters,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    accumulator = CompletionAccumulator(offered_names(parameters.get("tools")))
    chunks: list[Completion] = []
    stream = await litellm.acompletion(**streaming)
    async for chunk in stream:
        chunks.append(chunk)
        text = accumulator.add(_dump(chunk))
        if text:
            on_text(text)
    if not _has_finish_reason(stream):
        accumulator.finish_reason = ""
    # LiteLLM counts the tokens where the server does not.
    whole = look_up(lambda: litellm.stream_chunk_builder(chunks, parameters["messages"]), None)
    accumulator.usage = _dump(whole).get("usage") or accumulator.usage
    return accumulator.build(), _find_cost(litellm, whole)


def _has_finish_reason(stream: object) -> bool:
    """Tells whether the server sent one; LiteLLM adds "stop" where it did not."""
    names = ("received_finish_reason", "intermittent_finish_reason")
    reasons = [getattr(stream, name) for name in names if hasattr(stream, name)]
    return any(reasons) or not reasons


def _find_cost(litellm: _LiteLLM, whole: Completion | None) -> float:
    if whole is None or _cost(whole):
        return _cost(whole)
    return look_up(lambda: litellm.completion_cost(completion_response=whole), 0.0)


class Completion(Protocol):
    """The method of LiteLLM's response that we use."""

    def model_dump(self, *, mode: str) -> JsonObject:
        """Returns the response as plain values."""
        ...


def _dump(response: Completion | None) -> JsonObject:
    return response.model_dump(mode="json") if response else {}


# None where LiteLLM knows no price for the model.
def _cost(response: Completion | None) -> float:
    hidden_params: dict[str, object] = getattr(response, "_hidden_params", {})
    cost = hidden_params.get(COST_KEY)
    return cost if isinstance(cost, float) else 0.0
