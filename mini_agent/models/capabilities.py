"""Looks up a model's context window and vision, with Ollama or in LiteLLM's list of models."""

from __future__ import annotations

import contextlib
import os
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.errors import BadRequest
from mini_agent.model import is_ollama
from mini_agent.models.catalog import find_max_input_tokens
from mini_agent.models.litellm_runtime import load_litellm, look_up
from mini_agent.models.servers import DEFAULT_OLLAMA_URL, is_direct

TIMEOUT_S: Final = 5.0
VISION: Final = "vision"


async def find_context_window(model: str) -> int | None:
    """Finds the maximum tokens of a prompt; returns None for an unknown model.

    LiteLLM is imported only for a model that it is asked for anyway.
    """
    if is_direct(model, "", os.environ):
        return find_max_input_tokens(model.rpartition("/")[2])
    model_info = await _get_model_info(model)
    tokens = model_info.get("max_input_tokens") or model_info.get("max_tokens")
    return tokens if isinstance(tokens, int) else None


async def require_vision(model: str, ollama_address: str) -> None:
    """Raises `BadRequest` when `model` is known to take no images; an unknown model passes."""
    has_vision = await (
        _ask_ollama(model, ollama_address) if is_ollama(model) else _ask_litellm(model)
    )
    if has_vision is False:
        raise BadRequest(
            f"the model {model} takes no pictures",
            field="model",
            hint="take one that does, such as ollama/qwen2.5vl:3b, or name no pictures",
        )


class _OllamaModelInfo(BaseModel):
    model_config = ConfigDict(extra="ignore")

    capabilities: list[str] | None = Field(
        default=None,
        description="What the model can do, such as vision; null where the server does not say.",
    )


async def _ask_ollama(model: str, address: str) -> bool | None:
    import httpx

    name = model.partition("/")[2]
    with contextlib.suppress(httpx.HTTPError, ValidationError):
        async with httpx.AsyncClient(
            base_url=address or DEFAULT_OLLAMA_URL, timeout=TIMEOUT_S, trust_env=False
        ) as ollama:
            answer = await ollama.post("/api/show", json={"model": name})
        capabilities = _OllamaModelInfo.model_validate_json(answer.content).capabilities
        return None if capabilities is None else VISION in capabilities
    return None


async def _ask_litellm(model: str) -> bool | None:
    model_info = await _get_model_info(model)
    return model_info.get("supports_vision") is True if model_info else None


async def _get_model_info(model: str) -> dict[str, object]:
    """LiteLLM's entry for `model`; empty for a model that it does not know."""
    litellm = await load_litellm()
    model_info: dict[str, object] = look_up(lambda: litellm.get_model_info(model), {})
    return model_info
