"""A program that fails is repaired by the model, with real child processes."""

from __future__ import annotations

from mini_agent.agent.loop import run_agent
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.local import LocalMCPInvoker


async def test_mini_agent_repair_loop_exec_python() -> None:
    task = [user("Run-length encode aaabbc.")]
    forgets = scripted_call(
        "exec_python", code="print(''.join(k + str(len(list(g))) for k, g in groupby(t)))"
    )
    remembers = scripted_call(
        "exec_python",
        code=(
            "from itertools import groupby\nt = 'aaabbc'\n"
            "print(''.join(k + str(len(list(g))) for k, g in groupby(t)))"
        ),
    )
    with ScriptedModel(
        calls_reply(forgets), calls_reply(remembers), text_reply("It is a3b2c1.")
    ) as model:
        result = await run_agent(task, LocalMCPInvoker(), AgentConfig(model="m"), model)
    failure = str(model.requests[1].messages[-1]["content"])
    assert failure.startswith("[exec_python rc=1]\nstderr:\nTraceback")
    assert "NameError: name 'groupby' is not defined" in failure
    assert failure.endswith("Fix the cause and call the tool again.")
    assert model.requests[2].messages[-1]["content"] == "[exec_python rc=0]\nstdout:\na3b2c1"
    assert (result.final_answer, result.stopped_reason) == ("It is a3b2c1.", "success")
