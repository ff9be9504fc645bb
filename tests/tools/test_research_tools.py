"""The research tools, against services that answer well, badly, late and not at all."""

from __future__ import annotations

import json
import socket
import time

import pytest
from pydantic import JsonValue
from starlette.responses import HTMLResponse, JSONResponse, Response

from mini_agent import ResearchPythonInvoker
from mini_agent.errors import BadRequest, ToolsUnavailable
from mini_agent.messages import function_call
from mini_agent.tools.invoker import Tool, ToolOutput
from mini_agent.tools.observation import MAX_STREAM_CHARS, format_observation
from mini_agent.tools.research.common import ResearchSettings, RetryPolicy
from mini_agent.tools.research.invoker import ResearchNotConfiguredWarning
from mini_agent.tools.research.perplexity import Perplexity
from tests.tools.services import Service

QUESTION = {"query": "What is new in Python 3.14?"}
SOURCES: JsonValue = [
    {"title": "What's new", "url": "https://docs.example/3.14", "date": "2025-10-07"},
    {"title": None, "url": "https://b.example"},
]


def completion(content: str | None, **more: JsonValue) -> JSONResponse:
    return JSONResponse({"choices": [{"message": {"content": content}}], **more})


ANSWER = completion("Template strings [1].", search_results=SOURCES)
BUSY = Response(status_code=503, headers={"Retry-After": "0"})


def names(tools: list[Tool]) -> list[str]:
    functions = [tool["function"] for tool in tools]
    return [str(each["name"]) for each in functions if isinstance(each, dict)]


async def perplexity(service: Service, arguments: dict[str, JsonValue] | None = None) -> ToolOutput:
    with service.served() as url:
        settings = ResearchSettings.model_validate({"pplx_api_key": "k", "pplx_api_base": url})
        tools = ResearchPythonInvoker(10, settings=settings)
        call = function_call(
            "1", "research_perplexity", QUESTION if arguments is None else arguments
        )
        return await tools.call_openai_tool(call)


async def test_the_tools_offered_are_those_that_the_environment_sets_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PPLX_API_KEY", "C7_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.warns(ResearchNotConfiguredWarning, match="set PPLX_API_KEY, or set C7_API_BASE"):
        assert await ResearchPythonInvoker().list_openai_tools() == []
    monkeypatch.setenv("PPLX_API_KEY", "k")
    assert names(await ResearchPythonInvoker().list_openai_tools()) == ["research_perplexity"]
    monkeypatch.setenv("C7_API_BASE", "http://127.0.0.1:9")
    assert names(await ResearchPythonInvoker().list_openai_tools()) == [
        "research_perplexity",
        "research_context7_docs",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("research_perplexity", "research_perplexity is not configured: set PPLX_API_KEY"),
        ("research_context7_docs", "research_context7_docs is not configured: set C7_API_BASE"),
        ("research_moon", "there is no tool 'research_moon'"),
    ],
)
async def test_a_tool_that_is_not_there_says_what_to_set(name: str, said: str) -> None:
    settings = ResearchSettings.model_construct()
    tools = ResearchPythonInvoker(settings=settings)
    output = await tools.call_openai_tool(function_call("1", name, QUESTION))
    assert output.error is not None
    assert output.error.startswith(said)


async def test_an_answer_comes_with_its_sources_under_their_numbers() -> None:
    output = await perplexity(Service([ANSWER]))
    assert output.stdout == (
        "Template strings [1].\n"
        "Sources:\n"
        "[1] What's new (2025-10-07) https://docs.example/3.14\n"
        "[2] https://b.example"
    )


async def test_what_is_asked_is_a_chat_completion_with_the_key() -> None:
    service = Service([ANSWER])
    await perplexity(service, {**QUESTION, "max_tokens": 100})
    (asked,) = service.asked
    assert (asked.line, asked.authorization) == ("POST /chat/completions", "Bearer k")
    body = json.loads(asked.body)
    assert (body["model"], body["max_tokens"]) == ("sonar-pro", 100)
    assert body["messages"][-1] == {"role": "user", "content": QUESTION["query"]}


