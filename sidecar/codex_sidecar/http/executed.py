"""The answer to a call that runs a snippet: whole, or as events."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from codex_sidecar.http.event_stream import (
    ExecutionStream,
    Plain,
    Run,
    Wording,
)
from codex_sidecar.runner.listener import Nobody
from mini_agent_protocol.asgi.disconnect import (
    CLIENT_CLOSED_REQUEST,
    ClientDisconnected,
    run_while_connected,
)
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.sse import MEDIA_TYPE


async def executed(request: Request, run: Run) -> Response:
    """Runs the snippet for as long as the client is there."""
    if MEDIA_TYPE in request.headers.get("accept", ""):
        return streamed(request, run, Plain())
    try:
        execution = await run_while_connected(request.receive, run(Nobody()))
    except ClientDisconnected:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    _note(request, execution)
    return Response(execution.model_dump_json(), media_type="application/json")


def streamed(request: Request, run: Run, wording: Wording) -> Response:
    """Runs the snippet for as long as the client reads what it does."""
    return ExecutionStream(run, lambda execution: _note(request, execution), wording)


def _note(request: Request, execution: Execution) -> None:
    request.state.noted = {"language": execution.language, "outcome": execution.status}
