"""What must not be possible in a sandbox, tried in one."""

from __future__ import annotations

import asyncio
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
from mini_agent.cli.doctor.images import some_image_with_python
from mini_agent.cli.doctor.plain_sandbox import PlainSandbox
from mini_agent.cli.doctor.stack import sidecar_here
from mini_agent.errors import MiniAgentError
from mini_agent.sandbox import Limits, Sandbox, Snippet

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
