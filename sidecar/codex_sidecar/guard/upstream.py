"""The engine behind the guard: calls written anew, answers read and written anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    RootModel,
    ValidationError,
    field_validator,
)

from codex_sidecar.engine.client import (
    NEWEST_API,
    EngineFacts,
    Found,
    Image,
    Inspected,
    Refusal,
    Version,
)
from codex_sidecar.engine.connection import Answer, Channel
from codex_sidecar.errors import EngineGone
from codex_sidecar.guard.allowlist import NAME, Act, Call
from codex_sidecar.guard.errors import EngineSaidNo

Model = TypeVar("Model", bound=BaseModel)


class _Listed(RootModel[list[Found]]):
    @field_validator("root")
    @classmethod
    def _ours(cls, found: list[Found]) -> list[Found]:
        # What bears our label and no name of ours could not be removed through here either.
        return [one for one in found if re.fullmatch(NAME, one.name)]


# What is told of an answer: the fields that the sidecar reads, and no others.
_TOLD: Final[Mapping[Act, type[BaseModel]]] = MappingProxyType(
    {
        Act.VERSION: Version,
        Act.FACTS: EngineFacts,
        Act.LIST: _Listed,
        Act.IMAGE: Image,
        Act.INSPECT: Inspected,
    }
)


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Config(_Said):
    labels: dict[str, str] | None = Field(
        alias="Labels", default=None, description="The container's labels; null for none."
    )


class _Labelled(_Said):
    config: _Config = Field(alias="Config", description="The configuration of the container.")


class Upstream:
    """Every call raises `EngineGone` when nobody answers, `EngineSaidNo` when the answer is no."""

    def __init__(self, socket_path: str) -> None:
        self._channel = Channel(socket_path)
        self._api = ""

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._channel.aclose()

    async def pass_on(self, call: Call, body: dict[str, JsonValue] | None = None) -> Answer:
        """The engine's answer to a call, without what the sidecar does not read."""
        answer = await self._ask(call.method, await self.versioned(call), body)
        return Answer(answer.status, _told(call.act, answer.body))

    async def labels(self, name: str) -> dict[str, str]:
        """The labels of a container, whosever it is."""
        inspect = Call(Act.INSPECT, "GET", f"/containers/{name}/json", name)
        answer = await self._ask("GET", await self.versioned(inspect), None)
        return _read(_Labelled, answer.body).config.labels or {}

    async def versioned(self, call: Call) -> str:
        """What the engine is asked, in the version of the API that both know."""
        if call.act in {Act.PING, Act.VERSION}:
            return call.target
        if not self._api:
            answer = await self._ask("GET", "/version", None)
            offered = _read(Version, answer.body).api
            newest = min(NEWEST_API, tuple(int(part) for part in offered.split(".")))
            self._api = "/v" + ".".join(str(part) for part in newest)
        return self._api + call.target

    async def _ask(self, method: str, target: str, body: dict[str, JsonValue] | None) -> Answer:
        try:
            answer = await self._channel.send(method, target, body)
        except EngineGone:
            # The one that comes back may be another.
            self._api = ""
            raise
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise EngineSaidNo(answer.status, _why(answer.body))
        return answer


def _told(act: Act, body: bytes) -> bytes:
    if act in _TOLD:
        return _read(_TOLD[act], body).model_dump_json(by_alias=True).encode()
    return b"OK" if act is Act.PING else b""


def _read(model: type[Model], body: bytes) -> Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as wrong:
        why = f"the engine's answer is not a {model.__name__}"
        raise EngineSaidNo(HTTPStatus.BAD_GATEWAY, why) from wrong


def _why(body: bytes) -> str:
    try:
        return Refusal.model_validate_json(body).message
    except ValidationError:
        return body[:200].decode(errors="replace")
