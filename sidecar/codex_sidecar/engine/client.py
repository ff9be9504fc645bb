"""The engine: the few calls of Docker's API that we make. Nothing else knows its socket."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, JsonValue, ValidationError

from codex_sidecar.engine.attach import Upgrade
from codex_sidecar.engine.attached import Attached
from codex_sidecar.engine.confinement import SANDBOX_LABEL
from codex_sidecar.engine.connection import Channel
from codex_sidecar.engine.exchange import Answer
from codex_sidecar.engine.told import (
    EngineFacts,
    Found,
    Image,
    Inspected,
    Listed,
    Refusal,
    Version,
)
from codex_sidecar.errors import EngineGone, EngineRefused, NotReady

NEWEST_API: Final = (1, 45)
ATTACH_S: Final = 5.0
_ATTACH: Final = "attach?stream=1&stdin=1&stdout=1&stderr=1"

Model = TypeVar("Model", bound=BaseModel)


class Engine:
    """Docker over its socket. Every call raises `EngineGone` when nobody answers there."""

    def __init__(self, socket_path: str) -> None:
        self._api = ""
        self._upgrade = Upgrade(socket_path)
        self._channel = Channel(socket_path)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._channel.aclose()

    async def require_sign_of_life(self) -> None:
        """Returns at once where there is an engine."""
        await self._channel.require_sign_of_life()

    async def facts(self) -> EngineFacts:
        """What the engine can enforce, and with what."""
        answer = await self._call("GET", "/info", "describe itself")
        return _read(EngineFacts, answer)

    async def has_image(self, image: str) -> bool:
        """Whether the image is there; it is never pulled."""
        return await self.image_id(image) is not None

    async def image_id(self, image: str) -> str | None:
        """The id that a tag stands for at present; None where there is no such image."""
        answer = await self._call(
            "GET", f"/images/{image}/json", "find an image", accept=HTTPStatus.NOT_FOUND
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return _read(Image, answer).id

    async def create(self, name: str, body: dict[str, JsonValue]) -> None:
        """Creates a container; `NotReady` when its image is missing."""
        answer = await self._call(
            "POST",
            f"/containers/create?name={name}",
            "create a sandbox",
            body=body,
            accept=HTTPStatus.NOT_FOUND,
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            raise NotReady(f"the image {body['Image']} is missing", hint="run `make images`")

    async def start(self, name: str) -> None:
        """Starts a created container."""
        await self._call("POST", f"/containers/{name}/start", "start a sandbox")

    async def inspect(self, name: str) -> Inspected:
        """How a container is, and what holds it."""
        answer = await self._call("GET", f"/containers/{name}/json", "inspect a sandbox")
        return _read(Inspected, answer)

    async def kill(self, name: str) -> None:
        """Kills a container's processes, if there are any."""
        await self._call("POST", f"/containers/{name}/kill", "kill a sandbox", accept=_GONE)

    async def remove(self, name: str) -> None:
        """Kills and removes a container, if it is there."""
        path = f"/containers/{name}?force=1&v=1"
        await self._call("DELETE", path, "remove a sandbox", accept=_GONE)

    async def sandboxes(self) -> list[Found]:
        """Every container that bears our label, running or not, of any instance."""
        chosen = urlencode({"all": 1, "filters": json.dumps({"label": [f"{SANDBOX_LABEL}=1"]})})
        answer = await self._call("GET", f"/containers/json?{chosen}", "list the sandboxes")
        return list(_read(Listed, answer).root)

    async def attach(self, name: str) -> Attached:
        """A container's streams, on a connection that is no longer HTTP."""
        target = f"{await self._version()}/containers/{name}/{_ATTACH}"
        try:
            async with asyncio.timeout(ATTACH_S):
                return await self._upgrade.streams(target)
        except OSError as broken:
            # A deadline that has passed is an OSError too.
            raise self._channel.gone(broken) from broken

    async def _call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: dict[str, JsonValue] | None = None,
        accept: int | tuple[int, ...] = (),
    ) -> Answer:
        answer = await self._send(method, await self._version() + path, body)
        accepted = (accept,) if isinstance(accept, int) else accept
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status not in accepted:
            raise EngineRefused(what, answer.status, _message(answer.body))
        return answer

    async def _version(self) -> str:
        if not self._api:
            answer = await self._send("GET", "/version", None)
            offered = _read(Version, answer).api
            newest = min(NEWEST_API, tuple(int(part) for part in offered.split(".")))
            self._api = "/v" + ".".join(str(part) for part in newest)
        return self._api

    async def _send(self, method: str, path: str, body: dict[str, JsonValue] | None) -> Answer:
        try:
            answer = await self._channel.send(method, path, body)
            if answer.status == HTTPStatus.BAD_GATEWAY:
                # The word of a guard that is there, of an engine that is not.
                raise self._channel.gone(_message(answer.body))
        except EngineGone:
            # The one that comes back may be another.
            self._api = ""
            raise
        return answer


_GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def _read(model: type[Model], answer: Answer) -> Model:
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as odd:
        raise EngineRefused("tell", answer.status, f"no {model.__name__}") from odd


def _message(body: bytes) -> str:
    try:
        return Refusal.model_validate_json(body).message
    except ValidationError:
        return body[:200].decode(errors="replace")
