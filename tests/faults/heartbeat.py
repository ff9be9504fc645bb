"""The pulse of a service: whether it says that it lives, whatever else it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

EVERY_S: Final = 0.1


@dataclass
class Heartbeat:
    """Asked for over `client`, ten times a second."""

    client: httpx.Client
    failures: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    _is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """While the block runs."""
        thread = threading.Thread(target=self._feel)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _feel(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self.client.get("/healthz").raise_for_status()
            except httpx.HTTPError as failed:
                self.failures.append(repr(failed))
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if self._is_over.wait(EVERY_S):
                return
