"""The self-test: what has to hold in a real sandbox before anything else runs in one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from codex_sidecar.errors import NotReady
from codex_sidecar.execution import probe
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.execution import Execution, Status
from mini_agent_protocol.snippet import Limits, Snippet

# Runtimes with their own kernel: the engine's seccomp filter applies to that kernel and not to the
# program.
OWN_KERNEL_RUNTIMES: Final = ("runsc", "kata")
KERNEL_CHECKS: Final = frozenset({probe.no_tracing.__name__})


class Sandbox(Protocol):
    """Anything that can run a snippet."""

    async def run(self, snippet: Snippet) -> Execution:
        """Return what happened to the snippet; raise `SandboxError` where it could not be run."""
        ...


@dataclass(frozen=True, slots=True)
class SelfTestCase:
    """A snippet and its expected status and output."""

    name: str
    snippet: Snippet
    status: Status
    stdout: str = ""


def _case(name: str, code: str, status: Status, limits: Limits, stdout: str = "") -> SelfTestCase:
    return SelfTestCase(name, Snippet(language="python", code=code, limits=limits), status, stdout)


CASES: Final = (
    _case(
        "confinement",
        Path(probe.__file__).read_text(),
        "ok",
        Limits(timeout_s=10, workspace_mb=probe.WORKSPACE_MB),
        "".join(f"{check.__name__} holds\n" for check in probe.CHECKS),
    ),
    _case("deadline", "while True: pass", "timeout", Limits(timeout_s=0.3)),
    _case("memory", "print(len(bytearray(200 << 20)))", "oom", Limits(timeout_s=10, memory_mb=64)),
    _case(
        "processes",
        "import os, signal\ntry:\n    while os.fork(): pass\n    signal.pause()\n"
        "except BlockingIOError:\n    print('no more')\n",
        "ok",
        Limits(timeout_s=10, pids=24),
        "no more\n",
    ),
)


class SelfTest:
    """Runs the cases, at most `at_once` at the same time, each in a sandbox of its own."""

    def __init__(self, sandbox: Sandbox, runtime: str, at_once: int) -> None:
        self._sandbox = sandbox
        self._slots = asyncio.Semaphore(at_once)
        self._has_own_kernel = runtime.startswith(OWN_KERNEL_RUNTIMES)

    async def run(self) -> None:
        """Return when every case passes; `NotReady` names those that failed, and how."""
        try:
            failures = await self._all_failures()
        except ExceptionGroup as failed:
            ours, others = failed.split(MiniAgentError)
            if ours is None or others is not None:
                raise
            raise ours.exceptions[0] from None
        if failures:
            raise NotReady(
                f"the self-test failed: {'; '.join(failures)}",
                hint="a sandbox does not confine as it has to; see the log of the engine",
            )

    async def _all_failures(self) -> list[str]:
        cases = [case for case in CASES if not (self._has_own_kernel and case.name == "processes")]
        async with asyncio.TaskGroup() as group:
            outcomes = [group.create_task(self._outcome(case)) for case in cases]
        return [failure for outcome in outcomes for failure in outcome.result()]

    async def _outcome(self, case: SelfTestCase) -> list[str]:
        async with self._slots:
            return self._failures(case, await self._sandbox.run(case.snippet))

    def _failures(self, case: SelfTestCase, ran: Execution) -> list[str]:
        if ran.status != case.status:
            return [
                f"{case.name} ended as {ran.status} and not as {case.status}: {ran.stderr[-200:]}"
            ]
        missing = set(case.stdout.splitlines()) - set(ran.stdout.splitlines())
        return [
            f"{case.name}: not {line!r}"
            for line in sorted(missing)
            if not (self._has_own_kernel and line.split()[0] in KERNEL_CHECKS)
        ]
