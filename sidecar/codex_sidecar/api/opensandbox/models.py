"""The bodies of OpenSandbox's API, as far as LiteLLM's client uses them, and its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from codex_sidecar.engine.confinement import DEFAULT_LIMITS
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.languages import LANGUAGES as NAMES
from mini_agent_protocol.languages import Language, parse_language
from mini_agent_protocol.snippet import Limits, Snippet
from mini_agent_protocol.workspace import SessionRequest

CPU_PATTERN: Final = r"^[0-9]{1,9}(\.[0-9]{1,9})?m?$"
MEMORY_PATTERN: Final = r"^[0-9]{1,15}(\.[0-9]{1,9})?([kMG]|[KMG]i)?$"
UNITS: Final = MappingProxyType[str, float](
    {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
)


class Amounts(BaseModel):
    """Cores and bytes, as text with a unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: Annotated[str, Field(pattern=CPU_PATTERN)] | None = Field(
        default=None, description="Processor cores, such as 2, 0.5 or 500m; null for no bound."
    )
    memory: Annotated[str, Field(pattern=MEMORY_PATTERN)] | None = Field(
        default=None,
        description="Memory in bytes or with a unit, such as 512Mi or 2G; null for no bound.",
    )

    @property
    def cores(self) -> float | None:
        """`cpu` as a number."""
        return None if self.cpu is None else _parse_quantity(self.cpu)

    @property
    def memory_mb(self) -> float | None:
        """`memory` in MiB."""
        return None if self.memory is None else _parse_quantity(self.memory) / 2**20


def choose_limits(least: Amounts, most: Amounts, timeout_s: float) -> Limits:
    """Choose limits between `least` and `most` for a session.

    A language's default stays where all defaults lie between; raises `BadRequest` where `least`
    exceeds `most`.
    """
    usual = DEFAULT_LIMITS.values()
    memory = _choose_limit(
        "memory", least.memory_mb, most.memory_mb, (each.memory_mb for each in usual)
    )
    try:
        return Limits(
            timeout_s=timeout_s,
            memory_mb=None if memory is None else int(memory),
            cpus=_choose_limit("cpu", least.cores, most.cores, (each.cpus for each in usual)),
        )
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "cpu" if first["loc"] == ("cpus",) else "memory in MiB"
        raise BadRequest(
            f"resourceLimits.{name} {first['input']}: {first['msg']}", field="resourceLimits"
        ) from None


def _choose_limit(
    name: str, least: float | None, most: float | None, usual: Iterable[float]
) -> float | None:
    smallest, *_, largest = sorted(usual)
    if least is not None and most is not None and least > most:
        raise BadRequest(
            f"resourceRequests.{name} is more than resourceLimits.{name}", field="resourceRequests"
        )
    if least is not None and least > smallest:
        return least
    return most if most is not None and most < largest else None


def _parse_quantity(written: str) -> float:
    digits = written.rstrip("mkKMGi")
    return float(digits) * UNITS[written.removeprefix(digits)]


# LiteLLM's defaults.
DEFAULT_IMAGE: Final = "opensandbox/code-interpreter"
DEFAULT_ENTRYPOINT: Final = ("/opt/code-interpreter/code-interpreter.sh",)
LANGUAGES: Final = ", ".join("javascript" if each == "node" else each for each in NAMES)
MAX_METADATA: Final = 64

Label = Annotated[str, Field(max_length=256)]


class _WireModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Image(_WireModel):
    """The image of a sandbox; here each language has its own."""

    uri: str = Field(description="The name of the image; only LiteLLM's default is taken.")

    @field_validator("uri")
    @classmethod
    def _ours(cls, uri: str) -> str:
        name, _, _ = uri.partition(":")
        if name != DEFAULT_IMAGE:
            raise ValueError(f"this sidecar has its own images, for {LANGUAGES}: leave it out")
        return uri


