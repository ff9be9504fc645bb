"""The tools of our MCP server, called by the SDK's client, over real sandboxes."""

from __future__ import annotations

import base64

import httpx
import pytest
from mcp import Client, MCPError
from mcp.types import EmbeddedResource, TextResourceContents

from mini_agent.messages import JsonObject
from mini_agent.sandbox import USUAL_LANGUAGES
from tests.docker.sidecar_process import HEADERS, Sidecar
from tests.mcp.sandbox_server.results import (
    call_result,
    call_text,
    find_session_id,
    images,
    texts,
)

pytestmark = [pytest.mark.docker]

PROGRAMS = {
    "python": "print(6 * 7)",
    "node": "console.log(6 * 7)",
    "bash": "echo $((6 * 7))",
    "go": 'package main\nimport "fmt"\nfunc main() { fmt.Println(6 * 7) }',
    "rust": 'fn main() { println!("{}", 6 * 7) }',
}
FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])"


@pytest.mark.parametrize("language", USUAL_LANGUAGES)
async def test_a_program_runs_in_every_language(client: Client, language: str) -> None:
    said = await call_text(client, "run_code", language=language, code=PROGRAMS[language])
    assert said == "exit code 0\nstdout:\n42"


async def test_the_tools_are_listed_with_what_they_take(client: Client) -> None:
    listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(listed) == ["run_code", "shell", "write_file", "read_file", "list_files"]
    assert listed["run_code"].input_schema["required"] == ["language", "code"]
    languages = listed["run_code"].input_schema["properties"]["language"]["enum"]
    assert languages == list(USUAL_LANGUAGES)
    assert listed["read_file"].annotations is not None
    assert listed["read_file"].annotations.read_only_hint is True


async def test_files_stay_from_call_to_call_and_from_tool_to_tool(client: Client) -> None:
    await call_text(client, "write_file", path="in.txt", content="aaabbc")
    await call_text(client, "shell", command="tr a-z A-Z <in.txt >out.txt")
    program = "print(open('out.txt').read()[::-1])"
    assert "CBBAAA" in await call_text(client, "run_code", language="python", code=program)
    assert "out.txt (6 bytes)" in await call_text(client, "list_files")
    assert await call_text(client, "read_file", path="out.txt") == "AAABBC"


async def test_files_of_a_call_are_text_or_bytes(client: Client) -> None:
    bytes_ = f"data:application/octet-stream;base64,{base64.b64encode(bytes(range(256))).decode()}"
    program = "print(open('a.txt').read(), sum(open('b/c.bin', 'rb').read()))"
    files: JsonObject = {"a.txt": "hello", "b/c.bin": bytes_}
    said = await call_text(client, "run_code", language="python", code=program, files=files)
    assert "hello 32640" in said


async def test_python_keeps_its_variables_where_that_is_asked_for(client: Client) -> None:
    await call_text(client, "run_code", language="python", code="n = 41", stateful=True)
    said = await call_text(client, "run_code", language="python", code="n + 1", stateful=True)
    assert said == "exit code 0\nvalue:\n42"


async def test_a_value_is_told_beside_what_was_printed(client: Client) -> None:
    said = await call_text(client, "run_code", language="python", code="print('seen')\n40 + 2")
    assert said == "exit code 0\nstdout:\nseen\nvalue:\n42"


async def test_nulls_are_arguments_that_are_left_out(client: Client) -> None:
    names = ("session", "files", "stdin", "args", "artifacts", "stateful", "timeout_s")
    nulls: JsonObject = dict.fromkeys(names)
    said = await call_text(client, "run_code", language="bash", code="echo ran", **nulls)
    assert said == "exit code 0\nstdout:\nran"


async def test_a_change_of_the_code_is_told(client: Client) -> None:
    said = await call_text(client, "run_code", language="bash", code="```\necho ran\n```")
    assert said.splitlines()[2:] == ["ran", "note: before it ran, the fence around it was removed"]


