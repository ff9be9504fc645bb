"""What services in this process log, held to what no log may tell."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mini_agent_protocol.asgi.access_log import JsonFormatter
from tests.faults.disclosure import require_no_secrets

SERVICES: Final = ("codex_sidecar", "mini_agent_shim", "mini_agent", "uvicorn")


@contextmanager
def require_clean_log() -> Iterator[None]:
    """Requires that of all that the services in this process log while the block runs."""
    lines = _Lines()
    with lines.heard():
        yield
    require_no_secrets("\n".join(lines.said))


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))

    @contextmanager
    def heard(self) -> Iterator[None]:
        loggers = [logging.getLogger(name) for name in SERVICES]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.addHandler(self)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.removeHandler(self)
                logger.setLevel(level)
