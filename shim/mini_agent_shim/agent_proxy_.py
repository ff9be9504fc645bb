"""The shim for servers that are given `module:app`, such as uvicorn."""

from __future__ import annotations

from starlette.types import ASGIApp

from mini_agent_shim.agent_proxy import ThisMachineOnly
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings, asks_for_a_token


# Made when it is asked for: importing a module does no work.
def __getattr__(name: str) -> ASGIApp:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    settings = ShimSettings()
    app = create_app(settings)
    return app if asks_for_a_token(settings) else ThisMachineOnly(app)
