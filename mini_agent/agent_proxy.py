"""The shim's ASGI app, for `uvicorn mini_agent.agent_proxy:app`."""

from __future__ import annotations

from mini_agent.settings import require_extra


# Imported on first use: the web server is an extra.
def __getattr__(name: str) -> object:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with require_extra("mini_agent", what="the HTTP endpoint"):
        from mini_agent_shim.agent_proxy import app
    return app
