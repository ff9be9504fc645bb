"""One model call through a LiteLLM Router that is closed afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from mini_agent.messages import Message
from mini_agent.models.litellm_runtime import load_litellm


async def arouter_call(*, model: str, messages: Sequence[Message], **parameters: object) -> object:
    """LiteLLM's response to one call; raises what LiteLLM raises, and tries nothing twice.

    `parameters` are those of `litellm.acompletion`.
    """
    litellm = await load_litellm()
    deployment = {"model_name": model, "litellm_params": {"model": model}}
    router = litellm.Router(model_list=[deployment], num_retries=0)
    try:
        return await router.acompletion(model=model, messages=list(messages), **parameters)
    finally:
        router.discard()
