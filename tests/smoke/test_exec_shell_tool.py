"""The shell tool lets allowed commands through, and nothing else."""

from __future__ import annotations

from mini_agent.agent.loop import run_agent
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.local import LocalMCPInvoker


async def test_exec_shell_tool_allowlist() -> None:
    allowed, refused = (
        scripted_call("exec_shell", cmd="echo hello"),
        scripted_call("exec_shell", cmd="ls /"),
    )
    with ScriptedModel(calls_reply(allowed, refused), text_reply("done")) as model:
        result = await run_agent(
            [user("Look round.")],
            LocalMCPInvoker(shell_allow_prefixes=["echo"]),
            AgentConfig(model="m"),
            model,
        )
    echoed, listed = result.iterations[0].tool_invocations
    assert (echoed.ok, echoed.rc, echoed.stdout) == (True, 0, "hello\n")
    assert (listed.ok, listed.rc, listed.stdout) == (False, None, "")
    assert "the command 'ls' is not allowed" in listed.text
