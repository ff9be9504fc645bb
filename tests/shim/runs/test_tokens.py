"""Named tokens: who may call, what they see, and what they may spend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import SecretStr

from mini_agent.errors import NotConfigured
from mini_agent_shim.http.auth import read_tokens
from mini_agent_shim.settings import ShimSettings, require_token_or_loopback
from tests.shim.runs.run_client import REQUEST, list_run_ids
from tests.shim.scripted import (
    ScriptedModel,
    ScriptedSidecar,
    SilentModel,
    open_client,
    program_turn,
    text_turn,
)
from tests.shim.serving import serve_app


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def table(name: str, *more: str) -> str:
    return "\n".join((f"[{name}]", f'sha256 = "{sha256(name.encode()).hexdigest()}"', *more, ""))


def settings_with(folder: Path, *tables: str) -> ShimSettings:
    file = folder / "tokens.toml"
    file.write_text("\n".join(tables))
    return ShimSettings(api_tokens_file=file, shim_token=SecretStr("whole"))


async def test_a_named_token_sees_its_own_runs_and_the_whole_one_sees_all(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, table("ann"), table("bob"))
    async with open_client(ScriptedModel([text_turn("1"), text_turn("2")]), settings) as client:
        for name in ("ann", "bob"):
            client.headers.update(bearer(name))
            await client.post("/agent/run", json=REQUEST)
        (bobs,) = await list_run_ids(client)
        client.headers.update(bearer("ann"))
        (anns,) = await list_run_ids(client)
        for path in ("", "/events", "/artifacts", "/artifacts/1"):
            hidden = await client.get(f"/runs/{bobs}{path}")
            assert hidden.status_code == HTTPStatus.NOT_FOUND
            assert hidden.json()["error"]["code"] == "no_such_run"
        assert (await client.post(f"/runs/{bobs}/cancel")).status_code == HTTPStatus.NOT_FOUND
        client.headers.update(bearer("whole"))
        assert await list_run_ids(client) == [bobs, anns]


@pytest.mark.parametrize("token", ["", "wrong", "ann ann", "\u00e4".encode().decode("latin-1")])
async def test_another_token_is_turned_away(tmp_path: Path, token: str) -> None:
    async with open_client(ScriptedModel([]), settings_with(tmp_path, table("ann"))) as client:
        answer = await client.get("/runs", headers={b"Authorization": f"Bearer {token}".encode()})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_whoever_tries_tokens_is_slowed_down_and_others_are_not(tmp_path: Path) -> None:
    async with open_client(ScriptedModel([]), settings_with(tmp_path, table("ann"))) as client:
        tried = [
            (await client.get("/runs", headers=bearer(str(number)))).status_code
            for number in range(100)
        ]
        known = await client.get("/runs", headers=bearer("ann"))
    assert tried[0] == HTTPStatus.UNAUTHORIZED
    assert tried[-1] == HTTPStatus.TOO_MANY_REQUESTS
    assert known.status_code == HTTPStatus.OK


async def test_whoever_sends_no_token_tries_none(tmp_path: Path) -> None:
    async with open_client(ScriptedModel([]), settings_with(tmp_path, table("ann"))) as client:
        asked = {(await client.get("/runs")).status_code for _ in range(100)}
    assert asked == {HTTPStatus.UNAUTHORIZED}


async def test_snippets_take_the_turn_of_whoever_asked_for_the_run(tmp_path: Path) -> None:
    sidecar = ScriptedSidecar()
    model = ScriptedModel([program_turn("1"), text_turn("1"), program_turn("2"), text_turn("2")])
    asked = REQUEST | {"tool_backend": "sidecar"}
    with serve_app(sidecar.app()) as url:
        settings = settings_with(tmp_path, table("ann")).model_copy(
            update={"sidecar_url": url, "sidecar_token": SecretStr(sidecar.token)}
        )
        async with open_client(model, settings) as client:
            for token in ("ann", "whole"):
                await client.post("/agent/run", json=asked, headers=bearer(token))
    assert sidecar.callers == ["ann", None]


async def test_a_token_may_have_so_many_runs_at_a_time(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, table("ann", "runs_at_once = 1"), table("bob"))
    async with open_client(SilentModel(), settings) as client:
        asked = REQUEST | {"background": True}
        first = await client.post("/agent/run", json=asked, headers=bearer("ann"))
        second = await client.post("/agent/run", json=asked, headers=bearer("ann"))
        other = await client.post("/agent/run", json=asked, headers=bearer("bob"))
    assert [first.status_code, second.status_code, other.status_code] == [202, 429, 202]
    assert second.json()["error"]["code"] == "too_many_runs"


async def test_a_token_may_have_so_many_runs_a_day(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, table("ann", "runs_a_day = 1"))
    async with open_client(ScriptedModel([text_turn("1")]), settings) as client:
        client.headers.update(bearer("ann"))
        first = await client.post("/agent/run", json=REQUEST)
        second = await client.post("/agent/run", json=REQUEST)
    assert (first.status_code, second.status_code) == (200, 429)
    assert 86_000 < int(second.headers["retry-after"]) <= 86_400


async def test_a_token_may_ask_so_often_a_minute(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, table("ann", "requests_a_minute = 2"))
    async with open_client(ScriptedModel([]), settings) as client:
        client.headers.update(bearer("ann"))
        answers = [await client.get("/runs") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["code"] == "rate_limited"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no token"),
        ("[", "is no TOML"),
        ("[ann]\n", "ann.sha256: Field required"),
        ('[ann]\nsha256 = "secret"', "ann.sha256: String should match"),
        (table("ann", "runs_a_day = 0"), "ann.runs_a_day"),
        (table("ann", 'token = "x"'), "ann.token: Extra inputs"),
        (table("ann") + table("ann").replace("[ann]", "[bob]"), "one digest under two names"),
    ],
)
def test_a_wrong_file_is_told_and_stops_the_start(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with pytest.raises(NotConfigured, match="MINI_AGENT_API_TOKENS_FILE") as wrong:
        read_tokens(file)
    assert said in str(wrong.value)


def test_a_shim_with_tokens_may_be_open_to_others(tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    require_token_or_loopback(ShimSettings(host="0.0.0.0", api_tokens_file=file))


async def test_the_callers_request_id_is_in_the_answer_the_error_and_the_run() -> None:
    async with open_client(ScriptedModel([text_turn("1")])) as client:
        named = {"X-Request-Id": "from-me.1"}
        ran = await client.post("/agent/run", json=REQUEST, headers=named)
        told = (await client.get(f"/runs/{ran.headers['x-run-id']}")).json()
        missing = await client.get("/nothing", headers=named)
        odd = await client.get("/nothing", headers={"X-Request-Id": "no id\t"})
    assert ran.headers["x-request-id"] == told["request_id"] == "from-me.1"
    assert missing.headers["x-request-id"] == missing.json()["error"]["request_id"] == "from-me.1"
    assert odd.headers["x-request-id"] == odd.json()["error"]["request_id"] != "no id\t"


async def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * (1 << 20)

    async with open_client(ScriptedModel([])) as client:
        said = {"Content-Length": str(1 << 30), "Content-Type": "application/json"}
        announced = await client.post("/agent/run", content=b"{}", headers=said)
        chunked = await client.post(
            "/v1/responses", content=endless(), headers={"Content-Type": "application/json"}
        )
    assert (announced.status_code, chunked.status_code) == (413, 413)
    assert announced.json()["error"]["code"] == "request_entity_too_large"
