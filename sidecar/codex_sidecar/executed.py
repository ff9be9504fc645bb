"""The answer to a call that runs a snippet: whole, or as events."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from codex_sidecar.connected import while_connected
from codex_sidecar.events import MEDIA_TYPE, EventStream, Run
from codex_sidecar.listener import Nobody
from mini_agent.sandbox import Execution

CLIENT_GONE: Final = 499


async def executed(request: Request, run: Run) -> Response:
    """Runs the snippet for as long as the client is there."""

    def note(execution: Execution) -> None:
        request.state.noted = {"language": execution.language, "outcome": execution.status}

    if MEDIA_TYPE in request.headers.get("accept", ""):
        return EventStream(run, note)
    execution = await while_connected(request.receive, run(Nobody()))
    if execution is None:
        return Response(status_code=CLIENT_GONE)
    note(execution)
    return Response(execution.model_dump_json(), media_type="application/json")
