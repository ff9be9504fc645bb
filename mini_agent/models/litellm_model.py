"""The model behind LiteLLM: one chat completion a call, whoever serves it."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from mini_agent.errors import ModelError, NotConfigured
from mini_agent.model import ModelReply, ModelRequest, context_tokens, is_ollama
from mini_agent.models.litellm import as_reply
from mini_agent.models.litellm_errors import model_error, timed_out
from mini_agent.models.litellm_failed_call import FailedCall
from mini_agent.models.litellm_runtime import loaded_litellm
from mini_agent.models.litellm_streamed import OnText, streamed
from mini_agent.models.retry_after import retry_after
from mini_agent.ollama_address import ollama_url

# LiteLLM makes and keeps a client, with connections of its own, for every timeout it is given.
# The time that is left differs from call to call; it is kept here, by cancelling.
NEVER_S: Final = 86_400.0

Parameters = dict[str, JsonValue]


# A `litellm.Router` a run would leave four callbacks a run in LiteLLM's global lists, each of which
# every later call goes through (4 ms a call became 24 after 50 runs), and warn from the 100th on.
# `acompletion` shares its connections among all calls of a process as it is.
class LiteLLMModel:
    """Answers through `litellm.acompletion`: never retried, cut at its deadline.

    `ollama_address` is where Ollama is when a request's own `api_base` does not say. `num_ctx` is
    Ollama's alone: other servers are not sent it. `on_text` is told the text of an answer as it
    comes, but not of Ollama's, which in a stream puts calls into the text.
    """

    def __init__(self, *, ollama_address: str = "", on_text: OnText | None = None) -> None:
        self._ollama_address = ollama_address
        self._on_text = on_text

    async def reply(self, request: ModelRequest) -> ModelReply:
        """The model's turn; raises `ModelError`, whatever LiteLLM raised."""
        parameters = self._parameters(request)
        try:
            async with asyncio.timeout(request.timeout_s):
                litellm = await loaded_litellm()
                if self._on_text and not is_ollama(request.model):
                    response = await streamed(litellm, parameters, self._on_text)
                else:
                    response = await litellm.acompletion(**parameters)
            return as_reply(response, request.model)
        except TimeoutError:
            raise timed_out(_failed(request, parameters, status=408)) from None
        except ModelError:
            raise
        # LiteLLM lets bare ValueError, KeyError and the like through beside its own tree.
        except Exception as broken:
            failed = _failed(request, parameters, status=_status(broken), text=str(broken))
            raise model_error(replace(failed, retry_after_s=retry_after(broken))) from broken

    def _parameters(self, request: ModelRequest) -> Parameters:
        ollama = is_ollama(request.model)
        parameters: Parameters = {
            # LiteLLM rewrites messages in place for some providers; the transcript stays ours.
            "messages": list(copy.deepcopy(request.messages)),
            "model": _with_native_tools(request.model),
            "timeout": NEVER_S,
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
    # LiteLLM's `ollama/` route forces JSON on every answer as soon as there are tools.
    return f"ollama_chat/{model.removeprefix('ollama/')}" if model.startswith("ollama/") else model


def _ollama_url(address: str) -> str:
    try:
        return ollama_url(address, "api_base")
    except NotConfigured as wrong:
        raise ModelError(wrong.message, hint=wrong.hint) from None


def _failed(
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
