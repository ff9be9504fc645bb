"""What must not be possible in a sandbox, tried in one.

A sandbox without the sidecar, for the doctor alone: one container, made by docker's command.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.cli.doctor.check import (
    Around,
    Check,
    fail,
    ok,
    skipped,
)
from mini_agent.cli.doctor.docker import LATE, Docker, Said
from mini_agent.cli.doctor.engine import some_image_with_python
from mini_agent.cli.doctor.stack import sidecar_here
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

SPARE_S: Final = 60
START_S: Final = 30.0
USER: Final = "100002:100002"


@dataclass(frozen=True, slots=True)
class PlainSandbox:
    """Confines as the sidecar does, as far as the command can say it. Python alone."""

    docker: Docker
    image: str

    async def run(self, snippet: Snippet) -> Execution:
        """What happened to the snippet; `SandboxUnavailable` where the container did not start."""
        name = f"mini-agent-sandbox-{secrets.token_hex(8)}"
        try:
            made = await self.docker.said("create", *self._as_confined(name, snippet))
            if not made.ok:
                raise SandboxUnavailable(f"no container could be made: {made.why}")
            return await self._ran(name, snippet)
        finally:
            await self.docker.said("rm", "-f", name)

    async def _ran(self, name: str, snippet: Snippet) -> Execution:
        deadline_s = snippet.limits.timeout_s or START_S
        began = time.monotonic()
        # Starting takes its time, which is not the program's.
        said = await self.docker.said("start", "-a", name, patience_s=deadline_s + 2)
        if said.rc == LATE:
            await self.docker.said("kill", name)
        told = await self.docker.said("inspect", "--format", "{{json .State}}", name)
        if not told.ok:
            raise SandboxUnavailable(f"the container is gone: {told.why}")
        state: dict[str, object] = json.loads(told.out)
        is_running = state.get("Status") == "running"
        if is_running:
            raise SandboxUnavailable(f"after {time.monotonic() - began:.0f} s it still runs")
        return self._execution(snippet, said, is_oom=state.get("OOMKilled") is True)

    def _execution(self, snippet: Snippet, said: Said, *, is_oom: bool) -> Execution:
        status: Status = "ok" if said.ok else "nonzero"
        if said.rc == LATE:
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
                timeout_s=snippet.limits.timeout_s or START_S,
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
        deadline = int(time.time()) + SPARE_S
        return [
            *("--name", name, "--pull", "never"),
            *("--label", "mini-agent.sandbox=1", "--label", f"mini-agent.deadline={deadline}"),
            *("--label", "mini-agent.instance=doctor"),
            *("--network", "none", "--read-only", "--cap-drop", "ALL", "--user", USER),
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
ROOMY: Final = Limits(timeout_s=20, memory_mb=128)
DEADLINE_S: Final = 1.0
OTHER_VERSION: Final = "if the stack is of another version than this: make up"
FIX: Final = "run nothing that you do not trust; see what the engine says: docker info"


@dataclass(frozen=True, slots=True)
class Case:
    """A program, and what has to become of it."""

    name: str
    code: str
    status: str
    told: str
    limits: Limits = ROOMY


CASES: Final = (
    Case("no network", NO_NETWORK, "ok", "nothing outside can be reached, not even by name"),
    Case("no root", NO_ROOT, "ok", "another user than root, without capabilities"),
    Case(
        "memory",
        "print(len(bytearray(300 << 20)))",
        "oom",
        f"a program that takes more than its {MEMORY_MB} MB is killed",
        Limits(timeout_s=20, memory_mb=MEMORY_MB),
    ),
    Case(
        "deadline",
        "while True: pass",
        "timeout",
        f"a program that goes on after {DEADLINE_S:g} s is killed",
        Limits(timeout_s=DEADLINE_S, memory_mb=128),
    ),
)


async def canary(around: Around) -> Sequence[Check]:
    """Each case in a sandbox of the running sidecar, or else in one as the sidecar makes them."""
    sidecar = await sidecar_here(around)
    if sidecar is not None:
        async with sidecar:
            return await _all_tried(sidecar, "the sidecar")
    image = await some_image_with_python(around)
    if image is None:
        return [skipped("canary", "no sandbox image to try anything in", "make images")]
    plain = PlainSandbox(around.docker, image)
    return await _all_tried(plain, "a container; the sidecar is not up")


async def _all_tried(sandbox: Sandbox, where: str) -> list[Check]:
    async with asyncio.TaskGroup() as trying:
        tasks = [trying.create_task(_tried(case, sandbox, where)) for case in CASES]
    return [task.result() for task in tasks]


async def _tried(case: Case, sandbox: Sandbox, where: str) -> Check:
    snippet = Snippet(language="python", code=case.code, limits=case.limits)
    try:
        ran = await sandbox.run(snippet)
    except MiniAgentError as why:
        why_not = why.message.partition("\n")[0]
        detail = f"it could not be tried in {where}: {why_not}"
        return fail(case.name, detail, why.hint or OTHER_VERSION)
    if ran.status == case.status and (case.status != "ok" or ran.stdout.strip() == "held"):
        return ok(case.name, f"{case.told} (tried in {where})")
    said = (ran.stderr.strip().splitlines() or [""])[-1]
    detail = f"the program ended as {ran.status!r}, not as {case.status!r}"
    return fail(case.name, f"{detail}{f': {said:.200}' if said else ''} (in {where})", FIX)
