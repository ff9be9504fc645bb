"""Tools behind an HTTP gateway, called by a run."""

from __future__ import annotations

from starlette.responses import JSONResponse

from mini_agent import AgentConfig, HttpToolsInvoker, run_mcp_mini_agent
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.tools.gateway import Gateway

TASK = [user("Find the docs on auth tokens.")]
FOUND = JSONResponse({"text": "Found 3 relevant docs...", "data": {"hits": [1, 2, 3]}})


def test_http_tools_invoker_monkeypatch() -> None:
    gateway = Gateway([FOUND])
    looks = calls_reply(scripted_call("search_docs", query="auth tokens"))
    with gateway.served() as url, ScriptedModel(looks, text_reply("There are three.")) as model:
        tools = HttpToolsInvoker(url)
        result = run_mcp_mini_agent(TASK, mcp=tools, cfg=AgentConfig(model="m"), model=model)
    assert (result.final_answer, result.stopped_reason) == ("There are three.", "success")
    assert gateway.invoked == [{"name": "search_docs", "arguments": {"query": "auth tokens"}}]
    (invocation,) = result.iterations[0].tool_invocations
    assert "Found 3 relevant docs..." in invocation.text
    assert '{"hits": [1, 2, 3]}' in invocation.text


def test_a_gateway_that_is_away_ends_the_run_with_a_sentence_that_says_so() -> None:
    with ScriptedModel() as model:
        tools = HttpToolsInvoker("http://127.0.0.1:9")
        result = run_mcp_mini_agent(TASK, mcp=tools, cfg=AgentConfig(model="m"), model=model)
    assert result.stopped_reason == "error"
    assert "nothing answers at http://127.0.0.1:9" in str(result.error)
