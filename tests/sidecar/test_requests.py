"""What is no snippet is refused in words, and makes no container."""

from __future__ import annotations

import base64

import httpx
import pytest
from pydantic import JsonValue

from mini_agent.errors import Problem
from tests.sidecar.scripted_engine import ScriptedEngine, prints

BASH: dict[str, JsonValue] = {"language": "bash", "code": "true"}


def said(answer: httpx.Response) -> str:
    error = Problem.model_validate_json(answer.content).error
    assert error.request_id == answer.headers["x-request-id"]
    return f"{answer.status_code} {error.code}: {error.message}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"language": "cobol"}, "no image for language 'cobol'; known: bash, c, cpp, go, node"),
        ({"language": ["bash"]}, "language: Input should be"),
        ({"code": 123}, "code: Input should be a valid string (got 123)"),
        ({"privileged": True}, "privileged: Extra inputs are not permitted (got True)"),
        ({"limits": {"timeout_s": 0}}, "limits.timeout_s: Input should be greater than or equal"),
        ({"limits": {"timeout_s": "5"}}, "limits.timeout_s: Input should be a valid number"),
        ({"limits": {"memory_mb": True}}, "limits.memory_mb: Input should be a valid integer"),
        ({"limits": {"gpus": 1}}, "limits.gpus: Extra inputs are not permitted"),
        ({"limits": {"cpus": 5}}, "limits.cpus 5 is more than this machine has (4)"),
        ({"limits": {"memory_mb": 8000}}, "limits.memory_mb 8000 is more than this machine has"),
        ({"limits": {"workspace_mb": 250}}, "limits.workspace_mb 250, with 80 for /tmp"),
        ({"files": {"../x": ""}}, "'../x' is not a plain relative path"),
        ({"files": {"x": "no base64!"}}, "file 'x' is not base64"),
        ({"files": {"a": "", "a/b": ""}}, "'a' cannot be both a file and the folder of 'a/b'"),
        ({"env": {"LD_PRELOAD": "x"}}, "environment variable 'LD_PRELOAD' cannot be set"),
        ({"user": "root"}, "a sandbox has no user but 'sandbox', and nothing in it runs as root"),
        ({"user": "0"}, "a sandbox has no user but 'sandbox'"),
        ({"stdin": "a", "stdin_base64": "YQ=="}, "stdin and stdin_base64 are both given"),
        ({"stdin_base64": "no base64!"}, "stdin_base64: it is not base64"),
        (
            {"timeout_s": 5},
            "timeout_s: Extra inputs are not permitted (got 5), did you mean limits",
        ),
        ({"memory": 64}, "did you mean limits.memory_mb?"),
        ({"cod": "true"}, "did you mean code?"),
        ({"limits": {"timeout": 5}}, "did you mean limits.timeout_s?"),
        ({"files": {"a": "", "./a": ""}}, "file 'a' is there twice"),
        ({"files": {"/etc/x": ""}}, "it is absolute, so name it relative to the workspace"),
        ({"files": {"a\nb": ""}}, "holds a control character, '\\n'"),
        ({"files": {"-rf": ""}}, "would be read as an option of a command: '-rf'"),
        ({"files": {"a/--to=x.sh": ""}}, "would be read as an option of a command"),
        ({"files": {"~/.profile": ""}}, "begins with ~, which is a home folder to a shell"),
        ({"files": {"a\u202egnp.sh": ""}}, "holds a control character, '\\u202e'"),
        ({"files": {"a/" + "n" * 256: ""}}, "has a part of more than 255 bytes"),
        ({"code": None}, "code: Input should be a valid string (got None)"),
        ({"files": {"a": None}}, "files.a: Input should be a valid string (got None)"),
        ({"language": "python", "toolchain": "go"}, "toolchain goes with language 'bash' alone"),
    ],
)
async def test_a_wrong_value_is_named_with_what_was_given(
    client: httpx.AsyncClient,
    engine: ScriptedEngine,
    change: dict[str, JsonValue],
    words: str,
) -> None:
    answer = await client.post("/v1/execute", json=BASH | change)
    assert words in said(answer)
    assert answer.status_code == 422
    assert engine.created() == []


