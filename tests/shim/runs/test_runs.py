"""`/runs`: what was run can be listed, found, followed and read again."""

from __future__ import annotations

import asyncio
import base64
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from mini_agent.remote.schema import AgentRunResponse
from mini_agent.sandbox import Rich
from mini_agent_shim.app import create_app
from mini_agent_shim.runs.schema import RunEnded
from mini_agent_shim.settings import ShimSettings
from tests.shim.runs.run_client import (
    REQUEST,
    get_detail,
    list_run_ids,
    parse_messages,
    read_messages,
    start_run,
    wait_for_end,
)
from tests.shim.scripted import (
    ScriptedModel,
    ScriptedSidecar,
    SilentModel,
    open_client,
    program_turn,
    text_turn,
)
from tests.shim.serving import serve_app

KINDS = [
    "run_queued",
    "run_started",
    "model_asked",
    "model_replied",
    "calls_understood",
    "call_repaired",
    "tool_started",
    "tool_finished",
    "observation",
    "model_asked",
    "model_replied",
    "stopped",
    "run_ended",
]


async def test_a_run_can_be_read_again_with_everything_that_happened() -> None:
    model = ScriptedModel([program_turn("6*7", tool="echo"), text_turn("42")])
    async with open_client(model) as client:
        answer = await client.post("/agent/run", json=REQUEST)
        told = await get_detail(client, answer.headers["x-run-id"])
        happened = await read_messages(client, told.id)
    assert [each.kind for each in happened] == KINDS
    assert [each.seq for each in happened] == list(range(1, len(KINDS) + 1))
    assert (told.state, told.answer, told.iterations, told.tool_calls) == ("done", "42", 2, 1)
    assert told.prompt == "What is six times seven?"
    assert told.result == AgentRunResponse.model_validate_json(answer.text)


async def test_a_run_in_the_background_is_accepted_at_once_and_followed_to_its_end() -> None:
    async with open_client(ScriptedModel([text_turn("42")])) as client:
        answer = await client.post("/agent/run", json=REQUEST | {"background": True})
        assert answer.status_code == HTTPStatus.ACCEPTED
        assert answer.json()["state"] == "queued"
        told = (await client.get(f"{answer.headers['location']}/events")).text
        over = await get_detail(client, answer.json()["id"])
    assert parse_messages(told)[-1].line.event == RunEnded(state="done")
    assert over.state == "done"


async def test_who_comes_back_is_told_only_what_is_new() -> None:
    async with open_client(ScriptedModel([text_turn("42")])) as client:
        run_id = await start_run(client)
        everything = await read_messages(client, run_id)
        rest = await read_messages(client, run_id, **{"Last-Event-ID": "3"})
        last = {"Last-Event-ID": str(everything[-1].seq)}
        nothing = await client.get(f"/runs/{run_id}/events", headers=last)
    assert rest == everything[3:]
    assert nothing.status_code == HTTPStatus.NO_CONTENT


async def test_what_happens_is_told_while_it_happens_and_leaving_does_not_end_the_run() -> None:
    model = SilentModel()
    with serve_app(create_app(ShimSettings(), model=model)) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            run_id = await start_run(client)
            async with client.stream("GET", f"/runs/{run_id}/events") as answer:
                lines = answer.aiter_lines()
                async with asyncio.timeout(40):
                    while await anext(lines) != "event: model_asked":
                        pass
            assert (await get_detail(client, run_id)).state == "running"
            cancelled = await client.post(f"/runs/{run_id}/cancel")
    assert cancelled.json()["state"] == "cancelled"


async def test_cancelling_ends_the_run_and_may_be_said_twice() -> None:
    model = SilentModel()
    async with open_client(model) as client:
        run_id = await start_run(client)
        await model.asked.wait()
        first = await client.post(f"/runs/{run_id}/cancel")
        again = await client.post(f"/runs/{run_id}/cancel")
        happened = await read_messages(client, run_id)
    assert model.cancelled.is_set()
    assert (first.status_code, first.json()["state"]) == (HTTPStatus.OK, "cancelled")
    assert again.json() == first.json()
    assert [each.kind for each in happened[-2:]] == ["stopped", "run_ended"]


