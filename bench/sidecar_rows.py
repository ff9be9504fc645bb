"""The rows of our own service: each asks it over HTTP, on one connection that is kept."""

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


def rows(line: HttpConnection, session: str) -> Iterator[Row]:
    """Each in a sandbox that nothing has run in, but those of a session."""
    yield _row(
        line, "python", "python print(1), fresh, fork", snippet_body("python", PYTHON), times=4
    )
    spawned = snippet_body("python", PYTHON, isolation="spawn")
    yield _row(line, "spawn", "python print(1), fresh, clean interpreter", spawned)
    yield _row(
        line, "pandas", "python with numpy and pandas, fresh", snippet_body("python", PANDAS)
    )
    yield _row(line, "node", "node console.log(1), fresh", snippet_body("node", JAVASCRIPT))
    yield _row(line, "bash", "bash echo 1, fresh", snippet_body("bash", "echo 1"))
    yield _changing_row(line, "go", "go, changed source, compile and run, fresh")
    yield _changing_row(line, "rust", "rust, changed source, compile and run, fresh")
    cold = snippet_body("python", PYTHON, limits=NEVER_WARM)
    yield _row(line, "cold", "python print(1), nothing warm (cold)", cold)
    yield Row(
        "session",
        "python print(1), in a session",
        lambda: execute(line, f"{session}/execute", snippet_body("python", PYTHON)),
        times=2,
    )
    kept = snippet_body("python", PYTHON, stateful=True)
    yield Row(
        "stateful",
        "python print(1), in a session, variables kept",
        lambda: execute(line, f"{session}/execute", kept),
    )


async def open_session(line: HttpConnection) -> str:
    """The path of a new session, in which one snippet of each way has run."""
    said = await line.ask("POST", "/v1/sessions", b"{}")
    path = f"/v1/sessions/{SessionOpened.model_validate_json(said.body).id}"
    await execute(line, f"{path}/execute", snippet_body("python", PYTHON, stateful=True))
    await execute(line, f"{path}/execute", snippet_body("python", PYTHON))
    return path


async def execute(line: HttpConnection, path: str, body: bytes) -> str:
    """What the snippet printed; anything but a success ends the run."""
    said = await line.ask("POST", path, body)
    if said.status != 200 or b'"status":"ok"' not in said.body.replace(b": ", b":"):
        raise SystemExit(f"{path} {body[:200]!r}: {said.status} {said.body[:600]!r}")
    return Execution.model_validate(json.loads(said.body)).stdout


def _row(line: HttpConnection, key: str, label: str, body: bytes, times: int = 1) -> Row:
    return Row(key, label, lambda: execute(line, EXECUTE, body), times=times)


def _changing_row(line: HttpConnection, key: str, label: str) -> Row:
    series = _Series(line, CHANGING_PROGRAMS[key])
    return Row(key, label, series.once, series.wanted)


class _Series:
    def __init__(self, line: HttpConnection, program: ChangingProgram) -> None:
        self._line, self._program = line, program
        self._number = 1000

    async def once(self) -> str:
        self._number += 1
        code = self._program.code(self._number)
        return await execute(self._line, EXECUTE, snippet_body(self._program.language, code))

    def wanted(self) -> str:
        return str(self._number)
