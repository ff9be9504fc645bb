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
    """How one thing is; `fix` is what to do where it is not well, as a command where there is one.

    A `warn` is worth knowing and no reason to fail; `skipped` says why it could not be looked at.
    """

    name: str
    state: State
    detail: str
    fix: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class DoctorContext:
    """Where we are: the environment, the settings in it, and the engine, if one answers."""

    variables: Mapping[str, str] = field(repr=False)
    settings: Settings = field(repr=False)
    docker: Docker
    engine: EngineFacts | None

    def variable(self, name: str, default: str) -> str:
        """What the environment says, else the usual."""
        return self.variables.get(name) or default

    @property
    def project(self) -> str:
        """What compose calls the stack."""
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
    """It is well."""
    return Check(name, "ok", detail)


def warn(name: str, detail: str, fix: str) -> Check:
    """It may not be as it is meant."""
    return Check(name, "warn", detail, fix)


def fail(name: str, detail: str, fix: str) -> Check:
    """It is not well."""
    return Check(name, "fail", detail, fix)


def skipped(name: str, why: str, fix: str = "") -> Check:
    """It was not looked at."""
    return Check(name, "skipped", why, fix)
