"""The engine behind the guard: sends admitted calls, and filters the fields of answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeVar

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    RootModel,
    ValidationError,
    field_validator,
)

from codex_sidecar.engine.connection import EngineResponse, EngineTransport
from codex_sidecar.engine.models import (
    ContainerDetails,
    ContainerSummary,
    EngineFacts,
    EngineModel,
    EngineVersion,
    ImageDetails,
    parse_error_message,
)
from codex_sidecar.errors import EngineUnavailable
from codex_sidecar.guard.allowlist import NAME_PATTERN, EngineCall, Operation
from codex_sidecar.guard.errors import EngineErrorResponse

Model = TypeVar("Model", bound=BaseModel)


class _SandboxList(RootModel[list[ContainerSummary]]):
    @field_validator("root")
    @classmethod
    def _ours(cls, found: list[ContainerSummary]) -> list[ContainerSummary]:
        # A container with our label but another name could not be removed through the guard.
        return [one for one in found if re.fullmatch(NAME_PATTERN, one.name)]


# The fields of an answer that are passed on: those that the sidecar reads.
_RESPONSE_MODELS: Final[Mapping[Operation, type[BaseModel]]] = MappingProxyType(
    {
        Operation.VERSION: EngineVersion,
        Operation.FACTS: EngineFacts,
        Operation.LIST: _SandboxList,
        Operation.IMAGE: ImageDetails,
        Operation.INSPECT: ContainerDetails,
    }
)


class _Config(EngineModel):
    labels: dict[str, str] | None = Field(
        alias="Labels", default=None, description="The container's labels; null for none."
    )


class _ContainerLabels(EngineModel):
    config: _Config = Field(alias="Config", description="The configuration of the container.")


class UpstreamEngine:
    """The engine's API, for admitted calls.

    Every call raises `EngineUnavailable` when there is no answer, `EngineErrorResponse` for an
    error.
    """

    def __init__(self, socket_path: str) -> None:
        self._channel = EngineTransport(socket_path)
        self._api = ""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._channel.aclose()

    async def forward(
        self, call: EngineCall, body: dict[str, JsonValue] | None = None
    ) -> EngineResponse:
        """Return the engine's answer, without fields that the sidecar does not read."""
        response = await self._ask(call.method, await self.build_target(call), body)
        return EngineResponse(response.status, _filter_body(call.operation, response.body))

    async def labels(self, name: str) -> dict[str, str]:
        """Return the labels of a container, of any owner."""
        inspect = EngineCall(Operation.INSPECT, "GET", f"/containers/{name}/json", name)
        response = await self._ask("GET", await self.build_target(inspect), None)
        return _parse(_ContainerLabels, response.body).config.labels or {}

    async def build_target(self, call: EngineCall) -> str:
        """Return the call's target with the prefix of the API's version."""
        if call.operation in {Operation.PING, Operation.VERSION}:
            return call.target
        if not self._api:
            response = await self._ask("GET", "/version", None)
            self._api = _parse(EngineVersion, response.body).path_prefix
        return self._api + call.target

    async def _ask(
        self, method: str, target: str, body: dict[str, JsonValue] | None
    ) -> EngineResponse:
        try:
            response = await self._channel.send(method, target, body)
        except EngineUnavailable:
            # After a restart the engine may have another version.
            self._api = ""
            raise
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise EngineErrorResponse(response.status, parse_error_message(response.body))
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
