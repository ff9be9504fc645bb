"""Runs the checks of the sandbox contract on any `Sandbox`.

    findings = await check(sandbox)          # none where it keeps the contract

With pytest, one test a check: `@pytest.mark.parametrize("each", CHECKS)`, and in the test
`await each(sandbox)`, which raises `ContractViolation`. The sandbox needs only Python.
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
    """Run the checks, some ten seconds; returns a finding for each that did not pass."""
    findings = []
    for each in checks:
        try:
            await each(sandbox)
        except Exception as wrong:  # noqa: BLE001 - whatever a sandbox raises is what was found
            findings.append(Finding(getattr(each, "__name__", repr(each)), _told(wrong)))
    return findings


def _told(wrong: Exception) -> str:
    return str(wrong) if isinstance(wrong, ContractViolation) else f"it raised {wrong!r}"
