"""`tool_backend` http: the gateway a run is given, by the caller or by the environment."""

from __future__ import annotations

import pytest

from mini_agent.agent.tool_backends import create_gateway_invoker, resolve_backend
from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.messages import user
from mini_agent.provider.parameters import LiteLLMCall
from mini_agent.provider.run import prepare_run
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.settings import Settings
from mini_agent.testing import ScriptedServer, call
from tests.shim.scripted import ScriptedModel, open_client, program_turn, text_turn
from tests.tools.gateway import SEARCH_DOCS, Gateway


def asked(**fields: object) -> AgentRunRequest:
    hi = [{"role": "user", "content": "hi"}]
    return AgentRunRequest.model_validate({"messages": hi, "tool_backend": "http", **fields})


async def headers_that_arrive(request: AgentRunRequest) -> dict[str, str]:
    gateway = Gateway()
    with gateway.served() as url:
        named = request.model_copy(update={"tool_http_base_url": url})
        await create_gateway_invoker(named, Settings()).list_openai_tools()
    return gateway.headers[0]


async def test_the_environment_may_name_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway().served() as url:
        monkeypatch.setenv("MINI_AGENT_TOOL_HTTP_BASE_URL", url)
        assert await create_gateway_invoker(asked(), Settings()).list_openai_tools() == [
            SEARCH_DOCS
        ]


async def test_the_callers_headers_come_before_the_environments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINI_AGENT_TOOL_HTTP_HEADERS", '{"authorization": "Bearer e", "X-A": "1"}')
    there = await headers_that_arrive(asked(tool_http_headers={"Authorization": "Bearer c"}))
    assert (there["authorization"], there["x-a"]) == ("Bearer c", "1")


async def test_the_environments_token_goes_to_no_other_gateway_than_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINI_AGENT_TOOL_HTTP_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MINI_AGENT_TOOL_HTTP_HEADERS", '{"Authorization": "Bearer secret"}')
    assert "authorization" not in await headers_that_arrive(asked())


@pytest.mark.usefixtures("_closing")
async def test_the_provider_calls_the_gateways_tools() -> None:
    gateway = Gateway()
    looks = call("search_docs", query="auth tokens")
    with gateway.served() as url, ScriptedServer([looks, "Three."]) as server:
        named = {
            "target_model": "ollama/m",
            "api_base": server.url,
            "tool_backend": "http",
            "tool_http_base_url": url,
        }
        result = await prepare_run(LiteLLMCall("default", [user("Find them.")], named)).result()
    assert result.final_answer == "Three."
    assert gateway.invoked == [{"name": "search_docs", "arguments": {"query": "auth tokens"}}]


async def test_the_shim_calls_the_gateways_tools() -> None:
    gateway = Gateway()
    model = ScriptedModel([program_turn("x", tool="search_docs"), text_turn("Three.")])
    with gateway.served() as url:
        async with open_client(model) as client:
            body = asked(tool_http_base_url=url, model="a/b").model_dump(exclude_unset=True)
            answer = await client.post("/agent/run", json=body)
    assert answer.json()["final_answer"] == "Three."
    assert [name for name in gateway.asked if "invoke" in name] == ["POST /invoke"]


def test_without_an_address_it_says_how_to_give_one() -> None:
    assert resolve_backend("http", "", Settings()) == ("http",)
    with pytest.raises(NotConfigured, match="MINI_AGENT_TOOL_HTTP_BASE_URL") as raised:
        create_gateway_invoker(asked(), Settings())
    assert raised.value.field == "tool_http_base_url"


@pytest.mark.parametrize("written", ["{", "[]", '{"a": 1}', '"secret"'])
def test_headers_that_are_no_json_object_are_named_but_not_shown(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("MINI_AGENT_TOOL_HTTP_HEADERS", written)
    with pytest.raises(NotConfigured, match="MINI_AGENT_TOOL_HTTP_HEADERS is not a JSON") as raised:
        Settings().read_tool_http_headers()
    assert "secret" not in str(raised.value)


def test_an_address_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadRequest, match="must be an address"):
        create_gateway_invoker(asked(tool_http_base_url="nowhere"), Settings())


def test_headers_are_not_shown_with_the_request() -> None:
    assert "secret" not in repr(asked(tool_http_headers={"Authorization": "Bearer secret"}))
