"""One request, all the way: shim, loop, LiteLLM and the model; tools, sidecar and the engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from time import perf_counter

import httpx
import pytest

from mini_agent.events import ToolOutputPiece
from mini_agent.messages import user
from mini_agent.remote.client import ShimClient
from mini_agent.remote.schema import AgentRunRequest, AgentRunResponse
from mini_agent.testing import ScriptedServer, call, text

pytestmark = pytest.mark.docker

Flow = Callable[[ScriptedServer], AbstractAsyncContextManager[httpx.AsyncClient]]


async def run(client: httpx.AsyncClient, **fields: object) -> AgentRunResponse:
    answered = await client.post(
        "/agent/run", json={"messages": [{"role": "user", "content": "Please compute."}], **fields}
    )
    assert answered.status_code == httpx.codes.OK, answered.text
    return AgentRunResponse.model_validate(answered.json())


async def test_a_prompt_becomes_an_answer_that_a_sandbox_computed(flow: Flow) -> None:
    with ScriptedServer([call("exec_python", code="print(6 * 7)"), text("It is 42.")]) as server:
        async with flow(server) as client:
            response = await run(client)
    assert response.final_answer == "It is 42."
    assert response.stopped_reason == "success"
    ran = response.iterations[0].tool_invocations[0]
    assert ran.execution is not None
    assert (ran.stdout, ran.execution.sandbox.network) == ("42\n", "none")


async def test_the_model_is_shown_the_failure_and_repairs_it(flow: Flow) -> None:
    script = [
        call("exec_python", code="print(1 / 0)"),
        call("exec_python", code="print('mended')"),
        text("mended"),
    ]
    with ScriptedServer(script) as server:
        async with flow(server) as client:
            response = await run(client)
        shown = server.requests[1].messages[-1]["content"]
    assert [call.ok for each in response.iterations for call in each.tool_invocations] == [
        False,
        True,
    ]
    assert isinstance(shown, str)
    assert "ZeroDivisionError" in shown
    assert shown.endswith("The call failed. Fix the cause and call the tool again.")


async def test_the_programs_of_a_run_share_their_files_and_the_next_run_has_none(
    flow: Flow,
) -> None:
    read = "import os\nprint(open('note').read() if os.path.exists('note') else 'none')"
    script = [
        call("exec_shell", cmd="echo from the shell >note"),
        call("exec_python", code=read),
        text("done"),
        call("exec_python", code=read),
        text("done"),
    ]
    with ScriptedServer(script) as server:
        async with flow(server) as client:
            first, second = await run(client), await run(client)
    said = [ran.stdout for each in first.iterations for ran in each.tool_invocations]
    assert said == ["", "from the shell\n\n"]
    assert second.iterations[0].tool_invocations[0].stdout == "none\n"


async def test_a_value_that_the_program_did_not_print_reaches_the_model(flow: Flow) -> None:
    with ScriptedServer([call("exec_python", code="6 * 7"), text("42")]) as server:
        async with flow(server) as client:
            await run(client)
        shown = server.requests[1].messages[-1]["content"]
    assert shown == "[exec_python rc=0]\nresult:\n42"


@pytest.mark.parametrize(
    ("tool", "code"),
    [
        ("exec_node", "console.log(6 * 7)"),
        ("exec_go", 'package main\nimport "fmt"\nfunc main() { fmt.Println(6 * 7) }'),
        ("exec_rust", 'fn main() { println!("{}", 6 * 7); }'),
    ],
)
async def test_every_language_has_a_tool_and_a_sandbox(flow: Flow, tool: str, code: str) -> None:
    with ScriptedServer([call(tool, code=code), text("42")]) as server:
        async with flow(server) as client:
            response = await run(client)
    assert response.iterations[0].tool_invocations[0].stdout == "42\n"


async def test_a_command_reaches_the_image_of_its_toolchain(flow: Flow) -> None:
    with ScriptedServer([call("exec_shell", cmd="go version"), text("done")]) as server:
        async with flow(server) as client:
            response = await run(client)
    ran = response.iterations[0].tool_invocations[0]
    assert ran.stdout.startswith("go version go1.")


async def test_a_language_that_is_not_allowed_reaches_no_sandbox(flow: Flow) -> None:
    with ScriptedServer([call("exec_go", code="package main"), text("I cannot.")]) as server:
        async with flow(server) as client:
            response = await run(client, allowed_languages=["python"])
    ran = response.iterations[0].tool_invocations[0]
    assert (ran.ok, ran.execution) == (False, None)


async def test_the_runs_deadline_ends_a_snippet_that_would_go_on(flow: Flow) -> None:
    code = "import time; print('started', flush=True); time.sleep(60)"
    with ScriptedServer([call("exec_python", code=code, timeout_s=60)]) as server:
        async with flow(server) as client:
            response = await run(client, max_wallclock_seconds=4)
    assert response.stopped_reason == "budget"
    assert response.final_answer
    assert response.metrics.ttotal_ms < 30_000


async def test_what_a_program_prints_is_told_while_it_runs(flow: Flow) -> None:
    code = "import time\nprint('one', flush=True)\ntime.sleep(2)\nprint('two')"
    asked = AgentRunRequest(messages=[user("Go.")], stream=True)
    with ScriptedServer([call("exec_python", code=code), text("done")]) as server:
        async with flow(server) as client:
            pieces = [
                (event.text, perf_counter())
                async for event in ShimClient(str(client.base_url)).events(asked)
                if isinstance(event, ToolOutputPiece)
            ]
    # A line may come in more than one piece: nothing is held back.
    assert "".join(printed for printed, _ in pieces) == "one\ntwo\n"
    came = {printed.strip(): at for printed, at in pieces}
    assert came["two"] - came["one"] > 0.5
