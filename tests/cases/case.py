"""A case: what is asked of a sandbox, and what a sound one answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal[
    "ok",
    "nonzero",
    "compile_error",
    "timeout",
    "oom",
    "output_limit",
    "killed",
    "refused",  # a clean 4xx: nothing was started
    "limited",  # the output was cut, or the snippet itself says LIMITED
    "blocked",  # the snippet itself says BLOCKED
]
Numbers = dict[str, float | int]
Named = tuple[tuple[str, str], ...]


class Recorded(BaseModel):
    """An answer that was wrong; `rich` and `files` count what came back, or was skipped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str
    exit_code: int
    stdout: str
    stderr: str
    result: str | None
    rich: int
    files: int


class Step(BaseModel):
    """One request and what is expected of its answer; fields left out do not matter.

    `files` and `files_base64` are pairs, so that a name can be there twice. `code_repeat` is how
    often `code` is written after itself. `result` is the value of the last expression, `rich` a
    media type that is among the shown ones, `shown` are all of these. `normalized` is what was
    changed of the code, at least in part, and `in_message` what a refusal says. Without `expect`,
    any end will do, but for the one that it is to be `unlike`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    code: str = ""
    code_repeat: int = 1
    stdin: str = ""
    stdin_base64: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    files: Named = ()
    files_base64: Named = ()
    limits: Numbers = {}
    artifacts: tuple[str, ...] = ()
    toolchain: str = ""
    isolation: str = ""
    stateful: bool = False

    expect: tuple[Outcome, ...] = ("ok",)
    exit_code: int | None = None
    stdout: str | None = None
    strips: bool = False
    contains: tuple[str, ...] = ()
    stderr: str | None = None
    in_stderr: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    fetched: tuple[str, ...] | None = None
    skipped: tuple[str, ...] = ()
    normalized: tuple[str, ...] | None = None
    in_message: tuple[str, ...] = ()
    unlike: Recorded | None = None
    result: str | None = None
    rich: str = ""
    shown: tuple[str, ...] | None = None
    within_s: float | None = None


class Case(Step):
    """A step, and those that follow it: each in a fresh sandbox, or all in one session.

    `copies` are run at the same time and all have to be right. `unsuited` is the reason why the
    case cannot be asked of this API at all, `host_kernel` why not of a runtime that gives each
    sandbox a kernel of its own. `controls` names what of the confinement holds it.
    """

    id: str = Field(min_length=1)
    category: str = ""
    why: str = ""
    session: bool = False
    copies: int = 1
    unsuited: str = ""
    host_kernel: str = ""
    packages: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    then: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in their order."""
        return (self, *self.then)


class Suite(BaseModel):
    """Cases of one kind, from one place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cases: tuple[Case, ...]
