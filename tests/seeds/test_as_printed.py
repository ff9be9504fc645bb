"""Every piece of Python of the named pages, as printed, in stock LiteLLM with the provider on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.seeds.services import Services, services
from tests.seeds.snippets import Snippet, named_folder, snippets_in
from tests.stock.conftest import Program, printed, stock

__all__ = ["printed", "stock"]

FOLDER = named_folder()
SNIPPETS = snippets_in(FOLDER) if FOLDER else []

# What a reader does next with what the piece made.
USED = """

if "router" in globals():
    question = [{"role": "user", "content": "Run python: print('hello')"}]
    (name,) = router.get_model_names()
    response = router.completion(model=name, messages=question)
    print(response.choices[0].message.content, response.mini_agent["stopped_reason"])
elif "cfg" in globals():
    last = globals().get("result") or res
    print(last.final_answer, last.stopped_reason)
else:
    import litellm
    print("mini-agent" in litellm.provider_list, end=" ")
    print([each["provider"] for each in litellm.custom_provider_map])
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Services]:
    with services() as those:
        yield those


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_it_runs_as_printed(snippet: Snippet, printed: Program, running: Services) -> None:
    said = printed(
        snippet.program + USED,
        LITELLM_ENABLE_MINI_AGENT="1",
        LITELLM_MINI_AGENT_TOOL_BACKEND="local",
        **running.variables,
    )
    *_, last = said.splitlines()
    assert last in ("It said hello. success", "True ['mini-agent']")


def test_the_pages_gateway_was_really_asked(printed: Program, running: Services) -> None:
    assert {"name": "search_docs", "arguments": {"query": "auth tokens"}} in running.invoked
