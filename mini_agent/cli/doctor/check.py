"""A check, its context, and the rows of the doctor's table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mini_agent.cli.doctor.docker import Docker, EngineFacts
from mini_agent.settings import Settings

State: TypeAlias = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check; `fix` is what to do about it, a command where there is one.

    A `warn` is worth knowing and no reason to fail; `skipped` says why it could not be looked at.
    """

    name: str
    state: State
    detail: str
    fix: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class DoctorContext:
    """What checks read: the environment, the settings, and the engine if it responds."""

    variables: Mapping[str, str] = field(repr=False)
    settings: Settings = field(repr=False)
    docker: Docker
    engine: EngineFacts | None

    def variable(self, name: str, default: str) -> str:
        """Read an environment variable, or `default` where it is empty."""
        return self.variables.get(name) or default

    @property
    def project(self) -> str:
        """Return the Compose project name of the stack."""
        return self.variable("COMPOSE_PROJECT_NAME", "mini-agent")


CheckFunction: TypeAlias = Callable[[DoctorContext], Awaitable[Sequence[Check]]]


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A line of the table of checks: what `run_check` finds belongs to `group`."""

    group: str
    name: str
    run_check: CheckFunction
    needs_engine: bool = False


def ok(name: str, detail: str) -> Check:
    """Build a check that passed."""
    return Check(name, "ok", detail)


def warn(name: str, detail: str, fix: str) -> Check:
    """Build a check with a warning."""
    return Check(name, "warn", detail, fix)


def fail(name: str, detail: str, fix: str) -> Check:
    """Build a check that failed."""
    return Check(name, "fail", detail, fix)


def skipped(name: str, why: str, fix: str = "") -> Check:
    """Build a check that was skipped."""
    return Check(name, "skipped", why, fix)
