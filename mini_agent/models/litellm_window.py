"""How long a conversation a model takes, as far as LiteLLM knows."""

from __future__ import annotations

from mini_agent.models.litellm_runtime import loaded_litellm


async def window_of(model: str) -> int | None:
    """The tokens of a prompt at most; None where nobody knows."""
    litellm = await loaded_litellm()
    try:
        known: dict[str, object] = litellm.get_model_info(model)
    except Exception:  # noqa: BLE001  LiteLLM raises what it likes for a model it does not know
        return None
    tokens = known.get("max_input_tokens") or known.get("max_tokens")
    return tokens if isinstance(tokens, int) else None
