"""Who may call the shim, and how it may be started."""

from __future__ import annotations

import os
import subprocess
import sys
from http import HTTPStatus

import pytest
from pydantic import SecretStr, ValidationError

from mini_agent.errors import NotConfigured, Problem
from mini_agent_shim.settings import ShimSettings, require_token_or_loopback
from tests.shim.scripted import ScriptedModel, open_client

GUARDED = "/openapi.json"


async def status(path: str, settings: ShimSettings | None = None, **headers: str) -> int:
    async with open_client(ScriptedModel([]), settings) as client:
        answer = await client.get(path, headers=headers)
    if answer.is_error:
        assert Problem.model_validate_json(answer.content).error.message
    return answer.status_code


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8788", "[::1]:8788", "litellm-mini-agent:8788", "mini-agent"]
)
async def test_its_own_names_are_answered(host: str) -> None:
    assert await status("/healthz", Host=host) == HTTPStatus.OK


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.1.2.3", "", "[", "a:b:c"]
)
async def test_other_names_are_not(host: str) -> None:
    assert await status("/healthz", Host=host) == HTTPStatus.FORBIDDEN


async def test_a_name_can_be_added() -> None:
    settings = ShimSettings(allowed_hosts="box.lan, other")
    assert await status("/healthz", settings, Host="box.lan:8788") == HTTPStatus.OK


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1", "http://box.lan:8788"]
)
async def test_pages_of_this_machine_may_call(origin: str) -> None:
    settings = ShimSettings(allowed_hosts="box.lan")
    assert await status("/healthz", settings, Origin=origin, Host="box.lan:8788") == HTTPStatus.OK


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "http://localhost.evil.example"]
)
async def test_foreign_pages_may_not(origin: str) -> None:
    assert await status("/healthz", Origin=origin) == HTTPStatus.FORBIDDEN


async def test_a_named_page_may_call_and_its_browser_is_told_so() -> None:
    settings = ShimSettings(
        allowed_origins="https://app.example/ , http://box.lan:3000", shim_token=SecretStr("secret")
    )
    asks = {"Access-Control-Request-Method": "POST"}
    async with open_client(ScriptedModel([]), settings) as client:
        named = {"Origin": "https://app.example"}
        before = await client.options("/v1/chat/completions", headers=named | asks)
        answer = await client.get("/healthz", headers=named)
        refused = await client.get(GUARDED, headers=named)
        foreign = {"Origin": "https://other.example"}
        other = await client.options("/v1/chat/completions", headers=foreign | asks)
    assert before.status_code == HTTPStatus.OK
    for told in (before, answer, refused):
        assert told.headers["access-control-allow-origin"] == "https://app.example"
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert other.status_code != HTTPStatus.OK
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/page", "null"])
def test_what_is_no_origin_cannot_be_set(origin: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        ShimSettings(allowed_origins=origin)


async def test_a_token_is_asked_for_where_one_is_set() -> None:
    settings = ShimSettings(shim_token=SecretStr("secret"))
    assert await status(GUARDED, settings) == HTTPStatus.UNAUTHORIZED
    assert await status(GUARDED, settings, Authorization="Bearer wrong") == HTTPStatus.UNAUTHORIZED
    assert await status(GUARDED, settings, Authorization="Basic secret") == HTTPStatus.UNAUTHORIZED
    assert await status(GUARDED, settings, Authorization="Bearer secret") == HTTPStatus.OK
    assert await status("/healthz", settings) == HTTPStatus.OK


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "127.0.0.1"},
        {"host": "::1"},
        {"host": "localhost"},
        {"host": "0.0.0.0", "published_on": "127.0.0.1"},
        {"host": "0.0.0.0", "shim_token": "secret"},
    ],
)
def test_a_door_that_is_safe_opens(fields: dict[str, str]) -> None:
    require_token_or_loopback(ShimSettings.model_validate(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.168.1.5"},
        {"host": "0.0.0.0", "published_on": "0.0.0.0"},
    ],
)
def test_a_door_open_to_others_needs_a_token(fields: dict[str, str]) -> None:
    with pytest.raises(NotConfigured, match="without a token"):
        require_token_or_loopback(ShimSettings.model_validate(fields))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MINI_AGENT_SHIM_HOST": "0.0.0.0"}, "set MINI_AGENT_SHIM_TOKEN"),
        ({"MINI_AGENT_SHIM_PORT": "many"}, "MINI_AGENT_SHIM_PORT"),
        ({"LITELLM_MINI_AGENT_LANGUAGES": "cobol"}, "cobol"),
        ({"MINI_AGENT_RUNS_DIR": "/dev/null/runs"}, "the runs cannot be kept in /dev/null/runs"),
        ({"MINI_AGENT_API_TOKENS_FILE": "/nowhere"}, "/nowhere: cannot be read"),
        ({"OLLAMA_HOST": "box:port"}, "OLLAMA_HOST='box:port' is no address"),
    ],
)
def test_a_wrong_start_ends_with_2_and_one_line(variables: dict[str, str], said: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mini_agent_shim"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ran.returncode == 2
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