class NetworkPolicy(_WireModel):
    """What a sandbox may connect to; here, nothing."""

    default_action: Literal["allow", "deny"] = Field(
        default="deny",
        alias="defaultAction",
        description="What happens to connections that no rule names; only deny is taken.",
    )
    egress: tuple[JsonValue, ...] = Field(
        default=(), description="Rules for outgoing connections; only an empty list is taken."
    )

    @field_validator("default_action")
    @classmethod
    def _denied(cls, action: str) -> str:
        if action != "deny":
            raise ValueError("the sandboxes of this sidecar have no network: it can only be 'deny'")
        return action

    @field_validator("egress")
    @classmethod
    def _none(cls, egress: tuple[JsonValue, ...]) -> tuple[JsonValue, ...]:
        if egress:
            raise ValueError("the sandboxes of this sidecar have no network: leave the rules out")
        return egress


class Creation(_WireModel):
    """A request for a sandbox."""

    image: Image | None = Field(
        default=None, description="The image; leave it out, because each language has its own here."
    )
    entrypoint: tuple[str, ...] = Field(
        default=DEFAULT_ENTRYPOINT, description="What the container starts; leave it out."
    )
    timeout: float = Field(
        default=SessionRequest().ttl_s,
        description="Seconds without a call after which the sandbox ends, 1 to 3600.",
    )
    limits: Amounts = Field(
        default=Amounts(), alias="resourceLimits", description="What the sandbox takes at most."
    )
    requests: Amounts = Field(
        default=Amounts(), alias="resourceRequests", description="What the sandbox has at least."
    )
    metadata: Annotated[
        dict[Label, Label],
        Field(
            max_length=MAX_METADATA,
            description="Labels of the caller's own, at most 64 of 256 characters each.",
        ),
    ] = {}
    env: dict[str, str] = Field(
        default={}, description="Environment variables that are set in all that runs in it."
    )
    network_policy: NetworkPolicy | None = Field(
        default=None,
        alias="networkPolicy",
        description="Whom it may talk to; null and deny both mean nobody.",
    )
    secure_access: bool = Field(
        default=True,
        alias="secureAccess",
        description="Taken for LiteLLM's sake; a sandbox's code always needs its key.",
    )

    @field_validator("entrypoint")
    @classmethod
    def _usual(cls, entrypoint: tuple[str, ...]) -> tuple[str, ...]:
        if entrypoint != DEFAULT_ENTRYPOINT:
            raise ValueError("a sandbox of this sidecar starts its own interpreter: leave it out")
        return entrypoint

    @field_validator("env")
    @classmethod
    def _settable(cls, env: dict[str, str]) -> dict[str, str]:
        with _raise_value_error():
            return Snippet(language="python", code="", env=env).env

    @field_validator("timeout")
    @classmethod
    def _a_sessions(cls, timeout: float) -> float:
        with _raise_value_error():
            return SessionRequest(ttl_s=timeout).ttl_s


class State(_WireModel):
    """A sandbox's state; here it takes calls from the first moment on."""

    state: Literal["Running"] = Field(
        default="Running", description="The state; a sandbox takes calls from the first moment on."
    )


class Opened(_WireModel):
    """A sandbox that can be used."""

    id: str = Field(description="The id of the session it is.")
    status: State = Field(default=State(), description="How the sandbox is.")
    metadata: dict[str, str] = Field(description="The labels of its creation.")
    created_at: datetime = Field(serialization_alias="createdAt", description="When it was opened.")
    expires_at: datetime = Field(
        serialization_alias="expiresAt", description="When it ends unless it is used before."
    )


class Endpoint(_WireModel):
    """Where code is sent."""

    endpoint: str = Field(description="The address, without a scheme.")
    headers: dict[str, str] = Field(description="Headers that have to go along.")


class Context(_WireModel):
    """The language of the code."""

    language: Language = Field(default="python", description="The language of the code.")

    @field_validator("language", mode="before")
    @classmethod
    def _known(cls, language: object) -> object:
        return parse_language(language) if isinstance(language, str) else language


class Code(_WireModel):
    """Code to run."""

    code: str = Field(description="The source; the variables of python stay for the next.")
    context: Context = Field(default=Context(), description="What the code is written in.")

    @field_validator("code")
    @classmethod
    def _a_snippets(cls, code: str) -> str:
        with _raise_value_error():
            return Snippet(language="python", code=code).code


@contextmanager
def _raise_value_error() -> Iterator[None]:
    try:
        yield
    except ValidationError as wrong:
        raise ValueError(wrong.errors()[0]["msg"].removeprefix("Value error, ")) from None
