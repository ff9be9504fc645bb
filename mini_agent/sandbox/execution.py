"""An execution: what happened to a snippet, and under which limits it ran."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from mini_agent.sandbox.languages import Language

Status = Literal["ok", "nonzero", "compile_error", "timeout", "oom", "killed"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Truncated(_Value):
    """Which stream was longer than `limits.output_bytes` and is therefore cut."""

    stdout: bool = False
    stderr: bool = False


class Artifact(_Value):
    """A file the snippet left in its workspace and the caller asked for."""

    path: str
    media_type: str
    bytes: int
    base64: str


class Timings(_Value):
    """Milliseconds spent waiting, starting the sandbox, compiling, running, and in all."""

    queue: float = 0.0
    start: float = 0.0
    compile: float = 0.0
    run: float = 0.0
    total: float = 0.0


class EnforcedLimits(_Value):
    """The limits that held, read back from the engine; units as in `Limits`."""

    timeout_s: float
    memory_mb: int
    cpus: float
    pids: int
    output_bytes: int
    workspace_mb: int


class SandboxFacts(_Value):
    """What the snippet ran in."""

    image: str
    runtime: str
    network: str = "none"


class Execution(_Value):
    """The outcome of one snippet. A program that failed is an outcome, never an error.

    `exit_code` is the program's own, 128 + signal where a signal ended it, 124 at the deadline.
    `stdout_bytes` and `stderr_bytes` count what was written, `stdout` and `stderr` what was kept.
    """

    language: Language
    status: Status
    exit_code: int
    signal: str | None = None
    stdout: str = ""
    stderr: str = ""
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    truncated: Truncated = Truncated()
    oom_events: int = 0
    artifacts: tuple[Artifact, ...] = ()
    artifacts_skipped: tuple[str, ...] = ()
    timings_ms: Timings = Timings()
    limits: EnforcedLimits
    sandbox: SandboxFacts
