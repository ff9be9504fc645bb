"""What a run used, as LiteLLM counts it."""

from __future__ import annotations

from mini_agent.models.litellm_runtime import litellm_module
from mini_agent.result import Usage


def usage_of(usage: Usage) -> object:
    """LiteLLM's Usage; cached tokens are part of the prompt's."""
    counted: object = litellm_module().Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details={"cached_tokens": usage.cached_tokens},
    )
    return counted