async def test_the_model_may_be_named_as_litellm_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service([ANSWER])
    with service.served() as url:
        monkeypatch.setenv("PPLX_API_KEY", "k")
        monkeypatch.setenv("PPLX_API_BASE", f"{url}/")
        monkeypatch.setenv("PPLX_MODEL", "perplexity/sonar")
        call = function_call("1", "research_perplexity", QUESTION)
        await ResearchPythonInvoker().call_openai_tool(call)
    assert json.loads(service.asked[0].body)["model"] == "sonar"
    assert service.asked[0].line == "POST /chat/completions"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (completion("42", citations=["https://a.example"]), "42\nSources:\n[1] https://a.example"),
        (completion("42"), "42"),
        (completion("42", citations=None, search_results=None), "42"),
        (completion("<think>well, 6 * 7</think>\n\n42"), "42"),
        (completion("<think>cut off"), "(it had no answer)"),
        (completion(None), "(it had no answer)"),
        (JSONResponse({"choices": []}), "(it had no answer)"),
    ],
)
async def test_a_completion_means_this(answer: Response, text: str) -> None:
    assert (await perplexity(Service([answer]))).stdout == text


async def test_a_long_answer_fits_what_a_model_gets_to_read_with_its_sources() -> None:
    output = await perplexity(Service([completion("A fact [1]. " * 500, search_results=SOURCES)]))
    assert len(output.stdout) <= MAX_STREAM_CHARS
    assert output.stdout.startswith("A fact [1]. ")
    assert "more characters were left out" in output.stdout
    assert output.stdout in format_observation("research_perplexity", output)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (JSONResponse({"error": {"message": "Invalid key"}}, 401), "Invalid key (set PPLX_API_KEY"),
        (JSONResponse({"error": {"message": "no model 'x'"}}, 400), "400: no model 'x'"),
        (JSONResponse({"hello": 1}), "no chat completion"),
        (HTMLResponse("<html>"), "PPLX_API_BASE is the address without /chat/completions"),
    ],
)
async def test_a_refusal_is_told_and_not_asked_again(answer: Response, said: str) -> None:
    service = Service([answer])
    output = await perplexity(service)
    assert said in str(output.error)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "the argument query is missing"),
        ({"query": " "}, "the argument query is empty"),
        ({"query": 7}, "the argument query must be text"),
        ({"query": "a", "max_tokens": "many"}, "max_tokens must be a whole number"),
        ({"query": "a", "max_tokens": True}, "max_tokens must be a whole number"),
    ],
)
async def test_wrong_arguments_are_said_to_be_and_nothing_is_asked(
    arguments: dict[str, JsonValue], said: str
) -> None:
    service = Service([ANSWER])
    output = await perplexity(service, arguments)
    assert str(output.error).startswith(said)
    assert service.asked == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_service_that_is_busy_is_asked_again(status: int) -> None:
    service = Service([Response(status_code=status, headers={"Retry-After": "0"}), ANSWER])
    assert (await perplexity(service)).ok
    assert len(service.asked) == 2


async def test_a_service_that_stays_busy_is_asked_four_times() -> None:
    service = Service([BUSY])
    output = await perplexity(service)
    assert "503" in str(output.error)
    assert len(service.asked) == 4


async def test_a_wait_that_would_not_fit_is_not_begun() -> None:
    service = Service([JSONResponse({"error": "busy"}, 429, {"Retry-After": "3600"})])
    began = time.monotonic()
    output = await perplexity(service)
    assert time.monotonic() - began < 20
    assert "429: busy" in str(output.error)
    assert len(service.asked) == 1


async def test_a_service_that_is_away_is_asked_again_and_then_said_to_be() -> None:
    named = {"pplx_api_key": "secret", "pplx_api_base": "http://127.0.0.1:9"}
    settings = ResearchSettings.model_validate(named)
    source = Perplexity(settings, RetryPolicy(timeout_s=5, initial_delay_s=0.01))
    with pytest.raises(ToolsUnavailable, match="nothing answers at") as raised:
        await source.output(dict(QUESTION))
    assert "secret" not in str(raised.value)


async def test_a_service_that_hangs_is_cut_at_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        named = {"pplx_api_key": "k", "pplx_api_base": f"http://127.0.0.1:{port}"}
        tools = ResearchPythonInvoker(0.3, settings=ResearchSettings.model_validate(named))
        output = await tools.call_openai_tool(function_call("1", "research_perplexity", QUESTION))
    assert "did not answer within 0.3 s" in str(output.error)


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ({"pplx_api_key": "k", "pplx_api_base": "nowhere"}, "PPLX_API_BASE"),
        ({"c7_api_base": "nowhere"}, "C7_API_BASE"),
        ({"pplx_api_key": "a\nb"}, "headers"),
    ],
)
def test_an_address_or_a_key_that_cannot_be_is_refused_by_name(
    named: dict[str, str], field: str
) -> None:
    with pytest.raises(BadRequest) as raised:
        ResearchPythonInvoker(settings=ResearchSettings.model_validate(named))
    assert raised.value.field == field


def test_a_time_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadRequest, match="timeout"):
        ResearchPythonInvoker(0)
