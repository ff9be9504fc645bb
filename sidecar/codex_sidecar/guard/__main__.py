"""Starts the guard: `codex-guard`, or `python -m codex_sidecar.guard`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

import uvloop
from pydantic import ValidationError

from codex_sidecar.guard.policy import OwnedContainers, Policy
from codex_sidecar.guard.server import GuardServer
from codex_sidecar.guard.settings import GuardSettings
from codex_sidecar.guard.upstream import UpstreamEngine
from mini_agent_protocol.asgi.access_log import JsonFormatter, log_to_stderr

log = logging.getLogger(__name__)


def main() -> None:
    """Guard until stopped; exit with 2 and one line on stderr where it cannot start."""
    try:
        settings = GuardSettings()
    except ValidationError as wrong:
        name = "CODEX_GUARD_" + str(wrong.errors()[0]["loc"][0]).upper()
        sys.stderr.write(f"codex-guard cannot start: {name}: {wrong.errors()[0]['msg']}\n")
        raise SystemExit(2) from wrong
    log_to_stderr(logging.getLogger(), JsonFormatter())
    uvloop.run(serve(settings))


async def serve(settings: GuardSettings) -> None:
    """Guard until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    engine = UpstreamEngine(settings.docker_socket)
    owned = OwnedContainers(engine, settings.instance, settings.most_sandboxes)
    policy = Policy(settings.docker_socket, settings.template(), engine, owned)
    async with GuardServer(policy).listen(settings.socket):
        log.info("guarding", extra={"socket": str(settings.socket), "runtime": settings.runtime})
        await stopped.wait()
    await engine.aclose()


if __name__ == "__main__":
    main()
