"""Checks of the confinement: programs that must fail, run in a sandbox."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.cli.doctor.check import (
    Check,
    DoctorContext,
    fail,
    ok,
    skipped,
)
from mini_agent.cli.doctor.docker import TIMEOUT_EXIT_CODE, CommandResult, Docker
from mini_agent.cli.doctor.engine import find_python_image
from mini_agent.cli.doctor.stack import find_sidecar
from mini_agent.errors import MiniAgentError, SandboxUnavailable
from mini_agent.sandbox import (
    EnforcedLimits,
    Execution,
    Limits,
    Sandbox,
    SandboxFacts,
    Snippet,
    Status,
)

DEADLINE_MARGIN_S: Final = 60
DEFAULT_TIMEOUT_S: Final = 30.0
SANDBOX_USER: Final = "100002:100002"


@dataclass(frozen=True, slots=True)
class DockerSandbox:
    """Confines as the sidecar does, as far as the command can say it. Python alone."""

    docker: Docker
    image: str

    async def run(self, snippet: Snippet) -> Execution:
        """Run the snippet; raise `SandboxUnavailable` where the container did not start."""
        name = f"mini-agent-sandbox-{secrets.token_hex(8)}"
        try:
            made = await self.docker.run("create", *self._as_confined(name, snippet))
            if not made.ok:
                raise SandboxUnavailable(f"no container could be made: {made.why}")
            return await self._ran(name, snippet)
        finally:
            await self.docker.run("rm", "-f", name)

    async def _ran(self, name: str, snippet: Snippet) -> Execution:
        deadline_s = snippet.limits.timeout_s or DEFAULT_TIMEOUT_S
        began = time.monotonic()
        # Starting takes its time, which is not the program's.
        said = await self.docker.run("start", "-a", name, timeout_s=deadline_s + 2)
        if said.rc == TIMEOUT_EXIT_CODE:
            await self.docker.run("kill", name)
        told = await self.docker.run("inspect", "--format", "{{json .State}}", name)
        if not told.ok:
            raise SandboxUnavailable(f"the container is gone: {told.why}")
        state: dict[str, object] = json.loads(told.out)
        is_running = state.get("Status") == "running"
        if is_running:
            raise SandboxUnavailable(f"after {time.monotonic() - began:.0f} s it still runs")
        return self._execution(snippet, said, is_oom=state.get("OOMKilled") is True)

    def _execution(self, snippet: Snippet, said: CommandResult, *, is_oom: bool) -> Execution:
        status: Status = "ok" if said.ok else "nonzero"
        if said.rc == TIMEOUT_EXIT_CODE:
            status = "timeout"
        elif is_oom:
            status = "oom"
        return Execution(
            language="python",
            status=status,
            exit_code=said.rc,
            stdout=said.out,
            stderr=said.err,
            limits=EnforcedLimits(
                timeout_s=snippet.limits.timeout_s or DEFAULT_TIMEOUT_S,
                memory_mb=snippet.limits.memory_mb or 0,
                cpus=1,
                pids=64,
                output_bytes=0,
                workspace_mb=0,
            ),
            sandbox=SandboxFacts(image=self.image, runtime="docker"),
        )

    def _as_confined(self, name: str, snippet: Snippet) -> list[str]:
        memory = f"{snippet.limits.memory_mb}m"
        # The reaper of a running sidecar takes what has no deadline, or is past it.
        deadline = int(time.time()) + DEADLINE_MARGIN_S
        return [
            *("--name", name, "--pull", "never"),
            *("--label", "mini-agent.sandbox=1", "--label", f"mini-agent.deadline={deadline}"),
            *("--label", "mini-agent.instance=doctor"),
            *("--network", "none", "--read-only", "--cap-drop", "ALL", "--user", SANDBOX_USER),
            *("--security-opt", "no-new-privileges", "--memory", memory, "--memory-swap", memory),
            *("--pids-limit", "64", "--cpus", "1", "--log-driver", "none", "--dns", "127.0.0.1"),
            *("--entrypoint", "python3", self.image, "-I", "-c", snippet.code),
        ]


NO_NETWORK: Final = """
import errno, socket
for address in (("192.0.2.1", 80), ("1.1.1.1", 53), ("172.17.0.1", 22)):
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError as refused:
        if refused.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            raise SystemExit(f"{address[0]}: {refused}")
    else:
        raise SystemExit(f"{address[0]} was reached")
