"""Whether a model takes pictures, as far as Ollama or LiteLLM's list of models can tell.

How long a conversation a model takes, as far as LiteLLM knows.
"""

from __future__ import annotations

import contextlib

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.errors import BadRequest
from mini_agent.model import is_ollama
from mini_agent.models.litellm_runtime import load_litellm


async def find_context_window(model: str) -> int | None:
    """The tokens of a prompt at most; None where nobody knows."""
    litellm = await load_litellm()
    try:
        known: dict[str, object] = litellm.get_model_info(model)
    except Exception:  # noqa: BLE001  LiteLLM raises what it likes for a model it does not know
        return None
    tokens = known.get("max_input_tokens") or known.get("max_tokens")
    return tokens if isinstance(tokens, int) else None


DEFAULT_OLLAMA_URL = "http://127.0.0.1:11434"
TIMEOUT_S = 5.0
VISION = "vision"


class _OllamaModelInfo(BaseModel):
    model_config = ConfigDict(extra="ignore")

    capabilities: list[str] | None = Field(
        default=None,
        description="What the model can do, such as vision; null where the server does not say.",
    )


async def require_vision(model: str, ollama_address: str) -> None:
    """Raises `BadRequest` when `model` is known to take no pictures; who is not known passes."""
    sees = await (_ask_ollama(model, ollama_address) if is_ollama(model) else _ask_litellm(model))
    if sees is False:
        raise BadRequest(
            f"the model {model} takes no pictures",
            field="model",
            hint="take one that does, such as ollama/qwen2.5vl:3b, or name no pictures",
        )


async def _ask_ollama(model: str, address: str) -> bool | None:
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
    litellm = await load_litellm()
    try:
        found: dict[str, object] = litellm.get_model_info(model)
    # It has no error of its own for a model that it does not know.
    except Exception:  # noqa: BLE001
        return None
    return found.get("supports_vision") is True
