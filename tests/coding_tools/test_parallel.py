"""Many calls in one turn of the loop: each answer under its own id."""

from __future__ import annotations

from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.config import AgentConfig
from mini_agent.loop import run_agent
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, call, calls, says
from tests.coding_tools.conftest import Bench


async def test_twenty_reads_come_back_under_their_ids(bench: Bench) -> None:
    reads = [
        call("Read", file_path=bench.file(f"f{number}", f"{'filler ' * number}content {number}."))
        for number in range(20)
    ]
    config = AgentConfig(model="scripted", max_tools_per_iter=20, tool_concurrency=10)
    with ScriptedModel(calls(*reads), says("read")) as model:
        result = await run_agent([user("Read.")], coding_tools(bench.at), config, model)
    answers = [message for message in result.messages if message["role"] == "tool"]
    assert [answer["tool_call_id"] for answer in answers] == [read.id for read in reads]
    for number, answer in enumerate(answers):
        assert f"content {number}." in str(answer["content"])
