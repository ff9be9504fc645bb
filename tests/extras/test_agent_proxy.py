"""The endpoint as uvicorn takes it, without a container: this machine alone, or by token."""

from __future__ import annotations

import sys

import httpx
import pytest
from starlette.types import ASGIApp

from mini_agent import agent_proxy
from mini_agent.errors import NotConfigured
from mini_agent.testing import ScriptedServer, call
from tests.shim.serving import serve_app

ECHOES = {"messages": [{"role": "user", "content": "Say hi."}], "tool_backend": "echo"}
TOKEN = "a token for one test"


def endpoint(monkeypatch: pytest.MonkeyPatch, **environment: str) -> ASGIApp:
    """The app as a process with this environment gets it."""
    for name in ("MINI_AGENT_SHIM_TOKEN", "MINI_AGENT_SIDECAR_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app: ASGIApp = agent_proxy.app  # type: ignore[assignment]  # typed in the shim
    return app


async def status_from(app: ASGIApp, caller: str, **headers: str) -> int:
    transport = httpx.ASGITransport(app, client=(caller, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return (await client.get("/docs", headers=headers)).status_code


def test_it_runs_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([call("echo", text="hi"), "It said hi."]) as server:
        app = endpoint(monkeypatch, OLLAMA_API_BASE=server.url)
        with serve_app(app) as url:
            said = httpx.post(
                f"{url}/agent/run", json={**ECHOES, "model": "ollama/any"}, timeout=60
            )
    assert (said.status_code, said.json()["final_answer"]) == (200, "It said hi.")


@pytest.mark.parametrize(
    ("caller", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("192.168.1.7", 403), ("fe80::1", 403), ("a name", 403)],
)
async def test_without_a_token_only_this_machine_is_answered(
    monkeypatch: pytest.MonkeyPatch, caller: str, status: int
) -> None:
    assert await status_from(endpoint(monkeypatch), caller) == status


async def test_with_a_token_others_are_answered_who_know_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = endpoint(monkeypatch, MINI_AGENT_SHIM_TOKEN=TOKEN)
    assert await status_from(app, "192.168.1.7") == 401
    assert await status_from(app, "192.168.1.7", Authorization=f"Bearer {TOKEN}") == 200


def test_without_a_web_server_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "mini_agent_shim.agent_proxy", None)
    with pytest.raises(NotConfigured, match=r"pip install 'mini-agent\[mini_agent\]'"):
        agent_proxy.app  # noqa: B018
