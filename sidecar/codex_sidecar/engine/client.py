"""Client of Docker's API: the few calls that the sidecar makes.

The body of a container to be created is built by `confinement`.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, JsonValue, ValidationError

from codex_sidecar.engine.attach import HijackedStream, StreamOpener
from codex_sidecar.engine.confinement import SANDBOX_LABEL
from codex_sidecar.engine.connection import EngineResponse, EngineTransport
from codex_sidecar.engine.models import (
    ContainerDetails,
    ContainerList,
    ContainerSummary,
    EngineFacts,
    EngineVersion,
    ImageDetails,
    parse_error_message,
)
from codex_sidecar.errors import EngineRefused, EngineUnavailable, NotReady

ATTACH_TIMEOUT_S: Final = 5.0
_ATTACH: Final = "attach?stream=1&stdin=1&stdout=1&stderr=1"

Model = TypeVar("Model", bound=BaseModel)


class Engine:
    """Docker over its unix socket. A call raises `EngineUnavailable` when there is no answer."""

    def __init__(self, socket_path: str) -> None:
        self._api = ""
        self._opener = StreamOpener(socket_path)
        self._transport = EngineTransport(socket_path)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def ping(self) -> None:
        """Raise `EngineUnavailable` unless the engine answers within a moment."""
        await self._transport.ping()

    async def facts(self) -> EngineFacts:
        """Return what the engine can enforce, and its runtimes."""
        response = await self._call("GET", "/info", "describe itself")
        return _parse(EngineFacts, response)

    async def has_image(self, image: str) -> bool:
        """Whether the image is present; it is never pulled."""
        return await self.image_id(image) is not None

    async def image_id(self, image: str) -> str | None:
        """Return the id that a tag stands for at present; None where there is no such image."""
        response = await self._call(
            "GET", f"/images/{image}/json", "find an image", accept=HTTPStatus.NOT_FOUND
        )
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        return _parse(ImageDetails, response).id

    async def create_container(self, name: str, body: dict[str, JsonValue]) -> None:
        """Create a container; raises `NotReady` when its image is missing."""
        response = await self._call(
            "POST",
            f"/containers/create?name={name}",
            "create a sandbox",
            body=body,
            accept=HTTPStatus.NOT_FOUND,
        )
        if response.status == HTTPStatus.NOT_FOUND:
            raise NotReady(f"the image {body['Image']} is missing", hint="run `make images`")

    async def start_container(self, name: str) -> None:
        """Start a created container."""
        await self._call("POST", f"/containers/{name}/start", "start a sandbox")

    async def inspect_container(self, name: str) -> ContainerDetails:
        """Return a container's state and the limits that the engine holds it to."""
        response = await self._call("GET", f"/containers/{name}/json", "inspect a sandbox")
        return _parse(ContainerDetails, response)

    async def kill_container(self, name: str) -> None:
        """Kill a container's processes; no error where there are none."""
        await self._call(
            "POST", f"/containers/{name}/kill", "kill a sandbox", accept=_ALREADY_ENDED
        )

    async def remove_container(self, name: str) -> None:
        """Kill and remove a container; no error where there is none."""
        path = f"/containers/{name}?force=1&v=1"
        await self._call("DELETE", path, "remove a sandbox", accept=_ALREADY_ENDED)

    async def list_sandboxes(self) -> list[ContainerSummary]:
        """Return every container with our label, running or not, of any instance."""
        query = urlencode({"all": 1, "filters": json.dumps({"label": [f"{SANDBOX_LABEL}=1"]})})
        response = await self._call("GET", f"/containers/json?{query}", "list the sandboxes")
        return list(_parse(ContainerList, response).root)

    async def attach_to_container(self, name: str) -> HijackedStream:
        """Open a container's streams on a hijacked connection."""
        target = f"{await self._version()}/containers/{name}/{_ATTACH}"
        try:
            async with asyncio.timeout(ATTACH_TIMEOUT_S):
                return await self._opener.open(target)
        except OSError as error:
            # TimeoutError is an OSError too.
            raise self._transport.unavailable(error) from error

    async def _call(
        self,
        method: str,
        path: str,
        action: str,
        *,
        body: dict[str, JsonValue] | None = None,
        accept: int | tuple[int, ...] = (),
    ) -> EngineResponse:
        response = await self._send(method, await self._version() + path, body)
        accepted = (accept,) if isinstance(accept, int) else accept
        if response.status >= HTTPStatus.BAD_REQUEST and response.status not in accepted:
            raise EngineRefused(action, response.status, parse_error_message(response.body))
        return response

    async def _version(self) -> str:
        if not self._api:
            response = await self._send("GET", "/version", None)
            self._api = _parse(EngineVersion, response).path_prefix
        return self._api

    async def _send(
        self, method: str, path: str, body: dict[str, JsonValue] | None
    ) -> EngineResponse:
        try:
            response = await self._transport.send(method, path, body)
            if response.status == HTTPStatus.BAD_GATEWAY:
                # A guard answers so when the engine behind it does not.
                raise self._transport.unavailable(parse_error_message(response.body))
        except EngineUnavailable:
            # After a restart the engine may have another version.
            self._api = ""
            raise
        return response


_ALREADY_ENDED: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def _parse(model: type[Model], response: EngineResponse) -> Model:
    try:
        return model.model_validate_json(response.body)
    except ValidationError as error:
        raise EngineRefused("tell", response.status, f"no {model.__name__}") from error
