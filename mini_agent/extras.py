"""What an extra of the package brings, imported where it is first needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from mini_agent.errors import NotConfigured


def module_of_extra(module: str, *, extra: str, what: str) -> ModuleType:
    """The module; `NotConfigured` says that `what` needs the extra, and how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        raise NotConfigured(
            f"{what} needs {missing.name}, which is not installed",
            hint=f"pip install 'mini-agent[{extra}]'",
        ) from None
