"""A caller who hangs up ends the run."""

from __future__ import annotations

import asyncio
import time

import httpx
import uvicorn

from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.shim.scripted import SilentModel

ASKED = {
    "messages": [{"role": "user", "content": "hi"}],
    "model": "a/b",
    "tool_backend": "echo",
}


async def test_a_caller_who_hangs_up_ends_the_run() -> None:
    model = SilentModel()
    app = create_app(ShimSettings(), model=model)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(50):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            calling = asyncio.create_task(client.post("/agent/run", json=ASKED))
            await model.asked.wait()
            calling.cancel()
            await asyncio.wait({calling})
        left = time.monotonic()
        await model.cancelled.wait()
        assert time.monotonic() - left < 10
    server.should_exit = True
    await serving
