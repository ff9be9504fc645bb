"""The six invariants: what has to be so after every case, whatever went wrong in it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from codex_sidecar.engine.connection import MAX_IDLE_CONNECTIONS
from tests.docker.sidecar_process import (
    GONE_S,
    HEADERS,
    Sidecar,
    sandboxes_of,
)
from tests.faults.disclosure import require_no_secrets, require_problem
from tests.faults.footprint import Footprint, footprint_of
from tests.faults.heartbeat import Heartbeat

# Bounds of time hold on a machine with much else to do; docs/faults.md has what was seen.
BACK_S: Final = 20.0
# One that is being started for the pool is not yet among the warm ones.
FULL_S: Final = 60.0
LONGEST_HEALTH_S: Final = 5.0
MOST_MORE: Final = Footprint(
    mib=16,
    # Connections that are kept for the next call to the engine.
    files=MAX_IDLE_CONNECTIONS,
    # Those that read large bodies stay for the next one.
    threads=min(32, (os.cpu_count() or 1) + 4),
)
PRINTS_42: Final = {"language": "python", "code": "print(6 * 7)"}
LEVEL: Final = re.compile(r"^sidecar_pool_level\{.*\} (\d+)", re.MULTILINE)


@dataclass(slots=True)
class Seen:
    """What was seen after a case, for the table."""

    gone_s: float = 0.0
    longest_health_s: float = 0.0
    more: Footprint = field(default_factory=lambda: Footprint(0, 0, 0))

    def noted(self) -> list[tuple[str, object]]:
        """Each number with its name."""
        return [
            ("gone_s", round(self.gone_s, 3)),
            ("health_ms", round(1000 * self.longest_health_s)),
            ("mib", round(self.more.mib, 1)),
            ("files", self.more.files),
            ("threads", self.more.threads),
        ]


@dataclass(frozen=True, slots=True)
class Watch:
    """A sidecar, and what it held when it was at rest for the first time."""

    sidecar: Sidecar
    client: httpx.Client
    at_rest: Footprint

    @contextmanager
    def case(self, test: pytest.Item) -> Iterator[None]:
        """Requires the six after the block; what was seen is noted with the test."""
        with self.without_a_run(test):
            yield
            _until(self._is_ready, BACK_S, "it does not get ready again")
            self.run_an_ordinary_program()

    @contextmanager
    def without_a_run(self, test: pytest.Item) -> Iterator[None]:
        """The same, but for the ordinary program, which takes longest."""
        seen, already = Seen(), self.sidecar.log.stat().st_size
        pulse = Heartbeat(self.client)
        with pulse.beating():
            yield
            # An engine that was silent is asked again after a pause.
            _until(self._is_ready, BACK_S, "it does not get ready again")
            seen.gone_s = self.gone_after()
            _until(lambda: self._is_back(seen), BACK_S, "it keeps what it took", seen)
        assert pulse.failures == []
        assert pulse.longest_s < LONGEST_HEALTH_S
        seen.longest_health_s = pulse.longest_s
        require_no_secrets(self.sidecar.log.read_bytes()[already:].decode())
        test.user_properties += seen.noted()

    def run_an_ordinary_program(self) -> None:
        """The next program is answered."""
        answer = self.client.post("/v1/execute", json=PRINTS_42)
        assert answer.status_code == httpx.codes.OK, answer.text
        assert (answer.json()["status"], answer.json()["stdout"]) == ("ok", "42\n")

    def gone_after(self) -> float:
        """After how many seconds no sandbox is left."""
        began = time.monotonic()
        within_s = FULL_S if self._warm() else GONE_S
        _until(self._is_at_rest, within_s, "sandboxes are left")
        return time.monotonic() - began

    def _is_at_rest(self) -> bool:
        """There are no sandboxes but those that are kept warm."""
        return len(sandboxes_of(self.sidecar.instance)) == self._warm()

    def _warm(self) -> int:
        return sum(map(int, LEVEL.findall(self.client.get("/metrics").text)))

    def _is_ready(self) -> bool:
        return self.client.get("/readyz").is_success

    def _is_back(self, seen: Seen) -> bool:
        seen.more = held_by(self.sidecar).more_than(self.at_rest)
        fits = seen.more.files <= MOST_MORE.files and seen.more.threads <= MOST_MORE.threads
        return fits and seen.more.mib <= MOST_MORE.mib


@contextmanager
def watched(sidecar: Sidecar) -> Iterator[Watch]:
    """Watches a sidecar that nobody has used."""
    hooks = {"response": [require_problem]}
    with httpx.Client(
        base_url=sidecar.url, headers=HEADERS, timeout=60, trust_env=False, event_hooks=hooks
    ) as client:
        used = Watch(sidecar, client, held_by(sidecar))
        used.run_an_ordinary_program()
        used.gone_after()
        yield replace(used, at_rest=held_by(sidecar))


def held_by(sidecar: Sidecar) -> Footprint:
    """What the sidecar holds now, without the stream that every sandbox has."""
    held = footprint_of(sidecar.process.pid, urlsplit(sidecar.url).port or 0)
    return replace(held, files=held.files - len(sandboxes_of(sidecar.instance)))


def _until(holds: Callable[[], bool], within_s: float, otherwise: str, *more: object) -> None:
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, (otherwise, *more)
        time.sleep(0.05)
