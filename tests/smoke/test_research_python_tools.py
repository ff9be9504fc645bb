"""The research tools, called by a run that is not sure of its answer."""

from __future__ import annotations

import pytest
from starlette.responses import JSONResponse

from mini_agent import AgentConfig, ResearchPythonInvoker, run_mcp_mini_agent
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.tools.services import Service

TASK = [user("Who wrote it?")]
FOUND = JSONResponse(
    {"choices": [{"message": {"content": "Ada did [1]."}}], "citations": ["https://a.example"]}
)


def test_research_python_tools_basic(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service([FOUND])
    turns = [
        text_reply("I'm not sure."),
        calls_reply(scripted_call("research_perplexity", query="Who?")),
        text_reply("Ada."),
    ]
    with service.served() as url, ScriptedModel(*turns) as model:
        monkeypatch.setenv("PPLX_API_KEY", "k")
        monkeypatch.setenv("PPLX_API_BASE", url)
        tools = ResearchPythonInvoker()
        result = run_mcp_mini_agent(TASK, mcp=tools, cfg=AgentConfig(model="m"), model=model)
    assert (result.final_answer, result.stopped_reason) == ("Ada.", "success")
    assert result.last_tool_invocation is not None
    assert "Ada did [1].\nSources:\n[1] https://a.example" in result.last_tool_invocation.text
