"""Asking the shim for runs, and reading what it tells of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from mini_agent_shim.api.run_history import RunDetail, RunPage
from mini_agent_shim.runs.schema import LogLine

REQUEST: dict[str, object] = {
    "messages": [{"role": "user", "content": "What is six times seven?"}],
    "model": "a/b",
    "tool_backend": "echo",
}
KEYED = {"Idempotency-Key": "one"}


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One message of `/runs/ID/events`."""

    seq: int
    kind: str
    line: LogLine


async def start_run(client: httpx.AsyncClient, **changed: object) -> str:
    """The id of a new run in the background."""
    answer = await client.post("/agent/run", json={**REQUEST, "background": True, **changed})
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return str(answer.json()["id"])


async def read_messages(
    client: httpx.AsyncClient, run_id: str, **headers: str
) -> list[StreamMessage]:
    """What is told of a run, up to its end."""
    answer = await client.get(f"/runs/{run_id}/events", headers=headers)
    assert answer.status_code == httpx.codes.OK, answer.text
    return parse_messages(answer.text)


def parse_messages(text: str) -> list[StreamMessage]:
    """The messages in a stream's text."""
    found = []
    for message in text.split("\n\n"):
        if message.startswith("id: "):
            seq, kind, line = (each.partition(": ")[2] for each in message.split("\n"))
            found.append(StreamMessage(int(seq), kind, LogLine.model_validate_json(line)))
    return found


async def get_detail(client: httpx.AsyncClient, run_id: str) -> RunDetail:
    """All about a run."""
    answer = await client.get(f"/runs/{run_id}")
    assert answer.status_code == httpx.codes.OK, answer.text
    return RunDetail.model_validate_json(answer.text)


async def wait_for_end(client: httpx.AsyncClient, run_id: str) -> RunDetail:
    """The same, once the run is over."""
    # The events end with the run.
    async with asyncio.timeout(60):
        await read_messages(client, run_id)
    return await get_detail(client, run_id)


async def list_run_ids(client: httpx.AsyncClient, **asked: str | int | list[str]) -> list[str]:
    """The ids of the runs on a page."""
    answer = await client.get("/runs", params=asked)
    assert answer.status_code == httpx.codes.OK, answer.text
    return [each.id for each in RunPage.model_validate_json(answer.text).runs]
