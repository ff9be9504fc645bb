"""`/runs`: lists runs, and serves the events, artifacts and result of each."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.agent.replay import Bundle
from mini_agent.errors import ErrorBody
from mini_agent.remote.schema import AgentRunResponse
from mini_agent_protocol.sse import format_event, format_retry
from mini_agent_shim.api.openapi import (
    AUTH_PROBLEMS,
    PROBLEMS,
    READ_PROBLEMS,
    STREAM_CONTENT,
)
from mini_agent_shim.errors import NotFound
from mini_agent_shim.http.auth import get_caller
from mini_agent_shim.http.event_stream import stream_texts
from mini_agent_shim.runs.registry import RunRegistry
from mini_agent_shim.runs.replay import (
    ArtifactFacts,
    StoredArtifact,
    read_run_record,
    replay_events,
)
from mini_agent_shim.runs.schema import RunSummary, State, parse_line_head
from mini_agent_shim.runs.store import RunQuery

RECONNECT_MS: Final = 1000
INLINE_TYPES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
MEDIA_TYPE_PATTERN: Final = re.compile(r"[A-Za-z0-9][\w.+-]{0,60}/[\w.+-]{1,60}", re.ASCII)
# What a program has left is hostile: no browser may run any of it.
INERT_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=3600",
}

RunId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="as `/runs` lists it")]
Seq = Annotated[int, Field(ge=0, le=2**53)]
UnixTime = Annotated[float, Field(ge=0, le=1e11)]
EVENTS_RESPONSE: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "content": STREAM_CONTENT,
        "description": "`id: SEQ`, `event: KIND`, `data: {seq, at, event}`; `run_ended` is last.",
    },
    204: {"description": "The run is over and there is no line after this one."},
}
CONTENT_RESPONSE: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The bytes; pictures are shown in place, all else is a download.",
    }
}


class RunPage(BaseModel):
    """A page of the list of runs."""

    model_config = ConfigDict(frozen=True)

    runs: list[RunSummary] = Field(description="The runs, newest first.")
    next: str | None = Field(
        default=None, description="The `before` of the page that follows; null on the last page."
    )


class RunDetail(RunSummary):
    """A run with its request, result and artifacts."""

    request: dict[str, JsonValue] = Field(description="The request, without its secrets.")
    result: AgentRunResponse | None = Field(
        default=None, description="The finished run; null until then."
    )
    problem: ErrorBody | None = Field(
        default=None, description="Why the run could not begin, or was lost; null for nothing."
    )
    artifacts: tuple[ArtifactFacts, ...] = Field(
        default=(), description="The files that the run has left so far."
    )


class RunFilter(BaseModel):
    """The query parameters of the list of runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Annotated[
        list[State], Field(max_length=6, description="Runs in these states; none named means all.")
    ] = []
    model: Annotated[
        str, Field(max_length=200, description="Runs of this model; empty means any.")
    ] = ""
    q: Annotated[str, Field(max_length=200, description="in prompt, answer, error or id")] = ""
    since: UnixTime = Field(
        default=0.0, description="Runs asked for at or after this time, as Unix time in seconds."
    )
    until: UnixTime = Field(
        default=1e11, description="Runs asked for before or at this time, as Unix time in seconds."
    )
    before: Annotated[
        str,
        Field(
            pattern=r"^([0-9a-f]{32})?$",
            description="The id of the run after which the page begins; empty for the newest.",
        ),
    ] = ""
    limit: Annotated[int, Field(ge=1, le=200, description="Runs of a page, 1 to 200.")] = 50


