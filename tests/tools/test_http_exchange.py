"""Servers of tools that hang, talk too much, or send a call elsewhere."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator

from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from mini_agent import HttpToolsInvoker
from mini_agent.messages import function_call
from mini_agent.tools.invoker import ToolOutput, text_output
from tests.tools.gateway import Gateway

CALL = function_call("1", "search_docs", {"query": "auth tokens"})


async def came_of(*answers: Response, timeout_s: float = 60.0) -> ToolOutput:
    with Gateway(answers).served() as url:
        return await HttpToolsInvoker(url, timeout=timeout_s).call_openai_tool(CALL)


async def test_a_call_that_hangs_is_cut_at_its_time() -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(600):
            yield b"."
            await asyncio.sleep(0.05)

    began = time.monotonic()
    output = await came_of(StreamingResponse(drops()), timeout_s=0.5)
    assert time.monotonic() - began < 15
    assert output.error is not None
    assert output.error.endswith("did not answer within 0.5 s")


async def test_an_answer_too_long_to_hold_is_not_read_to_its_end() -> None:
    async def long() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b"x" * 65_536

    output = await came_of(StreamingResponse(long()))
    assert output.error is not None
    assert "longer than 8 MiB" in output.error


async def test_ten_megabytes_that_are_compressed_do_not_get_around_that() -> None:
    packed = zlib.compress(b"x" * (10 << 20), wbits=31)
    output = await came_of(Response(packed, headers={"Content-Encoding": "gzip"}))
    assert output.error is not None
    assert "longer than 8 MiB" in output.error


async def test_a_redirect_within_the_server_is_followed_with_the_call() -> None:
    gateway = Gateway([RedirectResponse("/deep/invoke", 307), JSONResponse({"text": "ok"})])
    with gateway.served() as url:
        assert await HttpToolsInvoker(url).call_openai_tool(CALL) == text_output("ok")
    assert gateway.invoked[0] == gateway.invoked[1]


async def test_a_redirect_that_would_lose_the_call_is_not_followed() -> None:
    output = await came_of(RedirectResponse("/tools", 303))
    assert output.error is not None
    assert "redirects to" in output.error


async def test_a_redirect_to_another_server_is_not_followed_and_no_header_gets_there() -> None:
    other = Gateway()
    with other.served() as elsewhere:
        gateway = Gateway([RedirectResponse(f"{elsewhere}/invoke", 307)])
        with gateway.served() as url:
            tools = HttpToolsInvoker(url, headers={"Authorization": "Bearer secret"})
            output = await tools.call_openai_tool(CALL)
    assert output.error is not None
    assert f"redirects to {elsewhere}/invoke, which is not followed" in output.error
    assert other.asked == []


async def test_a_circle_of_redirects_ends() -> None:
    output = await came_of(RedirectResponse("/deep/invoke", 308))
    assert output.error is not None
    assert "redirects more than 3 times" in output.error
