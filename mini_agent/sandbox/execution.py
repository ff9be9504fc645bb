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


class Rich(_Value):
    """A value as a person would want to see it: a figure, a table. Either `text` or `base64`."""

    media_type: str
    text: str | None = None
    base64: str | None = None


class Output(_Value):
    """A piece of a running snippet's output, in the order it came."""

    stream: Literal["stdout", "stderr"]
    text: str


class SessionFacts(_Value):
    """The session a snippet ran in, and what of it the snippet found there.

    `python` is "kept" where a stateful snippet found the variables of the one before it, "lost"
    where it should have (its interpreter was killed), "new" otherwise.
    """

    id: str
    workspace: Literal["kept", "lost", "new"] = "kept"
    python: Literal["kept", "lost", "new"] = "new"


class Timings(_Value):
    """Milliseconds spent waiting, starting the sandbox, compiling, running, and in all."""

    queue: float = 0.0
    start: float = 0.0
    compile: float = 0.0
    run: float = 0.0
    total: float = 0.0


class EnforcedLimits(_Value):
    """The limits that held, read back from the engine; units as in `Limits`.

    `inodes` are the files and folders that fit in the workspace, None where the runtime does not
    count them (gVisor); `open_files` are those of one process.
    """

    timeout_s: float
    memory_mb: int
    cpus: float
    pids: int
    output_bytes: int
    workspace_mb: int
    inodes: int | None = 16_384
    open_files: int = 1024


class SandboxFacts(_Value):
    """What the snippet ran in; `image_id` is the digest of what `image` named then."""

    image: str
    image_id: str = ""
    runtime: str
    network: str = "none"


class Execution(_Value):
    """The outcome of one snippet. A program that failed is an outcome, never an error.

    `exit_code` is the program's own, 128 + signal where a signal ended it, 124 at the deadline.
    `stdout_bytes` and `stderr_bytes` count what was written, `stdout` and `stderr` what was kept.
    `result_repr` is the value of a python program's last expression, None where there was none.
    `rich` are that value and the open figures as media: HTML, JSON, PNG.
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
    result_repr: str | None = None
    rich: tuple[Rich, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    artifacts_skipped: tuple[str, ...] = ()
    timings_ms: Timings = Timings()
    limits: EnforcedLimits
    sandbox: SandboxFacts
    session: SessionFacts | None = None
