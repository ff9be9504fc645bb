"""Which model answers, and which smaller one reads web pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mini_agent.errors import NotConfigured

USUAL: Final = "gpt-4.1"
DIGESTING: Final = (
    ("gpt-", "gpt-4.1-nano"),
    ("openai/gpt-", "openai/gpt-4.1-nano"),
    ("o1", "o4-mini"),
    ("o3", "o4-mini"),
    ("o4", "o4-mini"),
    ("gemini/", "gemini/gemini-2.5-flash"),
    ("anthropic/", "anthropic/claude-3-haiku-20240307"),
)


def model_named(named: str, configured: str, variables: Mapping[str, str]) -> str:
    """The model asked for, else that of the environment or the settings, else OpenAI's usual one
    where there is a key for it."""
    environment = variables.get("LITELLM_DEFAULT_CODE_MODEL") or variables.get(
        "LITELLM_DEFAULT_MODEL"
    )
    # Claude Code's settings may say "opus", which names no model of LiteLLM's.
    of_settings = configured if "-" in configured else ""
    model = named or environment or of_settings
    if model:
        return model
    if variables.get("OPENAI_API_KEY"):
        return USUAL
    raise NotConfigured(
        "no model is named",
        field="model",
        hint="name one with --model or LITELLM_DEFAULT_CODE_MODEL, such as "
        "ollama/qwen2.5-coder:3b or gemini/gemini-2.5-pro",
    )


def digest_model_for(model: str) -> str:
    """The small model of the same maker; the model itself where none is known."""
    return next((small for prefix, small in DIGESTING if model.startswith(prefix)), model)
