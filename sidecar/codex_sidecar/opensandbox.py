"""The words of OpenSandbox's wire, as far as LiteLLM's client speaks them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from codex_sidecar.opensandbox_limits import Amounts
from mini_agent.sandbox import Language, SessionRequest, Snippet, language_named

# What LiteLLM asks for where its caller asks for nothing.
IMAGE: Final = "opensandbox/code-interpreter"
ENTRYPOINT: Final = ("/opt/code-interpreter/code-interpreter.sh",)
LANGUAGES: Final = "python, javascript, go, rust, bash"
MOST_METADATA: Final = 64

Label = Annotated[str, Field(max_length=256)]


class _Word(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Image(_Word):
    """The image a sandbox is to be made of; here each language has its own."""

    uri: str

    @field_validator("uri")
    @classmethod
    def _ours(cls, uri: str) -> str:
        name, _, _ = uri.partition(":")
        if name != IMAGE:
            raise ValueError(f"this sidecar has its own images, for {LANGUAGES}: leave it out")
        return uri


class NetworkPolicy(_Word):
    """Whom a sandbox may talk to; here, nobody."""

    default_action: Literal["allow", "deny"] = Field("deny", alias="defaultAction")
    egress: tuple[JsonValue, ...] = ()

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


class Creation(_Word):
    """What a sandbox is to be.

    `timeout` seconds without a call end it. It takes no more than `resourceLimits`, and has no less
    than `resourceRequests`. `env` is set in all that runs in it.
    """

    image: Image | None = None
    entrypoint: tuple[str, ...] = ENTRYPOINT
    timeout: float = SessionRequest().ttl_s
    limits: Amounts = Field(Amounts(), alias="resourceLimits")
    requests: Amounts = Field(Amounts(), alias="resourceRequests")
    metadata: Annotated[dict[Label, Label], Field(max_length=MOST_METADATA)] = {}
    env: dict[str, str] = {}
    network_policy: NetworkPolicy | None = Field(None, alias="networkPolicy")
    secure_access: bool = Field(default=True, alias="secureAccess")

    @field_validator("entrypoint")
    @classmethod
    def _usual(cls, entrypoint: tuple[str, ...]) -> tuple[str, ...]:
        if entrypoint != ENTRYPOINT:
            raise ValueError("a sandbox of this sidecar starts its own interpreter: leave it out")
        return entrypoint

    @field_validator("env")
    @classmethod
    def _settable(cls, env: dict[str, str]) -> dict[str, str]:
        with _as_a_value():
            return Snippet(language="python", code="", env=env).env

    @field_validator("timeout")
    @classmethod
    def _a_sessions(cls, timeout: float) -> float:
        with _as_a_value():
            return SessionRequest(ttl_s=timeout).ttl_s


class State(_Word):
    """How a sandbox is; here it takes calls from the first moment on."""

    state: Literal["Running"] = "Running"


class Opened(_Word):
    """A sandbox that can be used. `id` is that of the session it is."""

    id: str
    status: State = State()
    metadata: dict[str, str]
    created_at: datetime = Field(serialization_alias="createdAt")
    expires_at: datetime = Field(serialization_alias="expiresAt")


class Endpoint(_Word):
    """Where code is sent, with the headers that have to go along."""

    endpoint: str
    headers: dict[str, str]


class Context(_Word):
    """What code is written in."""

    language: Language = "python"

    @field_validator("language", mode="before")
    @classmethod
    def _known(cls, language: object) -> object:
        return language_named(language) if isinstance(language, str) else language


class Code(_Word):
    """Code to run; the variables of python stay for the next."""

    code: str
    context: Context = Context()

    @field_validator("code")
    @classmethod
    def _a_snippets(cls, code: str) -> str:
        with _as_a_value():
            return Snippet(language="python", code=code).code


@contextmanager
def _as_a_value() -> Iterator[None]:
    try:
        yield
    except ValidationError as wrong:
        raise ValueError(wrong.errors()[0]["msg"].removeprefix("Value error, ")) from None
