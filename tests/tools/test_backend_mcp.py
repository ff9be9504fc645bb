"""`tool_backend` mcp: the servers of the operator's files, and what a request can do with them."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.messages import user
from mini_agent.model import ModelReply, ToolCall
from mini_agent.provider.parameters import LiteLLMCall
from mini_agent.provider.run import ProviderRun, prepare_run
from mini_agent.testing import ScriptedReply, ScriptedServer, call
from mini_agent.tools.wrappers import MissingToolsWarning
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.cli.test_run import command, environment
from tests.mcp.gateway.conftest import children, ours
from tests.shim.scripted import ScriptedModel, text_turn
from tests.shim.serving import serve_app
from tests.tools.conftest import Notes

VARIABLE = "MINI_AGENT_MCP_CONFIG"
Configure = Callable[[str], str]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Writes the operator's file, and names it in the environment."""

    def write(text: str) -> str:
        path = tmp_path / "config.toml"
        path.write_text(text)
        monkeypatch.setenv(VARIABLE, str(path))
        return str(path)

    return write


@pytest.fixture
def two(configure: Configure, notes: Notes) -> str:
    """The file of two servers."""
    return configure(ours("one", notes=notes.path) + ours("two", notes=notes.path))


@pytest.fixture
def left() -> Iterator[Callable[[], set[int]]]:
    """The servers that still run; at the end of the test there is none."""
    before = children()
    yield lambda: children() - before
    assert children() - before == set()


def run_of(backend: str, **parameters: object) -> ProviderRun:
    named = {"target_model": "ollama/m", "tool_backend": backend, **parameters}
    return prepare_run(LiteLLMCall("default", [user("Go.")], named))


async def posted(url: str, body: Mapping[str, object]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=150) as client:
        return await client.post("/agent/run", json=body)


@pytest.mark.usefixtures("_closing")
async def test_its_servers_are_started_for_a_run_and_end_with_it(
    two: str, notes: Notes, left: Callable[[], set[int]]
) -> None:
    del two
    adds: list[ScriptedReply | str] = [
        call("one__add", a=40, b=2),
        call("echo", text="and on"),
        "It is 42.",
    ]
    with ScriptedServer(adds) as server:
        result = await run_of("mcp+echo", api_base=server.url).result()
    assert result.final_answer == "It is 42."
    assert [each.stdout for turn in result.iterations for each in turn.tool_invocations] == [
        "42",
        "and on",
    ]
    assert len(notes.started) == 2
    assert left() == set()


@pytest.mark.usefixtures("_closing")
async def test_only_the_servers_that_are_named_are_started(two: str, notes: Notes) -> None:
    del two
    with ScriptedServer([call("two__add", a=1, b=1), "2"]) as server:
        run = run_of("mcp", api_base=server.url, tool_mcp_servers=["two"])
        result = await run.result()
    assert result.final_answer == "2"
    assert len(notes.started) == 1


@pytest.mark.usefixtures("_closing")
async def test_what_a_tool_reports_meanwhile_is_told(two: str) -> None:
    del two
    with ScriptedServer([call("one__slow", seconds=0.1), "Done."]) as server:
        run = run_of("mcp", api_base=server.url, tool_mcp_servers=["one"])
        told = [json.loads(event.model_dump_json()) async for event in run.events()]
    pieces = [event["text"] for event in told if event["kind"] == "tool_output"]
    assert pieces[0] == "1/4: step 1\n"


@pytest.mark.usefixtures("_closing")
async def test_a_server_that_does_not_start_is_left_out_with_a_warning(
    configure: Configure,
) -> None:
    configure(ours("one") + "[mcp_servers.away]\ncommand = 'nowhere-to-be-found'\n")
    with (
        ScriptedServer([call("one__add", a=1, b=1), "2"]) as server,
        pytest.warns(MissingToolsWarning, match="away is failed"),
    ):
        result = await run_of("mcp", api_base=server.url).result()
    assert result.final_answer == "2"


async def test_without_any_server_the_run_says_so(configure: Configure) -> None:
    configure("[mcp_servers.away]\ncommand = 'nowhere-to-be-found'\n")
    with ScriptedServer([]) as server:
        result = await run_of("mcp", api_base=server.url).result()
    assert result.stopped_reason == "error"
    assert "no MCP server runs: away is failed" in str(result.error)


async def test_a_run_does_not_begin_without_a_server_that_is_required(
    configure: Configure,
) -> None:
    configure("[mcp_servers.away]\ncommand = 'nowhere-to-be-found'\nrequired = true\n")
    with pytest.raises(NotConfigured, match="the required MCP server 'away' does not run"):
        await run_of("mcp", api_base="http://127.0.0.1:9").result()


