"""Starts the shim: `mini-agent-shim`."""

from __future__ import annotations

import logging
import sys
from typing import Final

import uvicorn
from pydantic import ValidationError

from mini_agent.agent.tool_backends import choose_languages
from mini_agent.errors import BadRequest
from mini_agent.tools.languages import resolve_languages
from mini_agent_protocol.asgi.access_log import log_to_stderr
from mini_agent_protocol.asgi.head_timeout import HeadTimeoutProtocol
from mini_agent_shim.app import create_app
from mini_agent_shim.http.tracing import export_spans
from mini_agent_shim.runs.store import require_writable_folder
from mini_agent_shim.settings import ShimSettings, require_token_or_loopback

SHUTDOWN_TIMEOUT_S: Final = 5


def main() -> None:
    """Serve until a signal stops it; exit with 2 and one line where the settings are wrong."""
    try:
        settings = ShimSettings()
        require_token_or_loopback(settings)
        require_writable_folder(settings.runs_dir)
        resolve_languages(choose_languages(None, settings) or ())
        export_spans("mini-agent")
        app = create_app(settings)
    except BadRequest as wrong:
        sys.stderr.write(f"mini-agent-shim: {wrong}\n")
        sys.exit(2)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        sys.stderr.write(f"mini-agent-shim: {first['loc'][0]}: {first['msg']}\n")
        sys.exit(2)
    log_to_stderr(logging.getLogger("mini_agent_shim"))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=HeadTimeoutProtocol,
        server_header=False,
        # AccessLogMiddleware writes a line for each request, with its id.
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
    )


if __name__ == "__main__":
    main()
