"""Putting a provider into LiteLLM's registry: ours, or any other."""

from __future__ import annotations

from typing import Final

from mini_agent.errors import BadRequest
from mini_agent.models.litellm_runtime import litellm_module
from mini_agent.provider.parameters import PROVIDER

METHODS: Final = ("completion", "acompletion")


def register_ours() -> None:
    """Registers `MiniAgentLLM`, unless a provider of its name is registered."""
    registry = litellm_module().custom_provider_map
    if not any(entry["provider"] == PROVIDER for entry in registry):
        # Imported here: it imports LiteLLM.
        from mini_agent.provider.handler import MiniAgentLLM

        register_custom_provider(PROVIDER, MiniAgentLLM)


def register_custom_provider(name: str, handler: object) -> object:
    """Registers a handler class or instance under `name`, in place of an earlier one.

    Gives back the instance. `litellm.custom_provider_map`, `provider_list` and
    `_custom_providers` know the name afterwards. Raises `BadRequest` for what is no handler.
    """
    if not isinstance(name, str) or not name or "/" in name:
        raise BadRequest(f"{name!r} is no name for a provider: text without a slash", field="name")
    instance = handler() if isinstance(handler, type) else handler
    missing = [method for method in METHODS if not callable(getattr(instance, method, None))]
    if missing:
        raise BadRequest(
            f"{handler!r} cannot serve as a provider: it has no {' and no '.join(missing)}",
            field="handler",
            hint="subclass litellm.CustomLLM",
        )
    litellm = litellm_module()
    registry = litellm.custom_provider_map
    registry[:] = [entry for entry in registry if entry["provider"] != name]
    registry.append({"provider": name, "custom_handler": instance})
    for known in (litellm.provider_list, vars(litellm)["_custom_providers"]):
        if name not in known:
            known.append(name)
    return instance
