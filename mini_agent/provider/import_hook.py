"""Import hook: patch LiteLLM's modules as they are imported, and serve aliases of ours.

Interpreters may load this at their start, so it imports next to nothing itself.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec

# Named, not imported: what each module of LiteLLM gets, once it has been imported.
PATCHES = {
    "litellm.llms.custom_llm": "add_register_function",
    "litellm.litellm_core_utils.get_llm_provider_logic": "accept_bare_name",
    "litellm.litellm_core_utils.get_supported_openai_params": "support_parameters",
    "litellm.utils": "patch_utils",
    "litellm": "add_provider",
}
AGENT_MODULE = "litellm.experimental_mcp_client.mini_agent"
# Modules that only a fork of LiteLLM had; here each is the same object as a module of ours.
ALIASES = {
    "litellm.llms.mini_agent": "mini_agent.provider.handler",
    AGENT_MODULE: "mini_agent",
    f"{AGENT_MODULE}.litellm_mcp_mini_agent": "mini_agent",
    f"{AGENT_MODULE}.call_wrapper": "mini_agent.provider.router_call",
    f"{AGENT_MODULE}.http_tools_invoker": "mini_agent.tools.http",
    f"{AGENT_MODULE}.research_tools": "mini_agent.tools.research.invoker",
    f"{AGENT_MODULE}.agent_proxy": "mini_agent.agent_proxy",
}

# Not typing's own, which takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from types import ModuleType
else:
    Loader = object


def arm() -> None:
    """Patch the modules of LiteLLM that are imported, and hook the import of the others."""
    if any(isinstance(finder, PatchingFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, PatchingFinder())
    for name in PATCHES:
        if name in sys.modules:
            _patch(sys.modules[name])


class PatchingFinder:
    """Stands before the other finders: lets them find LiteLLM's modules, and adds to those."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for every module that is none of LiteLLM's, or of no interest."""
        if name in PATCHES:
            found = self._find_spec_elsewhere(name, path, target)
            if found is not None and found.loader is not None:
                found.loader = _PatchingLoader(found.loader)
            return found
        if name in ("litellm.llms.mini_agent", AGENT_MODULE):
            # A LiteLLM that has a module of this name means that one.
            return self._find_spec_elsewhere(name, path, target) or _build_alias_spec(
                name, ALIASES[name]
            )
        if (
            name.startswith(f"{AGENT_MODULE}.")
            and sys.modules.get(AGENT_MODULE) is sys.modules["mini_agent"]
        ):
            usual = f"mini_agent.{name.removeprefix(f'{AGENT_MODULE}.')}"
            return _build_alias_spec(name, ALIASES.get(name, usual))
        return None

    def _find_spec_elsewhere(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is not self and (found := finder.find_spec(name, path, target)):
                return found
        return None


def _build_alias_spec(name: str, ours: str) -> ModuleSpec | None:
    try:
        module = importlib.import_module(ours)
    except ModuleNotFoundError as missing:
        if missing.name == ours:
            return None
        raise
    return ModuleSpec(name, _ExistingModuleLoader(module), is_package=hasattr(module, "__path__"))


class _ExistingModuleLoader(Loader):
    """Gives a module that is there already; the import system writes over its `__spec__`."""

    def __init__(self, module: ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        del spec
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _PatchingLoader(Loader):
    """Loads as the loader it stands for does, adds, and leaves no trace of itself."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _patch(module)


def _patch(module: ModuleType) -> None:
    try:
        from mini_agent.provider import registration

        getattr(registration, PATCHES[module.__name__])(module)
    # A LiteLLM that has changed too much must still work for those who only use it as it is.
    except Exception as broken:  # noqa: BLE001
        why = f"{type(broken).__name__}: {broken}"
        sys.stderr.write(f"mini-agent: cannot add to {module.__name__} of this LiteLLM: {why}\n")
