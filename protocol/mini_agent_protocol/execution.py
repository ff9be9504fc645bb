"""An execution: what happened to a snippet, and under which limits it ran."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from mini_agent_protocol.languages import Language

Status = Literal["ok", "nonzero", "compile_error", "timeout", "oom", "output_limit", "killed"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Truncated(_Value):
    """Which stream was longer than `limits.output_bytes` and is therefore cut."""

    stdout: bool = Field(default=False, description="Whether the standard output was cut.")
    stderr: bool = Field(default=False, description="Whether the standard error was cut.")


class Artifact(_Value):
    """A file the snippet left in its workspace and the caller asked for."""

    path: str = Field(description="The path of the file, relative to the workspace.")
    media_type: str = Field(description="The media type of the content, such as image/png.")
    bytes: int = Field(description="The size of the content, in bytes.")
    base64: str = Field(description="The content, base64-encoded.")


class Rich(_Value):
    """A value as a person would want to see it: a figure, a table."""

    media_type: str = Field(description="The media type of the value, such as text/html.")
    text: str | None = Field(
        default=None, description="The value as text; null where it is in `base64`."
    )
    base64: str | None = Field(
        default=None, description="The value as bytes, base64-encoded; null where it is in `text`."
    )


class Output(_Value):
    """A piece of a running snippet's output, in the order it came."""

    stream: Literal["stdout", "stderr"] = Field(description="The stream the piece was written to.")
    text: str = Field(description="The piece, in the order it was written.")


class SessionFacts(_Value):
    """The session a snippet ran in, and what of it the snippet found there."""

    id: str = Field(description="The id of the session.")
    workspace: Literal["kept", "lost", "new"] = Field(
        default="kept",
        description="Whether the snippet found the workspace of the one before it: kept, lost "
        "with its container, or new.",
    )
    python: Literal["kept", "lost", "new"] = Field(
        default="new",
        description='"kept" where a stateful snippet found the variables of the one before it, '
        '"lost" where it should have (its interpreter was killed), "new" otherwise.',
    )


class Timings(_Value):
    """How long each step of an execution took."""

    queue: float = Field(default=0.0, description="Milliseconds of waiting for its turn.")
    start: float = Field(default=0.0, description="Milliseconds of starting the sandbox.")
    compile: float = Field(
        default=0.0, description="Milliseconds of compiling; 0 where nothing is compiled."
    )
    run: float = Field(default=0.0, description="Milliseconds of running.")
    total: float = Field(default=0.0, description="Milliseconds in all.")


class EnforcedLimits(_Value):
    """The limits that held, read back from the engine."""

    timeout_s: float = Field(description="Seconds the program could run.")
    memory_mb: int = Field(description="Memory, in MiB, files in the workspace included.")
    cpus: float = Field(description="Processor cores, fractions included.")
    pids: int = Field(description="Processes and threads at the same time.")
    output_bytes: int = Field(description="Bytes kept of each of stdout and stderr.")
    workspace_mb: int = Field(description="Size of the workspace, in MiB.")
    inodes: int | None = Field(
        default=16_384,
        description="Files and folders that fit in the workspace; null where the runtime does "
        "not count them (gVisor).",
    )
    open_files: int = Field(default=1024, description="Files that one process could have open.")


class SandboxFacts(_Value):
    """What the snippet ran in."""

    image: str = Field(description="The name and tag of the image.")
    image_id: str = Field(
        default="",
        description="The digest of what `image` named then; empty where it is not known.",
    )
    runtime: str = Field(description="The engine's runtime, such as runc or runsc.")
    network: str = Field(default="none", description="The network of the container; always none.")


class Execution(_Value):
    """The outcome of one snippet. A program that failed is an outcome, never an error.

    `exit_code` is the program's own, 128 + signal where a signal ended it, 124 at the deadline.
    `stdout_bytes` and `stderr_bytes` count what was written; `stdout` and `stderr` are what was
    kept: the beginning and the end, with a line between them that says how much is missing.
    `result_repr` is the value of a python program's last expression, None where there was none.
    `rich` are that value and the open figures as media: HTML, JSON, PNG.
    """

    language: Language = Field(description="The language of the snippet.")
    status: Status = Field(
        description='How the snippet ended; "output_limit" where it was ended for writing far more '
        "than `limits.output_bytes`."
    )
    exit_code: int = Field(
        description="The program's own exit code; 128 + signal where a signal ended it, 124 at "
        "the deadline."
    )
    signal: str | None = Field(
        default=None,
        description="The name of the signal that ended the program, such as SIGKILL; null for "
        "none.",
    )
    stdout: str = Field(default="", description="What was kept of the standard output.")
    stderr: str = Field(default="", description="What was kept of the standard error.")
    stdout_bytes: int = Field(
        default=0, description="Bytes that were written to the standard output."
    )
    stderr_bytes: int = Field(
        default=0, description="Bytes that were written to the standard error."
    )
    truncated: Truncated = Field(
        default=Truncated(), description="Which of the two streams was cut."
    )
    oom_events: int = Field(
        default=0, description="How often the kernel killed a process for lack of memory."
    )
    result_repr: str | None = Field(
        default=None,
        description="The repr of the value of a python program's last expression; null where "
        "there was none.",
    )
    rich: tuple[Rich, ...] = Field(
        default=(),
        description="The value of the last expression and the open figures as media: HTML, "
        "JSON, PNG.",
    )
    rich_skipped: tuple[str, ...] = Field(
        default=(),
        description='What is not in `rich` for its number or its size, such as "4 of 28 figures: '
        'more than 24".',
    )
    artifacts: tuple[Artifact, ...] = Field(
        default=(), description="The files the caller asked for."
    )
    artifacts_skipped: tuple[str, ...] = Field(
        default=(),
        description="Files the caller asked for that did not come back: too many or too large.",
    )
    normalized: tuple[str, ...] = Field(
        default=(),
        description="How the code was changed before it ran, because it could not be valid as it "
        "was sent: a fence around it, an indent that all lines share, a byte order mark.",
    )
    timings_ms: Timings = Field(
        default=Timings(), description="How long each step took, in milliseconds."
    )
    limits: EnforcedLimits = Field(description="The limits that held.")
    sandbox: SandboxFacts = Field(description="The container the snippet ran in.")
    session: SessionFacts | None = Field(
        default=None, description="The session the snippet ran in; null where there was none."
    )
