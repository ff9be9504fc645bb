"""`code_interpreter` of stock LiteLLM, in Responses and in chat, runs in our containers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.testing import Reply, ScriptedServer, call
from tests.docker.sidecar_process import Sidecar
from tests.sidecar.opensandbox.conftest import none_left
from tests.sidecar.opensandbox.scripted_model import coder

pytestmark = pytest.mark.docker

TOOL = "litellm_code_execution"
RUNS = """
from itertools import groupby
print("".join(f"{letter}{len(list(run))}" for letter, run in groupby("aaabbc")))
"""
ASKED = "Compress the runs of aaabbc."
ANSWER = "It is a3b2c1."


@pytest.fixture(autouse=True)
def interpreter(told: dict[str, str]) -> Iterator[None]:
    """LiteLLM's interpreter, as its documentation sets it up."""
    litellm = import_litellm()
    tools = importlib.import_module("litellm.sandbox.sandbox_tools")
    handler = importlib.import_module("litellm.integrations.code_interpreter_interception.handler")
    params = {"sandbox_provider": "opensandbox", **told}
    tools.register_sandbox_tools([{"sandbox_tool_name": "ours", "litellm_params": params}])
    ours = handler.CodeInterpreterInterceptionLogger(sandbox_tool_name="ours")
    litellm.__dict__["callbacks"] = [ours]
    yield
    litellm.__dict__["callbacks"] = []
    tools.clear_sandbox_tools()


@pytest.mark.parametrize("model", ["openai/m", "hosted_vllm/m", "ollama_chat/m"])
async def test_in_chat(real: Sidecar, model: str) -> None:
    with ScriptedServer([call(TOOL, code=RUNS), ANSWER]) as server:
        answer = await import_litellm().acompletion(
            model=model,
            api_base=server.url if model.startswith("ollama") else server.openai_url,
            api_key="none",
            messages=[{"role": "user", "content": ASKED}],
            tools=[{"type": "code_interpreter", "container": {"type": "auto"}}],
        )
        last = server.requests[-1].messages[-1]
    assert answer.choices[0].message.content == ANSWER
    assert (last["role"], last["content"]) == ("tool", "a3b2c1\n")
    await none_left(real)


async def test_in_responses(real: Sidecar) -> None:
    with coder() as address:
        response = await import_litellm().aresponses(
            model="openai/m",
            api_base=address,
            api_key="none",
            input=ASKED,
            tools=[{"type": "code_interpreter", "container": {"type": "auto"}}],
        )
    ran, said = response.output
    logs = [{"type": "logs", "logs": "a3b2c1\n"}]
    assert (ran["type"], ran["outputs"]) == ("code_interpreter_call", logs)
    assert said.content[0].text == ANSWER
    await none_left(real)


async def test_a_failure_reaches_the_model_in_words_and_the_variables_stay(real: Sidecar) -> None:
    script: list[Reply | str] = [
        call(TOOL, code="n = 6\n{}['a']"),
        call(TOOL, code="print(n * 7)"),
        ANSWER,
    ]
    with ScriptedServer(script) as server:
        await import_litellm().acompletion(
            model="openai/m",
            api_base=server.openai_url,
            api_key="none",
            messages=[{"role": "user", "content": ASKED}],
            tools=[{"type": "code_interpreter"}],
        )
        seen = [request.messages[-1]["content"] for request in server.requests]
    assert seen == [ASKED, "[execution error] KeyError: 'a'", "42\n"]
    await none_left(real)