@pytest.mark.parametrize(
    ("text", "why"), [("[mcp_servers.x", "is not TOML"), ("mcp_servers = 3", "is not a table")]
)
def test_a_file_that_cannot_be_read_is_refused(configure: Configure, text: str, why: str) -> None:
    configure(text)
    with pytest.raises(NotConfigured, match=why):
        run_of("mcp")


def test_a_server_nobody_configured_is_refused_with_those_there_are(two: str) -> None:
    del two
    with pytest.raises(BadRequest, match="there is no MCP server 'three'") as raised:
        run_of("mcp", tool_mcp_servers=["three"])
    assert (raised.value.field, raised.value.hint) == ("tool_mcp_servers", "there are: one, two")


def test_servers_without_the_backend_that_has_them_are_refused(two: str) -> None:
    del two
    with pytest.raises(BadRequest, match="not asked for") as raised:
        run_of("echo", tool_mcp_servers=["one"])
    assert "tool_backend='echo+mcp'" in raised.value.hint


async def test_the_shim_starts_them_once_and_keeps_them_for_all_runs(
    two: str, notes: Notes, left: Callable[[], set[int]]
) -> None:
    adds = ModelReply(tool_calls=(ToolCall("1", "one__add", '{"a": 40, "b": 2}'),))
    model = ScriptedModel([adds, text_turn("42"), adds, text_turn("42 again"), text_turn("none")])
    asked = {"messages": [user("Go.")], "model": "a/b", "tool_backend": "mcp+echo"}
    with serve_app(create_app(ShimSettings(mcp_config=two), model=model)) as url:
        bodies = (asked, asked, {**asked, "tool_mcp_servers": ["two"]})
        answers = [(await posted(url, body)).json() for body in bodies]
        assert len(left()) == 2
    assert [each["final_answer"] for each in answers] == ["42", "42 again", "none"]
    assert answers[0]["last_tool_invocation"]["stdout"] == "42"
    assert len(notes.started) == 2
    first, last = str(model.requests[0].tools), str(model.requests[-1].tools)
    assert ["one__add" in first, "two__add" in first] == [True, True]
    assert ["one__add" in last, "two__add" in last] == [False, True]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("tool_mcp_servers", [{"command": "touch", "args": ["started"]}], 422),
        ("tool_mcp_servers", {"x": {"command": "touch", "args": ["started"]}}, 422),
        ("tool_mcp_servers", ["touch started"], 400),
        ("tool_mcp_servers", "one", 422),
        ("tool_mcp_servers", [], 422),
        ("mcp_servers", {"x": {"command": "touch", "args": ["started"]}}, 422),
        ("mcp_config", "/tmp/config.toml", 422),
        ("tool_backend", "mcp:touch started", 422),
    ],
)
async def test_a_request_names_no_command_and_starts_no_process(
    two: str,
    left: Callable[[], set[int]],
    notes: Notes,
    field: str,
    value: object,
    status: int,
) -> None:
    model = ScriptedModel([])
    asked = {"messages": [user("Go.")], "model": "a/b", "tool_backend": "mcp", field: value}
    with serve_app(create_app(ShimSettings(mcp_config=two), model=model)) as url:
        while len(notes.started) < 2:  # noqa: ASYNC110  they tell nobody else
            await asyncio.sleep(0.05)
        answer = await posted(url, asked)
        assert left() == set(notes.started)
    assert answer.status_code == status
    assert len(notes.started) == 2
    assert model.requests == []


async def test_a_shim_without_such_a_file_starts_none_and_says_how() -> None:
    asked = {"messages": [user("Go.")], "model": "a/b", "tool_backend": "mcp"}
    with serve_app(create_app(ShimSettings(mcp_config=""), model=ScriptedModel([]))) as url:
        answer = await posted(url, asked)
    assert answer.status_code == 400
    assert "MINI_AGENT_MCP_CONFIG" in answer.json()["error"]["hint"]


def test_the_command_has_them_too(two: str) -> None:
    with ScriptedServer([call("two__add", a=40, b=2), "It is 42."]) as server:
        done = subprocess.run(
            command("Go.", "--backend", "mcp"),
            env=environment(
                OLLAMA_HOST=server.url, LITELLM_DEFAULT_CODE_MODEL="ollama/m", **{VARIABLE: two}
            ),
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    assert (done.stdout, done.returncode) == ("It is 42.\n", 0)
    assert "two__add" in done.stderr
