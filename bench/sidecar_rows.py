"""The rows of our sidecar, each measured over HTTP on one open connection."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench.http_connection import HttpConnection, snippet_body
from bench.programs import CHANGING_PROGRAMS, PANDAS, ChangingProgram
from bench.row import Row
from mini_agent.sandbox import Execution, SessionOpened

EXECUTE = "/v1/execute"
JAVASCRIPT = "console.log(1)"
PYTHON = "print(1)"
# No sandbox is warm with a limit of its own, so this one is started for the snippet.
NEVER_WARM = {"memory_mb": 257}


def rows(connection: HttpConnection, session: str) -> Iterator[Row]:
    """Yield the rows; all but those of the session use a fresh sandbox."""
    yield _row(
        connection,
        "python",
        "python print(1), fresh, fork",
        snippet_body("python", PYTHON),
        times=4,
    )
    spawned = snippet_body("python", PYTHON, isolation="spawn")
    yield _row(connection, "spawn", "python print(1), fresh, clean interpreter", spawned)
    yield _row(
        connection, "pandas", "python with numpy and pandas, fresh", snippet_body("python", PANDAS)
    )
    yield _row(connection, "node", "node console.log(1), fresh", snippet_body("node", JAVASCRIPT))
    yield _row(connection, "bash", "bash echo 1, fresh", snippet_body("bash", "echo 1"))
    yield _changing_row(connection, "go", "go, changed source, compile and run, fresh")
    yield _changing_row(connection, "rust", "rust, changed source, compile and run, fresh")
    cold = snippet_body("python", PYTHON, limits=NEVER_WARM)
    yield _row(connection, "cold", "python print(1), nothing warm (cold)", cold)
    yield Row(
        "session",
        "python print(1), in a session",
        lambda: execute(connection, f"{session}/execute", snippet_body("python", PYTHON)),
        times=2,
    )
    kept = snippet_body("python", PYTHON, stateful=True)
    yield Row(
        "stateful",
        "python print(1), in a session, variables kept",
        lambda: execute(connection, f"{session}/execute", kept),
    )


async def open_session(connection: HttpConnection) -> str:
    """Open a session and run one snippet of each kind in it; returns its path."""
    response = await connection.request("POST", "/v1/sessions", b"{}")
    path = f"/v1/sessions/{SessionOpened.model_validate_json(response.body).id}"
    await execute(connection, f"{path}/execute", snippet_body("python", PYTHON, stateful=True))
    await execute(connection, f"{path}/execute", snippet_body("python", PYTHON))
    return path


async def execute(connection: HttpConnection, path: str, body: bytes) -> str:
    """Run a snippet and return its stdout; exits on anything but a success."""
    response = await connection.request("POST", path, body)
    if response.status != 200 or b'"status":"ok"' not in response.body.replace(b": ", b":"):
        raise SystemExit(f"{path} {body[:200]!r}: {response.status} {response.body[:600]!r}")
    return Execution.model_validate(json.loads(response.body)).stdout


def _row(connection: HttpConnection, key: str, label: str, body: bytes, times: int = 1) -> Row:
    return Row(key, label, lambda: execute(connection, EXECUTE, body), times=times)


def _changing_row(connection: HttpConnection, key: str, label: str) -> Row:
    series = _Series(connection, CHANGING_PROGRAMS[key])
    return Row(key, label, series.once, series.expected)


class _Series:
    def __init__(self, connection: HttpConnection, program: ChangingProgram) -> None:
        self._line, self._program = connection, program
        self._number = 1000

    async def once(self) -> str:
        self._number += 1
        code = self._program.code(self._number)
        return await execute(self._line, EXECUTE, snippet_body(self._program.language, code))

    def expected(self) -> str:
        return str(self._number)
