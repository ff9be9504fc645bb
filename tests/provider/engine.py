"""A Docker Engine that knows one container, as far as the docker SDK asks about it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

VERSION = {"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.1"}


def engine_with(name: str, inspected: object) -> Starlette:
    """The engine's API with the container `name`, which looks like `inspected`."""

    async def version(request: Request) -> JSONResponse:
        del request
        return JSONResponse(VERSION)

    async def inspect(request: Request) -> JSONResponse:
        if request.path_params["name"] != name:
            return JSONResponse({"message": "No such container"}, status_code=404)
        return JSONResponse(inspected)

    return Starlette(
        routes=[
            Route("/version", version),
            Route("/v1.45/containers/{name}/json", inspect),
        ]
    )


def container(
    *,
    published: tuple[str, str] | None = None,
    address: str = "",
    status: str = "running",
) -> dict[str, object]:
    """What the engine says of a container: `published` is address and port of 8788/tcp."""
    ports = published and {"8788/tcp": [{"HostIp": published[0], "HostPort": published[1]}]}
    return {
        "Id": "abc",
        "State": {"Status": status, "Running": status == "running"},
        "NetworkSettings": {
            "Ports": ports or {"8788/tcp": None},
            "Networks": {"none": {"IPAddress": ""}, "default": {"IPAddress": address}},
        },
    }
