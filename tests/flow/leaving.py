"""Moments in a run at which it may be cancelled, and whether anything is left of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mini_agent.testing import ScriptedServer, call, hang, refusal
from mini_agent.testing.script import Script
from tests.docker.sidecar_process import Sidecar, sandboxes_of

PATIENCE_S: Final = 60.0
SLEEPS: Final = call("exec_python", code="import time\ntime.sleep(60)", timeout_s=60)
PRINTS: Final = call("exec_python", code="print(6 * 7)")


@dataclass(frozen=True, slots=True)
class Moment:
    """What the model says until the moment has come, and how to see that it has."""

    script: Script
    has_come: Callable[[ScriptedServer, Sidecar], bool]

    def wait(self, server: ScriptedServer, sidecar: Sidecar) -> None:
        """Returns when it has come."""
        until = time.monotonic() + PATIENCE_S
        while not self.has_come(server, sidecar):
            assert time.monotonic() < until, "the moment does not come"
            time.sleep(0.05)
        # What was just begun is now under way.
        time.sleep(0.5)


MOMENTS: Final = {
    "asking the model": Moment([PRINTS, hang()], lambda server, _: len(server.requests) == 2),
    "in a snippet of 60 s": Moment([SLEEPS], lambda _, sidecar: bool(sandboxes(sidecar))),
    "between two turns": Moment(
        [PRINTS, refusal(429, "later", retry_after="60")],
        lambda server, _: len(server.requests) == 2,
    ),
}


def sandboxes(sidecar: Sidecar) -> list[str]:
    """The containers of the sidecar's sandboxes."""
    return sandboxes_of(sidecar.instance)


def gone_within(seconds: float, sidecar: Sidecar) -> bool:
    """Whether no sandbox is left by then."""
    until = time.monotonic() + seconds
    while sandboxes(sidecar):
        if time.monotonic() > until:
            return False
    return True
