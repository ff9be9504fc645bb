"""The gateway over HTTP: `GET /tools`, `POST /invoke`, `GET /health`, and `/mcp`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from mini_agent.errors import BadRequest, ErrorBody, Problem, ToolsUnavailable, ToolTooSlow
from mini_agent.mcp.client.convert import convert_tool
from mini_agent.mcp.gateway.catalog import Gateway, UnknownTool
from mini_agent.mcp.gateway.server import Answer, build_answer, create_gateway_server
from mini_agent.mcp.gateway.supervisor import ServerState
from mini_agent.messages import JsonObject, parse_json_object, replace_surrogates
from mini_agent.tools.invoker import Tool
from mini_agent_protocol.asgi.disconnect import (
    ClientDisconnected,
    answer_disconnected,
    run_while_connected,
)
from mini_agent_protocol.asgi.problems import error_body
from mini_agent_shim.http.auth import AccessPolicy, AuthMiddleware
from mini_agent_shim.http.problems import install_problem_handlers, respond_with_problem
from mini_agent_shim.http.tracing import FASTAPI_TELEMETRY_OFF, TracingMiddleware
from mini_agent_shim.mcp.endpoint import McpEndpoint

PROBLEMS: Final[dict[int | str, dict[str, object]]] = {
    400: {"model": Problem, "description": "The arguments are no JSON object."},
    404: {"model": Problem, "description": "No server has this tool; it lists those there are."},
    422: {"model": Problem, "description": "A field has a wrong name or type."},
    503: {"model": Problem, "description": "The tool's server is away."},
    504: {"model": Problem, "description": "The call took too long and was cancelled."},
}


def _clean(name: object) -> object:
    return replace_surrogates(name) if isinstance(name, str) else name


class Invoke(BaseModel):
    """A call of a tool."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[
        str,
        BeforeValidator(_clean),
        Field(min_length=1, description="The name of the tool, server__tool."),
    ]
    arguments: dict[str, JsonValue] | str | None = Field(
        default=None,
        description="A JSON object, or the text of one, as models write it; null for none.",
    )

    def parse_arguments(self) -> JsonObject:
        """Return the arguments; raises `BadRequest` where their text is no JSON object."""
        if not isinstance(self.arguments, str):
            return self.arguments or {}
        try:
            return parse_json_object(self.arguments or "{}")
        except ValueError as wrong:
            raise BadRequest(
                f"the arguments are not a JSON object: {wrong}", field="arguments"
            ) from None


class ServerHealth(BaseModel):
    """The state of one server."""

    name: str = Field(description="The name of the server.")
    state: ServerState = Field(
        description="How the server is: `failed` ones are tried again, `unusable` ones are "
        "configured wrongly."
    )
    tools: int = Field(description="How many tools it offers.")
    error: str = Field(default="", description="Why it is not running; empty where it is.")


class Health(BaseModel):
    """The state of the gateway."""

    ok: bool = Field(description="Whether all its servers are up too.")
    version: str = Field(description="The version of the gateway.")
    servers: list[ServerHealth] = Field(
        description="The servers, in the order of the configuration."
    )


class GatewayApp:
    """The app and its routes, in front of an open gateway."""

    def __init__(self, gateway: Gateway, policy: AccessPolicy) -> None:
        self._gateway = gateway
        self._mcp = McpEndpoint(create_gateway_server(gateway))
        self._policy = policy

    def app(self) -> FastAPI:
        """Create the ASGI app."""
        app = FastAPIOffline(
            title="mini-agent gateway",
            summary="The tools of many MCP servers in one place.",
            version=version("mini-agent"),
            redoc_url=None,
            lifespan=self._lifespan,
            telemetry=FASTAPI_TELEMETRY_OFF,
        )
        app.add_api_route("/tools", self.tools)
        app.add_api_route(
            "/invoke",
            self.invoke,
            methods=["POST"],
            response_model=Answer,
            response_model_exclude_defaults=True,
            responses=PROBLEMS,
        )
        app.add_api_route("/health", self.health)
        app.router.routes.append(self._mcp.route)
        install_problem_handlers(app)
        app.exception_handler(UnknownTool)(_handle_unknown_tool)
        app.exception_handler(ToolsUnavailable)(_handle_unavailable)
        app.exception_handler(ClientDisconnected)(answer_disconnected)
        app.exception_handler(Exception)(_handle_unexpected)
        app.add_middleware(AuthMiddleware, policy=self._policy)
        app.add_middleware(TracingMiddleware)
        return app

    async def tools(self) -> list[Tool]:
        """List all tools in OpenAI's format."""
        return [convert_tool(tool) for tool in await self._gateway.list_tools()]

    async def invoke(self, request: Request, body: Invoke) -> Answer:
        """Call one tool; disconnecting cancels the call at its server."""
        work = self._gateway.call(body.name, body.parse_arguments(), _ignore_progress)
        return build_answer(await run_while_connected(request.receive, work))

    async def health(self) -> Health:
        """Return the state of each server."""
        servers = [
            ServerHealth(name=each.name, state=each.state, tools=each.tools, error=each.error)
            for each in self._gateway.statuses()
        ]
        is_well = all(each.state in ("running", "disabled") for each in servers)
        return Health(ok=is_well, version=version("mini-agent"), servers=servers)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        async with self._mcp.run():
            yield


async def _ignore_progress(progress: float, total: float | None, message: str | None) -> None:
    del progress, total, message


async def _handle_unknown_tool(_request: Request, error: UnknownTool) -> JSONResponse:
    return respond_with_problem(HTTPStatus.NOT_FOUND, error_body(error))


async def _handle_unavailable(_request: Request, error: ToolsUnavailable) -> JSONResponse:
    is_slow = isinstance(error, ToolTooSlow)
    status = HTTPStatus.GATEWAY_TIMEOUT if is_slow else HTTPStatus.SERVICE_UNAVAILABLE
    return respond_with_problem(status, error_body(error))


async def _handle_unexpected(_request: Request, error: Exception) -> JSONResponse:
    return respond_with_problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        ErrorBody(
            code="internal",
            message=f"the gateway failed: {type(error).__name__}",
            hint="its stderr has the traceback",
        ),
    )
