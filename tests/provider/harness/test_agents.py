"""LiteLLM's own agents, unpatched, at work in our sandbox."""

from __future__ import annotations

import asyncio

import pytest

from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.provider.harness.sandbox import SidecarSandbox
from mini_agent.testing import Reply, ScriptedServer, call
from tests.docker.sidecar_process import TOKEN, Sidecar

pytestmark = pytest.mark.docker

RUNS = """
from itertools import groupby
text = "".join(f"{letter}{len(list(run))}" for letter, run in groupby("aaabbc"))
open("runs.txt", "w").write(text)
print(text)
"""
ASKED = "Compress the runs of aaabbc."
ANSWER = "It is a3b2c1."


async def test_a_tool_loop_computes_in_it_and_its_files_are_told(ours: SidecarSandbox) -> None:
    litellm = import_litellm()
    script: list[Reply | str] = [
        call("exec_python", code=RUNS),
        call("exec_shell", cmd="cat runs.txt"),
        ANSWER,
    ]
    with ScriptedServer(script) as server:
        result = await litellm.aagent(
            litellm.Harness.TOOL_LOOP,
            ASKED,
            sandbox=ours,
            model="openai/m",
            api_base=server.openai_url,
            api_key="none",
            tools=[ours.exec_python, ours.exec_shell],
        )
        seen = [request.messages[-1]["content"] for request in server.requests]
        offered = str(server.requests[0].tools)
    assert (result.text, result.stop_reason) == (ANSWER, "done")
    assert seen == [ASKED, "a3b2c1", "a3b2c1"]
    assert [(file.path, file.kind) for file in result.files] == [("runs.txt", "created")]
    assert "+a3b2c1" in str(result.files[0].diff)
    assert "Run a Python program in the sandbox" in offered


def test_the_agent_that_blocks_works_in_it_too(real: Sidecar) -> None:
    litellm = import_litellm()
    box = SidecarSandbox(real.url, TOKEN)
    with ScriptedServer([call("exec_python", code=RUNS), ANSWER]) as server:
        result = litellm.agent(
            litellm.Harness.TOOL_LOOP,
            ASKED,
            sandbox=box,
            model="openai/m",
            api_base=server.openai_url,
            api_key="none",
            tools=[box.exec_python],
        )
        last = server.requests[-1].messages[-1]["content"]
    assert (result.text, last) == (ANSWER, "a3b2c1")
    asyncio.run(box.close())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("6 * 7", "42"),
        ("pass", "(no output)"),
        ("print(1)\nraise SystemExit(3)", "1\n[exit code 3]"),
        ("print('a' * 70000)", "[stdout is cut: 70001 bytes, 65536 kept]"),
    ],
)
async def test_a_model_reads_what_a_program_did(
    ours: SidecarSandbox, code: str, words: str
) -> None:
    assert (await ours.exec_python(code)).endswith(words)


async def test_an_agents_own_main_files_are_not_ours(ours: SidecarSandbox) -> None:
    await ours.write("main.py", b"print('mine')")
    await ours.write("main.sh", b"echo mine")
    assert await ours.exec_python("n = 1") == "(no output)"
    assert await ours.exec_shell("python3 main.py; bash main.sh") == "mine\nmine"
    assert await ours.exec_python("n, __import__('os').listdir()") == "(1, ['main.sh', 'main.py'])"


async def test_commands_run_with_the_compilers_that_are_asked_for(real: Sidecar) -> None:
    async with SidecarSandbox(real.url, TOKEN, language="go") as box:
        assert "go1." in (await box.run(["go", "version"])).stdout