async def test_a_figure_is_an_image_and_so_is_a_file_that_is_one(client: Client) -> None:
    drawn = await call_result(client, "run_code", language="python", code=FIGURE)
    saved = f"{FIGURE}\nplt.savefig('p.png')\nplt.close()\nopen('n.csv', 'w').write('a,b')"
    kept = await call_result(
        client, "run_code", language="python", code=saved, artifacts=["*.png", "*.csv"]
    )
    read = await call_result(client, "read_file", path="p.png")
    assert [each.mime_type for each in images(drawn)] == ["image/png"]
    assert images(kept)[0].data == images(read)[0].data
    table = next(block for block in kept.content if isinstance(block, EmbeddedResource)).resource
    assert isinstance(table, TextResourceContents)
    assert (table.uri, table.text) == ("sandbox:///n.csv", "a,b")


async def test_what_a_program_prints_is_told_while_it_runs(client: Client) -> None:
    told: list[str] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append(f"{progress:g} {message}")

    command = "echo one; sleep 0.5; echo two"
    await client.call_tool("shell", {"command": command}, progress_callback=heard)
    assert told == ["4 one\n", "8 two\n"]


async def test_a_program_that_fails_is_an_outcome_with_its_facts(client: Client) -> None:
    result = await call_result(
        client, "run_code", language="python", code="import sys\nprint('x')\nsys.exit(3)"
    )
    assert not result.is_error
    assert texts(result) == "exit code 3\nstdout:\nx"
    assert result.meta is not None
    assert result.meta["mini-agent/execution"]["exit_code"] == 3


async def test_a_program_that_takes_too_long_is_ended(client: Client) -> None:
    said = await call_text(
        client, "run_code", language="python", code="while True: pass", timeout_s=0.5
    )
    assert said == "exit code 124 (timeout)\n(no output)"


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("run_code", {"language": "cobol", "code": ""}, "no image for language 'cobol'; known:"),
        ("run_code", {"language": "python"}, "code: Field required"),
        ("run_code", {"language": "python", "code": "", "lines": 3}, "lines: Extra inputs"),
        ("run_code", {"language": "python", "code": "", "timeout_s": 7000}, "timeout_s: Input"),
        (
            "run_code",
            {"language": "python", "code": "", "files": {"../x": ""}},
            "not a plain relative path",
        ),
        (
            "run_code",
            {"language": "python", "code": "", "files": {"x": "data:;base64,!"}},
            "the data: URL holds no base64",
        ),
        ("run_code", {"language": "node", "code": "", "stateful": True}, "stateful"),
        ("shell", {"command": "true", "session": "gone"}, "there is no session 'gone'"),
        ("shell", {"command": "true", "session": "../../x"}, "there is no session '../../x'"),
        ("read_file", {"path": "none.txt"}, "none.txt"),
        ("write_file", {"path": "/etc/x", "content": ""}, "not a plain relative path"),
    ],
)
async def test_a_call_that_cannot_be_is_an_error_that_says_what_is_wrong(
    client: Client, tool: str, arguments: dict[str, object], why: str
) -> None:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert why in texts(result)


async def test_a_tool_nobody_has_is_refused_with_those_there_are(client: Client) -> None:
    with pytest.raises(MCPError, match="there is no tool 'rm'; there are: run_code, shell"):
        await client.call_tool("rm", {})


async def test_another_session_has_files_of_its_own_and_is_gone_on_in_by_its_id(
    client: Client,
) -> None:
    await call_text(client, "write_file", path="mine.txt", content="x")
    opened = await call_text(client, "shell", command="echo 1 >other.txt; ls", session="new")
    other = find_session_id(opened)
    assert "mine.txt" not in opened
    assert "other.txt" in await call_text(client, "list_files", session=other)
    assert "other.txt" not in await call_text(client, "list_files")


async def test_a_session_that_is_over_is_followed_by_a_new_one(
    real: Sidecar, client: Client
) -> None:
    result = await call_result(client, "shell", command="echo 1 >f")
    assert result.meta is not None
    over = result.meta["mini-agent/execution"]["session"]
    async with httpx.AsyncClient(base_url=real.url, headers=HEADERS) as http:
        (await http.delete(f"/v1/sessions/{over}")).raise_for_status()
    said = await call_text(client, "shell", command="ls")
    assert "without the earlier files" in said
    assert await call_text(client, "shell", command="ls | wc -l") == "exit code 0\nstdout:\n0"