@pytest.mark.parametrize(
    "body", ['{"language":', "", "{'a': 1}", '{"code": NaN', "[" * 100_000, '{"a": "\\ud800"']
)
async def test_what_is_no_json_is_a_bad_request(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post(
        "/v1/execute", content=body, headers={"Content-Type": "application/json"}
    )
    assert said(answer).startswith("400 invalid_request: the body is not JSON: ")


OPTIONAL = (
    *("stdin", "stdin_base64", "args", "files", "env", "limits", "artifacts", "toolchain"),
    *("isolation", "stateful", "user"),
)


@pytest.mark.parametrize("name", OPTIONAL)
async def test_a_null_is_a_field_that_is_not_there(
    client: httpx.AsyncClient, engine: ScriptedEngine, name: str
) -> None:
    engine.runner = prints("ran\n")
    answer = await client.post("/v1/execute", json=BASH | {name: None, "args": ["a"]})
    assert answer.json()["stdout"] == "ran\n", answer.text


async def test_nulls_inside_of_limits_and_of_a_session_are_absent_too(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.runner = prints("ran\n")
    limits = {"timeout_s": 3, "memory_mb": None, "output_bytes": None}
    answer = await client.post("/v1/execute", json=BASH | {"limits": limits})
    assert answer.json()["limits"]["timeout_s"] == 3
    opened = await client.post("/v1/sessions", json={"ttl_s": None, "limits": None})
    assert opened.status_code == 201, opened.text


async def test_a_byte_order_mark_before_the_json_is_passed_over(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.runner = prints("ran\n")
    body = b'\xef\xbb\xbf{"language": "bash", "code": ""}'
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/execute", content=body, headers=headers)
    assert answer.json()["stdout"] == "ran\n", answer.text


async def test_base64_may_be_broken_into_lines(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.runner = prints("ran\n")
    content = base64.encodebytes(bytes(300)).decode().replace("\n", "\r\n")
    answer = await client.post("/v1/execute", json=BASH | {"files": {"a": content}})
    assert answer.json()["stdout"] == "ran\n", answer.text


@pytest.mark.parametrize("body", ["null", "[]", "1", '"text"', "{}"])
async def test_json_that_is_no_snippet_is_unprocessable(
    client: httpx.AsyncClient, body: str
) -> None:
    answer = await client.post(
        "/v1/execute", content=body, headers={"Content-Type": "application/json"}
    )
    assert said(answer).startswith("422 invalid_request: ")


async def test_a_body_of_another_kind_is_refused_unread(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/execute", content="{}", headers={"Content-Type": "text/plain"})
    assert said(answer) == "415 invalid_request: the body is text/plain, not plain JSON"


async def test_a_body_without_end_is_cut_off(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/execute", content=b" " * (33 << 20), headers=headers)
    assert answer.status_code == 413


async def test_an_unknown_path_or_method_is_a_problem_too(client: httpx.AsyncClient) -> None:
    assert said(await client.get("/nothing")) == "404 invalid_request: GET /nothing: Not Found"
    assert (await client.get("/v1/execute")).status_code == 405


async def test_a_callers_request_id_comes_back_unless_it_is_odd(
    client: httpx.AsyncClient,
) -> None:
    kept = await client.get("/healthz", headers={"X-Request-Id": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    replaced = await client.get("/healthz", headers={"X-Request-Id": "a b"})
    assert len(replaced.headers["x-request-id"]) == 16


async def test_an_alias_is_the_language_it_stands_for(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.runner = prints("ran\n")
    answer = await client.post("/v1/execute", json={"language": "js", "code": ""})
    assert answer.json()["language"] == "node"
    assert answer.json()["stdout"] == "ran\n"


async def test_the_description_of_the_api_holds_the_snippet_and_its_limits(
    client: httpx.AsyncClient,
) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert {"Snippet", "Limits", "Execution", "Problem"} <= set(schemas)
