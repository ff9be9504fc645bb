"""What every sandbox owes its callers, as checks that any `Sandbox` can run on itself.

    findings = await check(sandbox)          # none where it keeps the contract

With pytest, one test a check: `@pytest.mark.parametrize("each", CHECKS)`, and in the test
`await each(sandbox)`, which raises `ContractViolation`. It needs Python in the sandbox, and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.sandbox.client import Sandbox
from mini_agent.testing.sandbox_checks import (
    IO_CHECKS,
    ISOLATION_CHECKS,
    OUTCOME_CHECKS,
    ContractViolation,
)

Check = Callable[[Sandbox], Awaitable[None]]

CHECKS: Final[tuple[Check, ...]] = (
    *IO_CHECKS,
    *OUTCOME_CHECKS,
    *ISOLATION_CHECKS,
)

__all__ = ["CHECKS", "Check", "ContractViolation", "Finding", "check"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that the sandbox did not pass: its name, and what was found instead."""

    check: str
    what: str


async def check(sandbox: Sandbox, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """All that is wrong with it; an empty list where nothing is. Takes about ten seconds."""
    findings = []
    for each in checks:
        try:
            await each(sandbox)
        except Exception as wrong:  # noqa: BLE001 - whatever a sandbox raises is what was found
            findings.append(Finding(getattr(each, "__name__", repr(each)), _told(wrong)))
    return findings


def _told(wrong: Exception) -> str:
    return str(wrong) if isinstance(wrong, ContractViolation) else f"it raised {wrong!r}"
