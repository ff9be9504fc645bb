"""Starts the sidecar: `codex-sidecar`, or `python -m codex_sidecar`."""

from __future__ import annotations

import ctypes
import logging
import sys
from typing import Final, NoReturn

from pydantic import ValidationError

from codex_sidecar.app import create_app
from codex_sidecar.http.auth import load_token
from codex_sidecar.http.server import SidecarServer
from codex_sidecar.settings import Settings
from mini_agent_protocol.asgi.access_log import JsonFormatter, log_to_stderr
from mini_agent_protocol.errors import MiniAgentError

EXIT_NOT_STARTED: Final = 3
# <malloc.h>
M_MMAP_THRESHOLD: Final = -3
MMAP_THRESHOLD_BYTES: Final = 262_144


def main() -> None:
    """Serve until stopped; exit with 2 and one line on stderr where it cannot start."""
    try:
        settings = Settings()
        token = load_token(settings.token_file, int(settings.token_mode, 8))
    except ValidationError as wrong:
        _exit(_describe(wrong))
    except MiniAgentError as wrong:
        _exit(str(wrong))
    log_to_stderr(logging.getLogger(), JsonFormatter())
    _return_large_blocks()
    server = SidecarServer(create_app(settings, token), settings.host, settings.port)
    server.run()
    if not server.started:
        raise SystemExit(EXIT_NOT_STARTED)


def _return_large_blocks() -> None:
    """Make glibc return large blocks to the system instead of keeping them for reuse."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)


def _exit(why: str) -> NoReturn:
    sys.stderr.write(f"codex-sidecar cannot start: {why}\n")
    raise SystemExit(2)


def _describe(wrong: ValidationError) -> str:
    error = wrong.errors()[0]
    name = "CODEX_SIDECAR_" + str(error["loc"][0]).upper()
    return f"{name}={error['input']}: {error['msg']}"


if __name__ == "__main__":
    main()