@dataclass(frozen=True, slots=True)
class RunHistoryRoutes:
    """The routes below `/runs`."""

    runs: RunRegistry

    def router(self) -> APIRouter:
        """Create the router."""
        router = APIRouter(prefix="/runs", tags=["runs"])
        listing = AUTH_PROBLEMS | {422: PROBLEMS[422]}
        router.add_api_route("", self.page, responses=listing)
        router.add_api_route("/{run_id}", self.detail, responses=READ_PROBLEMS)
        router.add_api_route(
            "/{run_id}/events",
            self.events,
            responses=READ_PROBLEMS | EVENTS_RESPONSE,
            response_class=Response,
        )
        router.add_api_route(
            "/{run_id}/cancel",
            self.cancel,
            methods=["POST"],
            response_model=RunSummary,
            responses=READ_PROBLEMS | {202: {"model": RunSummary, "description": "It is ending."}},
        )
        router.add_api_route("/{run_id}/bundle", self.bundle, responses=READ_PROBLEMS)
        router.add_api_route("/{run_id}/artifacts", self.artifacts, responses=READ_PROBLEMS)
        router.add_api_route(
            "/{run_id}/artifacts/{number}",
            self.artifact,
            responses=READ_PROBLEMS | CONTENT_RESPONSE,
            response_class=Response,
        )
        return router

    async def page(self, request: Request, filters: Annotated[RunFilter, Query()]) -> RunPage:
        """List the runs that the caller may see."""
        caller = get_caller(request)
        found = self.runs.list_page(
            RunQuery(
                caller=caller.name or None,
                states=tuple(filters.state),
                model=filters.model,
                words=filters.q,
                since=filters.since,
                until=filters.until,
                before=filters.before,
                limit=filters.limit + 1,
            )
        )
        shown = found[: filters.limit]
        return RunPage(runs=shown, next=shown[-1].id if len(found) > len(shown) else None)

    async def detail(self, request: Request, run_id: RunId) -> RunDetail:
        """Return one run with what its log holds so far."""
        summary = self.runs.find(run_id, get_caller(request))
        record = await read_run_record(self.runs.read_lines(run_id))
        return RunDetail(
            **summary.model_dump(),
            request=record.request,
            result=AgentRunResponse.from_result(record.result) if record.result else None,
            problem=record.error,
            artifacts=tuple(each.facts for each in record.artifacts),
        )

    async def events(
        self,
        request: Request,
        run_id: RunId,
        after: Annotated[Seq, Query()] = 0,
        last_event_id: Annotated[str, Header(alias="Last-Event-ID", max_length=40)] = "",
    ) -> Response:
        """Stream the run's log, from its beginning or after `Last-Event-ID`.

        Disconnecting does not end the run.
        """
        summary = self.runs.find(run_id, get_caller(request))
        seen = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else after
        if summary.is_over and seen >= await self._last(run_id):
            # The one status after which a browser's EventSource does not reconnect.
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return stream_texts(_format_lines(self.runs.follow_lines(run_id, seen)))

    async def cancel(self, request: Request, run_id: RunId) -> JSONResponse:
        """Cancel a run and close its sandbox; a run that has ended stays as it is."""
        self.runs.find(run_id, get_caller(request))
        await self.runs.cancel(run_id)
        summary = self.runs.find(run_id, get_caller(request))
        status = HTTPStatus.OK if summary.is_over else HTTPStatus.ACCEPTED
        return JSONResponse(summary.model_dump(mode="json"), status)

    async def bundle(self, request: Request, run_id: RunId) -> Bundle:
        """Return what `mini-agent replay` needs to execute the run's programs again."""
        self.runs.find(run_id, get_caller(request))
        record = await read_run_record(self.runs.read_lines(run_id))
        events = [each async for each in replay_events(self.runs.read_lines(run_id))]
        return Bundle(run_id=run_id, request=record.request, events=tuple(events))

    async def artifacts(self, request: Request, run_id: RunId) -> list[ArtifactFacts]:
        """List the files that the run has made so far."""
        return [each.facts for each in await self._find_artifacts(request, run_id)]

    async def artifact(
        self, request: Request, run_id: RunId, number: Annotated[int, Path(ge=1, le=100_000)]
    ) -> Response:
        """Return the content of one artifact."""
        for left in await self._find_artifacts(request, run_id):
            if left.facts.number == number:
                return _content_response(left)
        raise NotFound(
            "no_such_artifact",
            f"run {run_id} has left no artifact {number}",
            hint=f"GET /runs/{run_id}/artifacts lists them",
        )

    async def _find_artifacts(self, request: Request, run_id: str) -> tuple[StoredArtifact, ...]:
        self.runs.find(run_id, get_caller(request))
        return (await read_run_record(self.runs.read_lines(run_id))).artifacts

    async def _last(self, run_id: str) -> int:
        last = 0
        async with aclosing(self.runs.follow_lines(run_id)) as lines:
            async for line in lines:
                last, _ = parse_line_head(line)
        return last


async def _format_lines(lines: AsyncGenerator[bytes, None]) -> AsyncGenerator[str, None]:
    # Sent at once, so that the client sees that it is connected.
    yield format_retry(RECONNECT_MS)
    async with aclosing(lines):
        async for line in lines:
            seq, kind = parse_line_head(line)
            yield format_event(line.decode(), event=kind, event_id=str(seq))


def _content_response(left: StoredArtifact) -> Response:
    facts = left.facts
    media_type = facts.media_type if MEDIA_TYPE_PATTERN.fullmatch(facts.media_type) else ""
    placed = "inline" if media_type in INLINE_TYPES else "attachment"
    name = quote(facts.name.encode("utf-8", "replace"), safe="")
    headers = {**INERT_HEADERS, "Content-Disposition": f"{placed}; filename*=UTF-8''{name}"}
    headers["Content-Type"] = media_type or "application/octet-stream"
    return Response(left.content, headers=headers)
