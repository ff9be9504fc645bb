"""OpenSandbox's routes: who is admitted, what is refused, and how an execution is told."""

from __future__ import annotations

import httpx
import pytest
from pydantic import JsonValue, TypeAdapter

from mini_agent.errors import Problem
from mini_agent_protocol import frames
from mini_agent_protocol.order import encode_result
from tests.sidecar.conftest import TOKEN, Opened
from tests.sidecar.scripted_engine import RunnerPeer, ScriptedEngine, result
from tests.sidecar.scripted_session import SessionRunner

OBJECT = TypeAdapter(dict[str, JsonValue])
WORDS = TypeAdapter(dict[str, str])
# What LiteLLM sends where its caller asks for nothing.
USUAL: dict[str, JsonValue] = {
    "image": {"uri": "opensandbox/code-interpreter:v1.1.0"},
    "entrypoint": ["/opt/code-interpreter/code-interpreter.sh"],
    "timeout": 300,
    "resourceLimits": {"cpu": "1", "memory": "2Gi"},
    "networkPolicy": {"defaultAction": "deny", "egress": []},
}


async def made(http: httpx.AsyncClient, **asked: JsonValue) -> str:
    answer = await http.post("/v1/sandboxes", json=USUAL | asked)
    assert answer.status_code == 202, answer.text
    told = OBJECT.validate_json(answer.content)
    assert told["status"] == {"state": "Running"}
    return f"/v1/sandboxes/{told['id']}"


async def key(http: httpx.AsyncClient, sandbox: str) -> dict[str, str]:
    answer = await http.get(f"{sandbox}/endpoints/44772", params={"use_server_proxy": "false"})
    assert answer.status_code == 200, answer.text
    told = OBJECT.validate_json(answer.content)
    assert told["endpoint"] == f"sidecar{sandbox}/execd"
    assert TOKEN not in answer.text
    return WORDS.validate_python(told["headers"])


def said(answer: httpx.Response) -> str:
    error = Problem.model_validate_json(answer.content).error
    return f"{answer.status_code} {error.code}: {error.message}"


def events(text: str) -> list[dict[str, JsonValue]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data")]
    return [OBJECT.validate_json(line) for line in lines]


async def test_what_litellm_asks_for_is_a_sandbox_that_takes_code(
    client: httpx.AsyncClient, runner: SessionRunner
) -> None:
    sandbox = await made(client, env={"WORD": "a"}, metadata={"who": "me"})
    headers = await key(client, sandbox)
    code: dict[str, JsonValue] = {"code": "write f x", "context": {"language": "python"}}
    first = await client.post(f"{sandbox}/execd/code", json=code, headers=headers)
    assert first.headers["content-type"].startswith("text/event-stream")
    second = await client.post(f"{sandbox}/execd/code", json={"code": "read f"})
    told = [(event["type"], event.get("text")) for event in events(second.text)]
    assert told == [("stdout", "x\n"), ("execution_count", None), ("execution_complete", None)]
    assert events(second.text)[1]["execution_count"] == 2
    assert [(order.stateful, order.env) for order in runner.orders] == [(True, {"WORD": "a"})] * 2
    image_contents = OBJECT.validate_json((await client.get(sandbox)).content)
    assert image_contents["metadata"] == {"who": "me"}
    assert (await client.delete(sandbox)).status_code == 204
    assert said(await client.delete(sandbox)).startswith("404 no_sandbox: there is no sandbox")


async def test_the_key_is_opensandboxs_header_or_the_usual_one(opened: Opened) -> None:
    async with opened() as http:
        del http.headers["Authorization"]
        for right in ({"OPEN-SANDBOX-API-KEY": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}):
            assert (await http.post("/v1/sandboxes", json=USUAL, headers=right)).is_success
        for wrong in ({}, {"OPEN-SANDBOX-API-KEY": "x"}, {"OPEN-SANDBOX-API-KEY": ""}):
            answer = await http.post("/v1/sandboxes", json=USUAL, headers=wrong)
            assert said(answer).startswith("401 unauthorized: the ")


async def test_a_sandboxs_key_is_good_for_that_sandbox_alone(
    client: httpx.AsyncClient, runner: SessionRunner
) -> None:
    one, other = await made(client), await made(client)
    headers = await key(client, one)
    del client.headers["Authorization"]
    code = {"code": "print x"}
    assert (await client.post(f"{one}/execd/code", json=code, headers=headers)).is_success
    refused = await client.post(f"{other}/execd/code", json=code, headers=headers)
    assert said(refused) == "401 unauthorized: X-EXECD-ACCESS-TOKEN is not the key of this sandbox"
    assert (await client.post(f"{one}/execd/code", json=code)).status_code == 401
    for path in (one, f"{one}/endpoints/44772"):
        assert (await client.get(path, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"image": {"uri": "ubuntu"}}, "image.uri: this sidecar has its own images"),
        ({"entrypoint": ["sh"]}, "entrypoint: a sandbox of this sidecar starts its own"),
        ({"timeout": 100_000}, "timeout: Input should be less than or equal to 3600"),
        ({"networkPolicy": {"defaultAction": "allow"}}, "have no network: it can only be 'deny'"),
        ({"networkPolicy": {"egress": [{"host": "x"}]}}, "have no network: leave the rules out"),
        ({"resourceLimits": {"gpu": "1"}}, "resourceLimits.gpu: Extra inputs are not permitted"),
        ({"resourceLimits": {"memory": "2 GB"}}, "resourceLimits.memory: String should match"),
        ({"resourceLimits": {"memory": "1Mi"}}, "memory in MiB 1: Input should be greater than"),
        ({"resourceLimits": {"cpu": "10m"}}, "resourceLimits.cpu 0.01: Input should be greater"),
        ({"resourceRequests": {"memory": "3Gi"}}, "resourceRequests.memory is more than resource"),
        ({"resourceRequests": {"cpu": "50"}, "resourceLimits": {}}, "cpus 50 is more than this m"),
        ({"env": {"LD_PRELOAD": "x"}}, "env: environment variable 'LD_PRELOAD' cannot be set"),
        ({"volumes": []}, "volumes: Extra inputs are not permitted"),
    ],
)
async def test_what_cannot_be_had_is_refused_and_makes_nothing(
    client: httpx.AsyncClient, engine: ScriptedEngine, asked: dict[str, JsonValue], words: str
) -> None:
    answer = await client.post("/v1/sandboxes", json=USUAL | asked)
    assert answer.status_code == 422
    assert words in said(answer)
    assert engine.created() == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({"code": "x", "context": {"language": "cobol"}}, "422 bad_request: no image for language"),
        ({"code": "x", "context": {"id": "1"}}, "context.id: Extra inputs are not permitted"),
        ({"code": 5}, "code: Input should be a valid string"),
        ({}, "code: Field required"),
    ],
)
async def test_code_that_is_none_is_a_plain_error(
    client: httpx.AsyncClient, code: dict[str, JsonValue], words: str
) -> None:
    answer = await client.post(f"{await made(client)}/execd/code", json=code)
    assert words in said(answer)


