"""A sandbox without the sidecar, for the doctor alone: one container, made by docker's command."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Final

from mini_agent.cli.doctor.docker import LATE, Docker, Said
from mini_agent.errors import SandboxUnavailable
from mini_agent.sandbox import EnforcedLimits, Execution, SandboxFacts, Snippet, Status

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
