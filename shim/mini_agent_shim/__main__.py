"""Starts the shim: `mini-agent-shim`."""

from __future__ import annotations

import logging
import sys
from typing import Final

import uvicorn
from pydantic import ValidationError

from mini_agent.backends import languages_for
from mini_agent.errors import BadRequest
from mini_agent.tools.languages import allowed_languages
from mini_agent_shim.app import create_app
from mini_agent_shim.run_log import log_to_stderr
from mini_agent_shim.settings import ShimSettings, require_safe_door

HEALTH_PATHS: Final = ("/healthz", "/ready")
GRACE_S: Final = 5


def main() -> None:
    """Serves until it is told to stop; exits with 2 and one line when it is set up wrongly."""
    try:
        settings = ShimSettings()
        require_safe_door(settings)
        allowed_languages(languages_for(None, settings) or ())
        app = create_app(settings)
    except BadRequest as wrong:
        sys.stderr.write(f"mini-agent-shim: {wrong}\n")
        sys.exit(2)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        sys.stderr.write(f"mini-agent-shim: {first['loc'][0]}: {first['msg']}\n")
        sys.exit(2)
    log_to_stderr()
    logging.getLogger("uvicorn.access").addFilter(_is_no_health_check)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


def _is_no_health_check(record: logging.LogRecord) -> bool:
    line = record.getMessage()
    return not any(f'"GET {path} ' in line for path in HEALTH_PATHS)


if __name__ == "__main__":
    main()