async def test_there_is_no_other_port_and_no_sandbox_that_was_not_made_here(
    client: httpx.AsyncClient,
) -> None:
    session = OBJECT.validate_json((await client.post("/v1/sessions")).content)["id"]
    for path in ("nobody", str(session)):
        assert said(await client.get(f"/v1/sandboxes/{path}")).startswith("404 no_sandbox")
    answer = await client.get(f"{await made(client)}/endpoints/8080")
    assert said(answer).startswith("404 no_port: a sandbox without a network listens on no port")


@pytest.mark.parametrize(
    ("limits", "requests", "memory_mb"),
    [
        ({"memory": "2Gi"}, {}, 288),
        ({"memory": "128Mi"}, {}, 128),
        ({"memory": "2G"}, {"memory": "512Mi"}, 512),
        ({"cpu": "500m", "memory": "2147483648"}, {"memory": "64Mi"}, 288),
    ],
)
async def test_a_limit_is_the_most_it_takes_and_a_request_the_least_it_has(
    client: httpx.AsyncClient,
    runner: SessionRunner,
    engine: ScriptedEngine,
    limits: dict[str, JsonValue],
    requests: dict[str, JsonValue],
    memory_mb: int,
) -> None:
    sandbox = await made(client, resourceLimits=limits, resourceRequests=requests)
    assert (await client.post(f"{sandbox}/execd/code", json={"code": "print x"})).is_success
    (spec,) = engine.bodies.values()
    assert OBJECT.validate_python(spec["HostConfig"])["Memory"] == memory_mb << 20


async def test_what_fails_while_the_code_runs_is_an_error_event(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async def run(peer: RunnerPeer) -> None:
        await peer.receive_order()
        peer.send(frames.RUNNING, b"")
        peer.send(frames.RESULT, encode_result(result(failed="disk full")))

    engine.runner = run
    answer = await client.post(f"{await made(client)}/execd/code", json={"code": "x"})
    (event,) = events(answer.text)
    error = OBJECT.validate_python(event["error"])
    assert (event["type"], error["ename"]) == ("error", "bad_request")
    assert "disk full" in str(error["evalue"])
