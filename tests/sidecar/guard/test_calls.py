"""What is let through, and how it looks when the engine gets it."""

from __future__ import annotations

import time

import pytest

from codex_sidecar.engine.confinement import DEADLINE_LABEL, INSTANCE_LABEL, SANDBOX_LABEL
from tests.sidecar.guard.conftest import INSTANCE, Ask
from tests.sidecar.guard.recording_engine import RecordingEngine
from tests.sidecar.guard.socket_client import BODY, request

NAME = "mini-agent-sandbox-0123456789abcdef"
ONE = f"/containers/{NAME}"
REMOVE = request("DELETE", f"{ONE}?force=1&v=1")
TOUCHING = (
    request("GET", f"{ONE}/json"),
    request("POST", f"{ONE}/start"),
    request("POST", f"{ONE}/kill"),
    request(
        "POST",
        f"{ONE}/attach?stream=1&stdin=1&stdout=1&stderr=1",
        b"",
        "Upgrade: tcp",
        "Connection: Upgrade",
    ),
)


def labels(instance: str, deadline: str) -> dict[str, str]:
    return {SANDBOX_LABEL: "1", INSTANCE_LABEL: instance, DEADLINE_LABEL: deadline}


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        (request("GET", "/_ping"), "GET /_ping"),
        (request("POST", f"{ONE}/start"), f"POST /v1.45{ONE}/start"),
        (request("POST", f"/v1.24{ONE}/start"), f"POST /v1.45{ONE}/start"),
        (request("POST", f"/v1.99{ONE}/kill"), f"POST /v1.45{ONE}/kill"),
        (REMOVE, f"DELETE /v1.45{ONE}?force=1&v=1"),
    ],
)
async def test_a_call_is_written_anew_in_the_guards_own_version(
    asked: Ask, engine: RecordingEngine, sent: bytes, arrives: str
) -> None:
    engine.labels = labels(INSTANCE, "1")
    assert (await asked(sent)).status == 200
    assert engine.asked()[-1] == arrives


async def test_not_a_header_of_the_caller_reaches_the_engine(
    asked: Ask, engine: RecordingEngine
) -> None:
    await asked(request("GET", "/_ping", b"", "X-Registry-Auth: secret", "X-Registry-Config: x"))
    assert "x-registry" not in engine.heads[-1].lower()


async def test_the_list_is_of_sandboxes_whatever_was_asked_for(
    asked: Ask, engine: RecordingEngine
) -> None:
    ours = {SANDBOX_LABEL: "1"}
    engine.found = [
        {"Names": [f"/{NAME}"], "Labels": dict(ours.items()), "Mounts": ["secret"]},
        {"Names": ["/postgres"], "Labels": dict(ours.items())},
    ]
    reply = await asked(request("GET", "/containers/json?all=1&filters=%7B%7D"))
    assert "filters=%7B%22label%22%3A+%5B%22mini-agent.sandbox%3D1%22%5D%7D" in engine.asked()[-1]
    assert BODY.validate_json(reply.body) == [{"Names": [f"/{NAME}"], "Labels": ours}]


async def test_of_an_answer_only_the_fields_that_are_read_are_told(asked: Ask) -> None:
    reply = await asked(request("GET", "/version"))
    assert BODY.validate_json(reply.body) == {"ApiVersion": "1.47"}


async def test_a_no_of_the_engine_is_passed_on_in_its_words(
    asked: Ask, engine: RecordingEngine
) -> None:
    engine.labels, engine.status = labels(INSTANCE, "1"), 409
    reply = await asked(request("POST", f"{ONE}/kill"))
    assert (reply.status, reply.refusal().message) == (409, "said by the engine")


@pytest.mark.parametrize("sent", [*TOUCHING, REMOVE])
async def test_a_container_without_our_label_is_not_touched(
    asked: Ask, engine: RecordingEngine, sent: bytes
) -> None:
    reply = await asked(sent)
    assert (reply.status, reply.refusal().error.code) == (403, "refused_by_guard")
    assert set(engine.asked()) == {f"GET /v1.45{ONE}/json"}


@pytest.mark.parametrize("sent", TOUCHING)
async def test_another_instances_sandbox_is_not_touched(
    asked: Ask, engine: RecordingEngine, sent: bytes
) -> None:
    engine.labels = labels("other", "1")
    assert (await asked(sent)).status == 403


@pytest.mark.parametrize(("later_s", "status"), [(-60, 200), (60, 403)])
async def test_another_instances_sandbox_is_removed_after_its_deadline(
    asked: Ask, engine: RecordingEngine, later_s: int, status: int
) -> None:
    engine.labels = labels("other", str(int(time.time()) + later_s))
    assert (await asked(REMOVE)).status == status


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", f"{ONE}/json?size=1"),
        ("POST", f"{ONE}/start?detachKeys=x"),
        ("POST", f"{ONE}/kill?signal=USR1"),
        ("DELETE", ONE),
        ("DELETE", f"{ONE}?force=1&v=1&link=1"),
        ("POST", f"{ONE}/attach?stream=1"),
        ("POST", "/containers/create"),
        ("POST", "/containers/create?name=postgres"),
        ("POST", f"/containers/create?name={NAME}&platform=linux"),
        ("POST", f"/containers/create?name={NAME}&name=other"),
        ("GET", "/_ping?x=1"),
        ("HEAD", "/_ping"),
        ("GET", "/images/debian:trixie-slim/json"),
        ("GET", "/images/json"),
        ("DELETE", "/images/mini-agent/sandbox-python:local"),
        ("POST", "/images/mini-agent/sandbox-python:local/tag"),
        ("GET", "/containers/0123456789ab/json"),
        ("GET", "/containers/mini-agent-sandbox-0123456789abcdeg/json"),
        ("GET", "/containers/mini-agent-sandbox-0123456789abcdef0/json"),
    ],
)
async def test_a_call_that_differs_by_a_word_is_refused(
    asked: Ask, engine: RecordingEngine, method: str, target: str
) -> None:
    reply = await asked(request(method, target))
    assert reply.status == 403
    assert engine.asked() == []
