"""The smallest run there is: a call, its echo, an answer."""

from __future__ import annotations

from mini_agent.agent.loop import run_agent
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.catalog import EchoMCP


async def test_mini_agent_echo_tool_roundtrip() -> None:
    task = [user("Echo hello, then finish.")]
    with ScriptedModel(
        calls_reply(scripted_call("echo", text="hello")), text_reply("It said hello.")
    ) as model:
        result = await run_agent(task, EchoMCP(), AgentConfig(model="m"), model)
    assert model.requests[1].messages[-1]["content"] == "[echo rc=0]\nstdout:\nhello"
    assert (result.final_answer, result.stopped_reason) == ("It said hello.", "success")
