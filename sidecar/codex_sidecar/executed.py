"""The answer to a call that runs a snippet: whole, or as events."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from codex_sidecar.connected import while_connected
from codex_sidecar.events import MEDIA_TYPE, EventStream, Plain, Run, Wording
from codex_sidecar.listener import Nobody
from mini_agent.sandbox import Execution

CLIENT_GONE: Final = 499


async def executed(request: Request, run: Run) -> Response:
    """Runs the snippet for as long as the client is there."""
    if MEDIA_TYPE in request.headers.get("accept", ""):
        return streamed(request, run, Plain())
    execution = await while_connected(request.receive, run(Nobody()))
    if execution is None:
        return Response(status_code=CLIENT_GONE)
    _note(request, execution)
    return Response(execution.model_dump_json(), media_type="application/json")


def streamed(request: Request, run: Run, wording: Wording) -> Response:
    """Runs the snippet for as long as the client reads what it does."""
    return EventStream(run, lambda execution: _note(request, execution), wording)


def _note(request: Request, execution: Execution) -> None:
    request.state.noted = {"language": execution.language, "outcome": execution.status}
