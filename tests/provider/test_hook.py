"""Names of ours within LiteLLM, and what happens when that has changed too much."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import httpx
import pytest

import mini_agent
from mini_agent.provider.import_hook import AGENT_MODULE, ALIASES
from mini_agent.testing import ScriptedServer
from tests.shim.serving import serve_app

pytestmark = pytest.mark.usefixtures("_closing")


@pytest.mark.parametrize("name", ALIASES)
def test_a_forks_module_is_a_module_of_ours(litellm: ModuleType, name: str) -> None:
    assert importlib.import_module(name) is importlib.import_module(ALIASES[name])


def test_any_module_of_ours_is_one_module_by_both_names(litellm: ModuleType) -> None:
    ours = importlib.import_module("mini_agent.agent.loop")
    assert importlib.import_module(f"{AGENT_MODULE}.agent.loop") is ours
    assert ours.__spec__ is not None
    assert ours.__spec__.name == "mini_agent.agent.loop"


def test_a_module_that_nobody_has_is_missing_by_the_name_that_was_asked_for(
    litellm: ModuleType,
) -> None:
    with pytest.raises(ModuleNotFoundError, match=rf"{AGENT_MODULE}\.nonsense"):
        importlib.import_module(f"{AGENT_MODULE}.nonsense")


async def test_the_call_wrapper_asks_a_model_once(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = importlib.import_module(f"{AGENT_MODULE}.call_wrapper")
    with ScriptedServer(["hey"]) as server:
        monkeypatch.setenv("OLLAMA_API_BASE", server.url)
        said = await wrapper.arouter_call(
            model="ollama_chat/m", messages=[{"role": "user", "content": "hi"}]
        )
    assert said.choices[0].message.content == "hey"


def test_the_served_app_is_the_shim(litellm: ModuleType) -> None:
    agent_proxy = importlib.import_module(f"{AGENT_MODULE}.agent_proxy")
    with serve_app(agent_proxy.app) as url:
        assert httpx.get(f"{url}/healthz").is_success


def test_a_litellm_that_has_changed_too_much_still_works_as_it_is(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = importlib.import_module("mini_agent.provider.import_hook")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, hook.PatchingFinder)]
    monkeypatch.setitem(sys.modules, "litellm.utils", ModuleType("litellm.utils"))
    mini_agent.install()
    said = capsys.readouterr().err
    assert said.startswith("mini-agent: cannot add to litellm.utils of this LiteLLM: AttributeErr")
    assert len(said.splitlines()) == 1
