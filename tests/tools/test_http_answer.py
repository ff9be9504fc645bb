"""What a tools gateway answers, as the output of the tool that was called."""

from __future__ import annotations

import pytest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from mini_agent import HttpToolsInvoker
from mini_agent.messages import function_call
from mini_agent.tools.invoker import ToolOutput, error_output, text_output
from tests.tools.gateway import Gateway


async def came_of(answer: Response) -> ToolOutput:
    call = function_call("1", "search_docs", {"query": "auth tokens"})
    with Gateway([answer]).served() as url:
        return await HttpToolsInvoker(url).call_openai_tool(call)


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        (JSONResponse({"text": "found"}), text_output("found")),
        (JSONResponse({"text": "42"}), text_output("42")),
        (JSONResponse({"text": ""}), text_output("")),
        (JSONResponse({"text": None, "error": None, "data": None}), text_output("")),
        (JSONResponse({"text": "3 docs", "data": {"a": 1}}), text_output('3 docs\ndata: {"a": 1}')),
        (JSONResponse({"text": '{"a": 1}', "data": {"a": 1}}), text_output('{"a": 1}')),
        (JSONResponse({"data": {"hits": ["ü"]}}), text_output('{"hits": ["ü"]}')),
        (JSONResponse({"text": {"a": 1}}), text_output('{"a": 1}')),
        (JSONResponse({"error": "no such tool"}), error_output("no such tool")),
        (JSONResponse({"error": {"message": "broken", "code": 7}}), error_output("broken")),
        (JSONResponse({"error": {"code": 7}}), error_output('{"code": 7}')),
        (JSONResponse({"error": "broken", "data": [1]}), error_output("broken\ndata: [1]")),
        (JSONResponse({"ok": False, "rc": 1, "stderr": "b"}), ToolOutput(False, 1, stderr="b")),
        (JSONResponse({"result": "found"}), text_output("found")),
        (JSONResponse({"weather": "fine"}), text_output('{"weather":"fine"}')),
        (JSONResponse(["a", 1]), text_output('["a",1]')),
        (JSONResponse(42), text_output("42")),
        (JSONResponse("found"), text_output("found")),
        (PlainTextResponse("plain text"), text_output("plain text")),
        (PlainTextResponse("{not json"), text_output("{not json")),
        (Response(b"\xff!"), text_output("\N{REPLACEMENT CHARACTER}!")),
        (Response(b""), text_output("")),
        (Response(status_code=204), text_output("")),
    ],
)
async def test_an_answer_means_this(answer: Response, output: ToolOutput) -> None:
    assert await came_of(answer) == output


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (JSONResponse({"error": "unknown tool 'x'"}, 404), "HTTP 404: unknown tool 'x'"),
        (JSONResponse({"error": {"message": "no", "hint": "?"}}, 400), "HTTP 400: no"),
        (JSONResponse({"detail": [{"msg": "wrong"}]}, 422), 'HTTP 422: [{"msg": "wrong"}]'),
        (PlainTextResponse("Internal Server Error", 500), "HTTP 500: Internal Server Error"),
        (HTMLResponse("<h1>Bad Gateway</h1>", 502), "HTTP 502: <h1>Bad Gateway</h1>"),
        (Response(status_code=503), "HTTP 503: (no body)"),
        (PlainTextResponse("x" * 9000, 500), "HTTP 500: " + "x" * 500),
    ],
)
async def test_a_status_of_failure_is_told_with_what_was_said(answer: Response, error: str) -> None:
    assert await came_of(answer) == error_output(error)


async def test_long_data_beside_a_text_is_cut_so_that_the_text_is_seen() -> None:
    output = await came_of(JSONResponse({"text": "3 docs", "data": "x" * 5000}))
    assert output.stdout.startswith('3 docs\ndata: "xxx')
    assert output.stdout.endswith('xxx"')
    assert "[... 4002 characters were left out ...]" in output.stdout
    assert len(output.stdout) < 1200