async def test_a_run_that_is_over_cannot_be_cancelled_any_more() -> None:
    async with open_client(ScriptedModel([text_turn("42")])) as client:
        run_id = await start_run(client)
        await wait_for_end(client, run_id)
        answer = await client.post(f"/runs/{run_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (HTTPStatus.OK, "done")


async def test_whoever_waits_for_a_run_that_is_cancelled_is_told_so() -> None:
    model = SilentModel()
    async with open_client(model) as client:
        asking = asyncio.create_task(client.post("/agent/run", json=REQUEST))
        await model.asked.wait()
        (run_id,) = await list_run_ids(client, state="running")
        await client.post(f"/runs/{run_id}/cancel")
        answer = await asking
    assert (answer.status_code, answer.json()["stopped_reason"]) == (HTTPStatus.OK, "cancelled")


async def test_runs_are_found_by_state_model_and_words_page_by_page() -> None:
    model = ScriptedModel([text_turn("red"), text_turn("green"), text_turn("blue")])
    async with open_client(model) as client:
        red, green, blue = [
            (await client.post("/agent/run", json=REQUEST | {"model": name})).headers["x-run-id"]
            for name in ("a/one", "a/two", "a/two")
        ]
        assert await list_run_ids(client) == [blue, green, red]
        assert await list_run_ids(client, model="a/two") == [blue, green]
        assert await list_run_ids(client, q="GREEN") == [green]
        assert await list_run_ids(client, q="six times") == [blue, green, red]
        assert await list_run_ids(client, state=["failed", "running"]) == []
        assert await list_run_ids(client, since=4_000_000_000) == []
        first = (await client.get("/runs", params={"limit": 2})).json()
        assert first["next"] == green
        assert await list_run_ids(client, limit=2, before=first["next"]) == [red]


async def test_a_run_without_a_sandbox_is_kept_as_failed_with_its_reason() -> None:
    async with open_client(ScriptedModel([])) as client:
        answer = await client.post("/agent/run", json=REQUEST | {"tool_backend": "auto"})
        (run_id,) = await list_run_ids(client, state="failed")
        told = await get_detail(client, run_id)
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert told.error == "no sidecar is named to run snippets in"


async def test_a_request_that_cannot_be_is_no_run() -> None:
    async with open_client(ScriptedModel([])) as client:
        wizard = [{"role": "wizard", "content": "hi"}]
        answer = await client.post("/agent/run", json=REQUEST | {"messages": wizard})
        assert await list_run_ids(client) == []
    assert answer.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("path", ["", "/events", "/artifacts", "/artifacts/1"])
@pytest.mark.parametrize("run_id", ["0" * 32, "..%2f..%2fetc", "x"])
async def test_a_run_there_is_not_is_a_problem_that_says_so(run_id: str, path: str) -> None:
    async with open_client(ScriptedModel([])) as client:
        answer = await client.get(f"/runs/{run_id}{path}")
    assert answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert answer.json()["error"]["message"]


async def test_what_a_program_leaves_is_there_and_inert() -> None:
    shown = (
        Rich(media_type="image/png", base64=base64.b64encode(b"a picture").decode()),
        Rich(media_type="text/html", text="<script>alert(1)</script>"),
    )
    model = ScriptedModel([program_turn("plot()"), text_turn("done")])
    with serve_app(ScriptedSidecar(rich=shown).app()) as url:
        settings = ShimSettings(sidecar_url=url, sidecar_token=SecretStr("token"))
        async with open_client(model, settings) as client:
            asked = REQUEST | {"tool_backend": "sidecar"}
            run_id = (await client.post("/agent/run", json=asked)).headers["x-run-id"]
            left = (await client.get(f"/runs/{run_id}/artifacts")).json()
            picture = await client.get(f"/runs/{run_id}/artifacts/1")
            page = await client.get(f"/runs/{run_id}/artifacts/2")
            missing = await client.get(f"/runs/{run_id}/artifacts/3")
    assert [each["name"] for each in left] == ["shown-1.png", "shown-2.html"]
    assert (picture.content, picture.headers["content-type"]) == (b"a picture", "image/png")
    assert picture.headers["content-disposition"].startswith("inline")
    assert page.headers["content-disposition"].startswith("attachment")
    assert page.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert missing.json()["error"]["code"] == "no_such_artifact"


async def test_no_secret_is_in_the_log_wherever_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", 'sk-environment-"quoted"')
    model = ScriptedModel(
        [program_turn("sk-of-the-request sk-in-a-header", tool="echo"), text_turn("done")]
    )
    asked = REQUEST | {
        "api_key": "sk-of-the-request",
        "completion_kwargs": {"extra_headers": {"Authorization": "sk-in-a-header"}},
        "messages": [{"role": "user", "content": 'I use sk-environment-"quoted"'}],
    }
    async with open_client(model, ShimSettings(runs_dir=tmp_path)) as client:
        answer = await client.post("/agent/run", json=asked)
        told = await get_detail(client, answer.headers["x-run-id"])
    kept = everything_in(tmp_path)
    assert b"done" in kept
    assert b"sk-" not in kept
    assert "I use [secret]" in str(told.request)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_odd_characters_are_kept_and_read_again() -> None:
    odd = "a\0b \udc00 \u2028 \x1b[31m"
    async with open_client(ScriptedModel([text_turn(odd)])) as client:
        run_id = await start_run(client)
        over = await wait_for_end(client, run_id)
        happened = await read_messages(client, run_id)
    assert over.state == "done"
    assert [each.kind for each in happened][-1] == "run_ended"
