"""How the checks of a sandbox ask it, and how they say that an answer is wrong."""

from __future__ import annotations

import base64

from mini_agent.sandbox.client import Sandbox
from mini_agent_protocol.execution import Execution, Status
from mini_agent_protocol.snippet import Limits, Snippet

PATIENCE: Limits = Limits(timeout_s=10)


class Unsound(AssertionError):
    """The sandbox did not do what every sandbox does."""


async def ran(sandbox: Sandbox, code: str, status: Status | None = "ok") -> Execution:
    """What became of a Python program, which is expected to end so."""
    done = await sandbox.run(Snippet(language="python", code=code, limits=PATIENCE))
    if status is not None:
        require_status(done, status)
    return done


def require_status(done: Execution, status: Status) -> None:
    """Raises `Unsound` unless it ended so."""
    said = f"{done.status} with {done.stdout[:200]!r} and {done.stderr[-300:]!r}"
    require(done.status == status, f"expected status {status}, got {said}")


def require(is_so: object, otherwise: str) -> None:
    """Raises `Unsound` unless it is so."""
    if not is_so:
        raise Unsound(otherwise)


def require_same(found: object, wanted: object, what: str) -> None:
    """Raises `Unsound` unless both are the same."""
    require(found == wanted, f"{what} is {found!r}, not {wanted!r}")


def encoded(content: bytes) -> str:
    """A file's content as a snippet carries it."""
    return base64.b64encode(content).decode()
