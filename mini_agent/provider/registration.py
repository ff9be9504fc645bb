"""Register a provider in LiteLLM, and patch the modules of LiteLLM that need it.

The table `PATCHES` of `import_hook` says which function is applied after which import.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Final, TypeAlias

from mini_agent.errors import BadRequest
from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.provider.parameters import OPENAI_PARAMETERS, PROVIDER
from mini_agent.remote.openai_parameters import MODEL_PARAMETERS

REQUIRED_METHODS: Final = ("completion", "acompletion")


def register_mini_agent() -> None:
    """Registers `MiniAgentLLM`, unless a provider of its name is registered."""
    registry = import_litellm().custom_provider_map
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
    missing = [
        method for method in REQUIRED_METHODS if not callable(getattr(instance, method, None))
    ]
    if missing:
        raise BadRequest(
            f"{handler!r} cannot serve as a provider: it has no {' and no '.join(missing)}",
            field="handler",
            hint="subclass litellm.CustomLLM",
        )
    litellm = import_litellm()
    instance = _as_custom_llm(instance, litellm.CustomLLM)
    registry = litellm.custom_provider_map
    registry[:] = [entry for entry in registry if entry["provider"] != name]
    registry.append({"provider": name, "custom_handler": instance})
    for known in (litellm.provider_list, vars(litellm)["_custom_providers"]):
        if name not in known:
            known.append(name)
    return instance


# LiteLLM calls instances of its own class only, since 1.108.
def _as_custom_llm(instance: object, custom_llm: type) -> object:
    """Give back a handler that has the methods alone as an instance of LiteLLM's class as well."""
    if isinstance(instance, custom_llm):
        return instance
    kind = type(instance)
    if not hasattr(instance, "__dict__"):
        raise BadRequest(
            f"{kind.__name__} has slots, so LiteLLM cannot call it",
            field="handler",
            hint="subclass litellm.CustomLLM",
        )
    adapted: type = type(kind.__name__, (kind, custom_llm), {})
    handler: object = object.__new__(adapted)
    # Shared, not copied: what the caller changes in its own handler later counts here too.
    handler.__dict__ = instance.__dict__
    return handler


ProviderMatch: TypeAlias = tuple[str, str, str | None, str | None]
GetProvider: TypeAlias = Callable[..., ProviderMatch]
GetOptional: TypeAlias = Callable[..., dict[str, object]]
GetSupported: TypeAlias = Callable[..., list[str] | None]


def add_provider(litellm: ModuleType) -> None:
    """Register the provider, and make `litellm.llms.mini_agent` importable."""
    del litellm
    register_mini_agent()
    importlib.import_module("litellm.llms.mini_agent")


def add_register_function(custom_llm: ModuleType) -> None:
    """Add `litellm.llms.custom_llm.register_custom_provider`, unless it has one."""
    if not hasattr(custom_llm, "register_custom_provider"):
        custom_llm.__dict__["register_custom_provider"] = register_custom_provider


def patch_utils(utils: ModuleType) -> None:
    """Keep the provider registered, and its calls' parameters."""
    keep_provider_registered(utils)
    keep_model_parameters(utils)


def keep_model_parameters(utils: ModuleType) -> None:
    """Hand the provider every parameter of the model that a call names.

    LiteLLM leaves out those that OpenAI's models of that name do not know, such as `thinking`.
    """
    theirs: GetOptional = utils.get_optional_params

    @functools.wraps(theirs)
    def get_optional_params(*arguments: object, **named: object) -> dict[str, object]:
        optional = theirs(*arguments, **named)
        if named.get("custom_llm_provider") == PROVIDER:
            kept = {name: named[name] for name in MODEL_PARAMETERS if named.get(name) is not None}
            optional = kept | optional
        return optional

    _replace_function("get_optional_params", theirs, get_optional_params)


def keep_provider_registered(utils: ModuleType) -> None:
    """Register the provider again when its registry is replaced, as LiteLLM's Proxy does.

    LiteLLM calls `custom_llm_setup` at the start of every completion.
    """
    theirs: Callable[[], None] = utils.custom_llm_setup

    @functools.wraps(theirs)
    def custom_llm_setup() -> None:
        register_mini_agent()
        theirs()

    _replace_function("custom_llm_setup", theirs, custom_llm_setup)


def accept_bare_name(logic: ModuleType) -> None:
    """Accept `mini-agent` alone as a model; LiteLLM takes none without a slash."""
    theirs: GetProvider = logic.get_llm_provider

    @functools.wraps(theirs)
    def get_llm_provider(
        model: str, custom_llm_provider: str | None = None, *rest: object, **named: object
    ) -> ProviderMatch:
        if model == PROVIDER and custom_llm_provider in (None, PROVIDER):
            model = f"{PROVIDER}/default"
        return theirs(model, custom_llm_provider, *rest, **named)

    _replace_function("get_llm_provider", theirs, get_llm_provider)


def support_parameters(module: ModuleType) -> None:
    """Name the parameters of OpenAI's API that the provider takes, reasoning included.

    LiteLLM refuses the others with a 400 that names them, or drops them with `drop_params`.
    """
    theirs: GetSupported = module.get_supported_openai_params

    @functools.wraps(theirs)
    def get_supported_openai_params(
        model: str, custom_llm_provider: str | None = None, *rest: object, **named: object
    ) -> list[str] | None:
        if custom_llm_provider == PROVIDER:
            return list(OPENAI_PARAMETERS)
        return theirs(model, custom_llm_provider, *rest, **named)

    _replace_function("get_supported_openai_params", theirs, get_supported_openai_params)


# Where LiteLLM was imported before us, its modules hold each other's functions already.
def _replace_function(name: str, theirs: object, ours: object) -> None:
    for known, module in list(sys.modules.items()):
        if known.partition(".")[0] == "litellm" and vars(module).get(name) is theirs:
            vars(module)[name] = ours