try:
    socket.getaddrinfo("example.com", 80)
except OSError:
    print("held")
"""
NO_ROOT: Final = """
import os
with open("/proc/self/status") as status:
    held = [line.split()[1] for line in status if line.startswith("Cap")]
if 0 in {*os.getresuid(), *os.getresgid(), *os.getgroups()}:
    raise SystemExit("it is root")
if any(int(each, 16) for each in held):
    raise SystemExit("it has capabilities")
print("held")
"""
MEMORY_MB: Final = 64
DEFAULT_LIMITS: Final = Limits(timeout_s=20, memory_mb=128)
SHORT_TIMEOUT_S: Final = 1.0
VERSION_FIX: Final = "if the stack is of another version than this: make up"
CONFINEMENT_FIX: Final = "run nothing that you do not trust; see what the engine says: docker info"


@dataclass(frozen=True, slots=True)
class ConfinementCase:
    """A program, and the status with which it has to end."""

    name: str
    code: str
    status: str
    claim: str
    limits: Limits = DEFAULT_LIMITS


CASES: Final = (
    ConfinementCase(
        "no network", NO_NETWORK, "ok", "nothing outside can be reached, not even by name"
    ),
    ConfinementCase("no root", NO_ROOT, "ok", "another user than root, without capabilities"),
    ConfinementCase(
        "memory",
        "print(len(bytearray(300 << 20)))",
        "oom",
        f"a program that takes more than its {MEMORY_MB} MB is killed",
        Limits(timeout_s=20, memory_mb=MEMORY_MB),
    ),
    ConfinementCase(
        "deadline",
        "while True: pass",
        "timeout",
        f"a program that goes on after {SHORT_TIMEOUT_S:g} s is killed",
        Limits(timeout_s=SHORT_TIMEOUT_S, memory_mb=128),
    ),
)


async def check_confinement(context: DoctorContext) -> Sequence[Check]:
    """Run each case in a sandbox of the running sidecar, else in a container made likewise."""
    sidecar = await find_sidecar(context)
    if sidecar is not None:
        async with sidecar:
            return await _run_cases(sidecar, "the sidecar")
    image = await find_python_image(context)
    if image is None:
        return [skipped("canary", "no sandbox image to try anything in", "make images")]
    plain = DockerSandbox(context.docker, image)
    return await _run_cases(plain, "a container; the sidecar is not up")


async def _run_cases(sandbox: Sandbox, where: str) -> list[Check]:
    async with asyncio.TaskGroup() as trying:
        tasks = [trying.create_task(_run_case(case, sandbox, where)) for case in CASES]
    return [task.result() for task in tasks]


async def _run_case(case: ConfinementCase, sandbox: Sandbox, where: str) -> Check:
    snippet = Snippet(language="python", code=case.code, limits=case.limits)
    try:
        ran = await sandbox.run(snippet)
    except MiniAgentError as why:
        why_not = why.message.partition("\n")[0]
        detail = f"it could not be tried in {where}: {why_not}"
        return fail(case.name, detail, why.hint or VERSION_FIX)
    if ran.status == case.status and (case.status != "ok" or ran.stdout.strip() == "held"):
        return ok(case.name, f"{case.claim} (tried in {where})")
    said = (ran.stderr.strip().splitlines() or [""])[-1]
    detail = f"the program ended as {ran.status!r}, not as {case.status!r}"
    return fail(
        case.name, f"{detail}{f': {said:.200}' if said else ''} (in {where})", CONFINEMENT_FIX
    )
