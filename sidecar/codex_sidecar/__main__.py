"""Starts the sidecar: `codex-sidecar`, or `python -m codex_sidecar`."""

from __future__ import annotations

import sys
from typing import NoReturn

import uvicorn
from pydantic import ValidationError

from codex_sidecar.access import token_in
from codex_sidecar.app import create_app
from codex_sidecar.log import log_to_stderr
from codex_sidecar.settings import Settings
from mini_agent.errors import MiniAgentError


def main() -> None:
    """Serves until told to stop; exits with 2 and one line where it cannot start."""
    try:
        settings = Settings()
        token = token_in(settings.token_file, int(settings.token_mode, 8))
    except ValidationError as wrong:
        _refuse(_first(wrong))
    except MiniAgentError as wrong:
        _refuse(str(wrong))
    log_to_stderr()
    uvicorn.run(
        create_app(settings, token),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(f"codex-sidecar cannot start: {why}\n")
    raise SystemExit(2)


def _first(wrong: ValidationError) -> str:
    error = wrong.errors()[0]
    name = "CODEX_SIDECAR_" + str(error["loc"][0]).upper()
    return f"{name}={error['input']}: {error['msg']}"


if __name__ == "__main__":
    main()
