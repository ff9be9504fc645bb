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
    MAX_API_VERSION,
    ContainerDetails,
    ContainerSummary,
    EngineFacts,
    EngineVersion,
    ErrorMessage,
    ImageDetails,
)
from codex_sidecar.engine.connection import EngineResponse, EngineTransport
from codex_sidecar.errors import EngineUnavailable
from codex_sidecar.guard.allowlist import NAME_PATTERN, EngineCall, Operation
from codex_sidecar.guard.errors import EngineErrorResponse

Model = TypeVar("Model", bound=BaseModel)


class _SandboxList(RootModel[list[ContainerSummary]]):
    @field_validator("root")
    @classmethod
    def _ours(cls, found: list[ContainerSummary]) -> list[ContainerSummary]:
        # What bears our label and no name of ours could not be removed through here either.
        return [one for one in found if re.fullmatch(NAME_PATTERN, one.name)]


# What is told of an answer: the fields that the sidecar reads, and no others.
_RESPONSE_MODELS: Final[Mapping[Operation, type[BaseModel]]] = MappingProxyType(
    {
        Operation.VERSION: EngineVersion,
        Operation.FACTS: EngineFacts,
        Operation.LIST: _SandboxList,
        Operation.IMAGE: ImageDetails,
        Operation.INSPECT: ContainerDetails,
    }
)


class _EngineModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Config(_EngineModel):
    labels: dict[str, str] | None = Field(
        alias="Labels", default=None, description="The container's labels; null for none."
    )


class _ContainerLabels(_EngineModel):
    config: _Config = Field(alias="Config", description="The configuration of the container.")


class UpstreamEngine:
    """Every call raises `EngineUnavailable` when nobody answers, `EngineErrorResponse` when the answer is no."""

    def __init__(self, socket_path: str) -> None:
        self._channel = EngineTransport(socket_path)
        self._api = ""

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._channel.aclose()

    async def pass_on(
        self, call: EngineCall, body: dict[str, JsonValue] | None = None
    ) -> EngineResponse:
        """The engine's answer to a call, without what the sidecar does not read."""
        response = await self._ask(call.method, await self.versioned(call), body)
        return EngineResponse(response.status, _filter_body(call.operation, response.body))

    async def labels(self, name: str) -> dict[str, str]:
        """The labels of a container, whosever it is."""
        inspect = EngineCall(Operation.INSPECT, "GET", f"/containers/{name}/json", name)
        response = await self._ask("GET", await self.versioned(inspect), None)
        return _parse(_ContainerLabels, response.body).config.labels or {}

    async def versioned(self, call: EngineCall) -> str:
        """What the engine is asked, in the version of the API that both know."""
        if call.operation in {Operation.PING, Operation.VERSION}:
            return call.target
        if not self._api:
            response = await self._ask("GET", "/version", None)
            offered = _parse(EngineVersion, response.body).api
            newest = min(MAX_API_VERSION, tuple(int(part) for part in offered.split(".")))
            self._api = "/v" + ".".join(str(part) for part in newest)
        return self._api + call.target

    async def _ask(
        self, method: str, target: str, body: dict[str, JsonValue] | None
    ) -> EngineResponse:
        try:
            response = await self._channel.send(method, target, body)
        except EngineUnavailable:
            # The one that comes back may be another.
            self._api = ""
            raise
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise EngineErrorResponse(response.status, _parse_message(response.body))
        return response


def _filter_body(operation: Operation, body: bytes) -> bytes:
    if operation in _RESPONSE_MODELS:
        return _parse(_RESPONSE_MODELS[operation], body).model_dump_json(by_alias=True).encode()
    return b"OK" if operation is Operation.PING else b""


def _parse(model: type[Model], body: bytes) -> Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as wrong:
        why = f"the engine's answer is not a {model.__name__}"
        raise EngineErrorResponse(HTTPStatus.BAD_GATEWAY, why) from wrong


def _parse_message(body: bytes) -> str:
    try:
        return ErrorMessage.model_validate_json(body).message
    except ValidationError:
        return body[:200].decode(errors="replace")
