"""The shim for servers that are given `module:app`, such as uvicorn."""

from __future__ import annotations

from fastapi import FastAPI

from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings, require_safe_door


# Made when it is asked for: importing a module does no work.
def __getattr__(name: str) -> FastAPI:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    settings = ShimSettings()
    require_safe_door(settings)
    return create_app(settings)
