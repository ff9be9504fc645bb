"""The HTTP endpoint for uvicorn: `uvicorn mini_agent.agent_proxy:app`."""

from __future__ import annotations

from typing import Final

from mini_agent.extras import module_of_extra

SHIM: Final = module_of_extra(
    "mini_agent_shim.agent_proxy", extra="mini_agent", what="the HTTP endpoint"
)
# It is named in a string, for uvicorn to find; nothing else imports this file.
app: Final = SHIM.app
