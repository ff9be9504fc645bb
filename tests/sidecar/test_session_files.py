"""The files of a session, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest

from mini_agent.errors import Problem
from tests.sidecar.scripted_engine import ScriptedEngine
from tests.sidecar.scripted_session import SessionRunner

MIB = 1 << 20


@pytest.fixture
async def files(engine: ScriptedEngine, client: httpx.AsyncClient) -> AsyncIterator[str]:
    """The address of an open session's files."""
    engine.runner = SessionRunner().run
    session = (await client.post("/v1/sessions")).json()["id"]
    yield f"/v1/sessions/{session}/files"
    await client.delete(f"/v1/sessions/{session}")


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, Problem.model_validate_json(answer.content).error.code


async def test_a_workspace_that_nothing_was_put_in_is_empty_and_has_no_sandbox(
    client: httpx.AsyncClient, engine: ScriptedEngine, files: str
) -> None:
    assert (await client.get(files)).json() == []
    assert said(await client.get(f"{files}/a")) == (404, "no_file")
    assert said(await client.delete(f"{files}/a")) == (404, "no_file")
    assert engine.created() == []


async def test_a_file_is_written_listed_found_by_a_snippet_read_and_deleted(
    client: httpx.AsyncClient, files: str
) -> None:
    assert (await client.put(f"{files}/a b/é.txt", content=b"text")).status_code == 204
    assert [(file["path"], file["bytes"]) for file in (await client.get(files)).json()] == [
        ("a b/é.txt", 4)
    ]
    snippet = {"language": "bash", "code": "read a b/é.txt"}
    ran = await client.post(files.replace("/files", "/execute"), json=snippet)
    assert ran.json()["stdout"] == "text\n"
    read = await client.get(f"{files}/a b/é.txt")
    assert (read.content, read.headers["content-type"]) == (b"text", "application/octet-stream")
    assert read.headers["x-content-type-options"] == "nosniff"
    assert (await client.delete(f"{files}/a b/é.txt")).status_code == 204
    assert (await client.get(files)).json() == []


async def test_a_snippet_in_another_language_finds_the_file_too(
    client: httpx.AsyncClient, files: str
) -> None:
    await client.put(f"{files}/a", content=b"text")
    snippet = {"language": "node", "code": "read a"}
    ran = await client.post(files.replace("/files", "/execute"), json=snippet)
    assert (ran.json()["stdout"], ran.json()["session"]["workspace"]) == ("text\n", "new")


@pytest.mark.parametrize("path", ["%2e%2e/a", "%2fetc/passwd", "a/", ".mini-agent/x", "a%00b", ""])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_path_that_is_not_plain_is_refused(
    client: httpx.AsyncClient, engine: ScriptedEngine, files: str, method: str, path: str
) -> None:
    # As it stands: the client would make another path of it.
    address = httpx.URL("http://sidecar").copy_with(raw_path=f"{files}/{path}".encode())
    answer = await client.request(method, address)
    assert said(answer) == (422, "bad_request")
    assert engine.created() == []


async def test_a_file_that_is_too_large_is_refused_before_it_is_all_here(
    client: httpx.AsyncClient, files: str
) -> None:
    answer = await client.put(f"{files}/a", content=bytes(64 * MIB + 1))
    assert said(answer) == (413, "invalid_request")


async def test_a_stream_that_becomes_too_large_leaves_no_file(
    client: httpx.AsyncClient, files: str
) -> None:
    async def flood() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield bytes(MIB)

    assert said(await client.put(f"{files}/a", content=flood())) == (413, "invalid_request")
    assert (await client.get(files)).json() == []


async def test_a_large_file_arrives_whole_and_in_order(
    client: httpx.AsyncClient, files: str
) -> None:
    content = b"".join(b"%07d\n" % line for line in range(MIB + 3))
    assert (await client.put(f"{files}/a", content=content)).status_code == 204
    assert [file["path"] for file in (await client.get(files)).json()] == ["a"]
    assert (await client.get(f"{files}/a")).content == content


@pytest.mark.parametrize(
    "name",
    ["-a.txt", "~$a.docx", "a b", "レポート\u3000.csv", "3.04\u202fPM", "👩\u200d💻", "\u200fש"],
)
async def test_a_name_that_a_file_system_takes_is_taken(
    client: httpx.AsyncClient, files: str, name: str
) -> None:
    assert (await client.put(f"{files}/{quote(name)}", content=b"x")).status_code == 204
    assert [file["path"] for file in (await client.get(files)).json()] == [name]
    assert (await client.get(f"{files}/{quote(name)}")).content == b"x"


@pytest.mark.parametrize(
    "name", ["two\nlines", "a\tb", "end\n", "\x1b[0m", "-a", "~/a", "a\u202eb"]
)
async def test_a_name_that_looks_like_something_else_can_be_read_but_not_written(
    client: httpx.AsyncClient, files: str, name: str
) -> None:
    assert said(await client.put(f"{files}/{quote(name)}", content=b"x")) == (422, "bad_request")
    assert said(await client.get(f"{files}/{quote(name)}")) == (404, "no_file")


async def test_compressed_content_is_refused_as_nobody_would_unpack_it(
    client: httpx.AsyncClient, files: str
) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = await client.put(f"{files}/a", content=b"x", headers=headers)
    assert said(answer) == (415, "invalid_request")
