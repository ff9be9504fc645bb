"""Streams out of real sandboxes: as it comes, to readers who are slow, until they leave."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mini_agent.errors import BadRequest
from mini_agent.sandbox import Execution, Limits, Output, SidecarClient, Snippet
from tests.docker.sidecar_process import TOKEN, Sidecar, sidecar

pytestmark = pytest.mark.docker

FLOODING = Snippet(
    language="bash",
    code="for n in {1..60}; do head -c 100000 /dev/zero | tr '\\0' x; sleep 0.05; done",
    limits=Limits(timeout_s=20, output_bytes=8_388_608),
)


async def none_left(running: Sidecar, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while await running.containers():  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.05)


async def test_output_is_there_before_the_snippet_is_done(sandboxes: SidecarClient) -> None:
    code = "import time\nfor word in ('é', 'b', 'c'):\n    print(word)\n    time.sleep(1)"
    came: list[float] = []
    items: list[Output | Execution] = []
    async for item in sandboxes.stream(Snippet(language="python", code=code)):
        items.append(item)
        came.append(time.monotonic())
    assert items[:3] == [Output(stream="stdout", text=f"{word}\n") for word in "ébc"]
    assert isinstance(items[3], Execution)
    assert items[3].stdout == "é\nb\nc\n"
    assert came[2] - came[0] > 0.5


async def test_a_streams_pieces_together_are_what_the_execution_keeps(
    sandboxes: SidecarClient,
) -> None:
    snippet = Snippet(
        language="bash",
        code="for n in {1..3000}; do echo $n; echo e$n >&2; done",
        limits=Limits(output_bytes=5000),
    )
    *outputs, last = [item async for item in sandboxes.stream(snippet)]
    assert isinstance(last, Execution)
    pieces = [item for item in outputs if isinstance(item, Output)]
    for name, kept in (("stdout", last.stdout), ("stderr", last.stderr)):
        assert "".join(piece.text for piece in pieces if piece.stream == name) == kept
    assert last.truncated.stdout
    assert last.stdout_bytes > 10_000


async def test_a_program_that_does_not_compile_is_streamed_as_well(
    sandboxes: SidecarClient,
) -> None:
    *outputs, last = [
        item async for item in sandboxes.stream(Snippet(language="rust", code="fn main() { x }"))
    ]
    assert isinstance(last, Execution)
    assert last.status == "compile_error"
    assert outputs


async def test_what_cannot_be_run_is_an_error_at_once(sandboxes: SidecarClient) -> None:
    items = sandboxes.stream(Snippet(language="python", code="", stateful=True))
    with pytest.raises(BadRequest, match="stateful"):
        await anext(items)


async def test_a_reader_who_leaves_takes_the_snippet_along(tmp_path: Path) -> None:
    with sidecar(tmp_path) as running:
        async with SidecarClient(running.url, TOKEN) as client:
            snippet = Snippet(language="bash", code="echo on; sleep 60")
            async with aclosing(client.stream(snippet)) as items:
                first = await anext(items)
            assert first == Output(stream="stdout", text="on\n")
            await none_left(running, within_s=30)


async def test_a_reader_who_hardly_reads_costs_no_memory_and_holds_no_sandbox(
    tmp_path: Path,
) -> None:
    with sidecar(tmp_path) as running:
        before = resident_mb(running)
        body = FLOODING.model_dump_json(exclude_defaults=True)
        address = urlsplit(running.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
        writer.write(
            f"POST /v1/execute HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Type: application/json\r\nAccept: text/event-stream\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await reader.read(1)
        await asyncio.sleep(1)
        await none_left(running, within_s=30)
        grown = resident_mb(running) - before
        writer.close()
    assert grown < 40


def resident_mb(running: Sidecar) -> float:
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
