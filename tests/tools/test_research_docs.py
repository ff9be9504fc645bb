"""The documentation of libraries, looked up at services of two kinds."""

from __future__ import annotations

import pytest
from pydantic import JsonValue
from starlette.responses import JSONResponse, PlainTextResponse

from mini_agent import ResearchPythonInvoker
from mini_agent.messages import function_call
from mini_agent.tools.invoker import ToolOutput
from mini_agent.tools.research.common import ResearchSettings
from tests.tools.services import Service


async def docs(service: Service, key: str = "", **arguments: JsonValue) -> ToolOutput:
    with service.served() as url:
        named = {"c7_api_base": f"{url}/api/v1", "c7_api_key": key}
        tools = ResearchPythonInvoker(10, settings=ResearchSettings.model_validate(named))
        call = function_call("1", "research_context7_docs", arguments)
        return await tools.call_openai_tool(call)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"snippets": ["use x", "use y"]}, "use x\n\nuse y"),
        ({"snippets": [{"title": "Hooks", "content": "use x"}]}, "Hooks\nuse x"),
        ({"snippets": [{"description": "d", "code": "c", "rank": 1}, {}, 7]}, "d\nc"),
        ({"text": "use x"}, "use x"),
        (["use x"], "use x"),
        ({"snippets": []}, "nothing was found on 'react'"),
        ({"results": []}, "nothing was found on 'react'"),
        ({"results": [{"id": "/"}, {"id": 7}, 7]}, "nothing was found on 'react'"),
        (7, "nothing was found on 'react'"),
    ],
)
async def test_a_search_that_gives_passages_means_this(found: JsonValue, text: str) -> None:
    service = Service([JSONResponse(found)])
    assert (await docs(service, library="react")).stdout == text
    assert len(service.asked) == 1


async def test_a_search_that_gives_libraries_is_followed_by_a_look_into_the_best() -> None:
    libraries = JSONResponse({"results": [{"id": "/facebook/react", "title": "React"}]})
    service = Service([libraries, PlainTextResponse("useState keeps a value.\n")])
    output = await docs(service, "key", library="react", topic="hooks")
    assert output.stdout == "/facebook/react:\nuseState keeps a value."
    assert [asked.line for asked in service.asked] == [
        "GET /api/v1/search?query=react&library=react&topic=hooks&n=5",
        "GET /api/v1/facebook/react?type=txt&tokens=2000&topic=hooks",
    ]
    assert {asked.authorization for asked in service.asked} == {"Bearer key"}


async def test_a_library_named_by_its_path_is_looked_into_right_away() -> None:
    service = Service([PlainTextResponse("useState keeps a value.")])
    assert (await docs(service, library="/facebook/react")).stdout == "useState keeps a value."
    assert service.asked[0].line == "GET /api/v1/facebook/react?type=txt&tokens=2000"
    assert service.asked[0].authorization == ""


@pytest.mark.parametrize("library", ["//elsewhere.example/x", "/../../etc", "/a?b#c"])
async def test_a_library_never_leads_to_another_server(library: str) -> None:
    service = Service([PlainTextResponse("x")])
    await docs(service, library=library)
    assert len(service.asked) == 1


async def test_the_number_of_passages_is_the_callers_within_reason() -> None:
    service = Service([JSONResponse({"snippets": [str(n) for n in range(50)]})])
    assert (await docs(service, library="react", max_snippets=2)).stdout == "0\n\n1"
    assert (await docs(service, library="react", max_snippets=999)).stdout.endswith("19")


async def test_a_wrong_key_is_said_to_be() -> None:
    output = await docs(Service([JSONResponse({"error": "no"}, 401)]), "wrong", library="react")
    assert "set C7_API_KEY to a key that is valid" in str(output.error)
    assert "wrong" not in str(output.error)
