"""The HTTP endpoint for uvicorn: `uvicorn mini_agent.agent_proxy:app`."""

from __future__ import annotations

from mini_agent.extras import module_of_extra


# Known by its address alone: the web server is an extra.
def __getattr__(name: str) -> object:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    shim = "mini_agent_shim.agent_proxy"
    app: object = module_of_extra(shim, extra="mini_agent", what="the HTTP endpoint").app
    return app
