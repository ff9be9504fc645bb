"""LITELLM_ENABLE_MINI_AGENT before `import litellm`, as a user of the wheel has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.replies import ScriptedReply
from tests.stock.conftest import Program, said_by

SIX_TIMES_SEVEN: list[ScriptedReply | str] = [call("exec_python", code="print(6 * 7)"), "It is 42."]
LOCAL = {"LITELLM_ENABLE_MINI_AGENT": "1", "LITELLM_MINI_AGENT_TOOL_BACKEND": "local"}
OURS = "import sys; print(sorted(name for name in sys.modules if name.startswith('mini_agent')))"


@pytest.mark.parametrize("said", ["true", "Yes", " 1 "])
def test_there_are_several_ways_to_say_yes(printed: Program, said: str) -> None:
    assert "mini_agent.provider.import_hook" in printed(OURS, LITELLM_ENABLE_MINI_AGENT=said)


@pytest.mark.parametrize("said", ["0", "false", "off", " "])
def test_every_other_word_is_a_no(printed: Program, said: str) -> None:
    assert "mini_agent.provider.import_hook" not in printed(OURS, LITELLM_ENABLE_MINI_AGENT=said)


def test_where_it_is_not_set_nothing_of_ours_is_loaded(printed: Program) -> None:
    assert printed(f"import litellm; {OURS}") == "[]\n"


def test_a_start_of_python_that_arms_loads_next_to_nothing(printed: Program) -> None:
    rooms = ["mini_agent", "mini_agent.provider"]
    loaded = [*rooms, "mini_agent.provider.import_hook", "mini_agent.provider.startup"]
    assert printed(OURS, LITELLM_ENABLE_MINI_AGENT="1") == f"{loaded}\n"


def test_the_entry_point_for_newer_pythons_arms_as_well(printed: Program, stock: Path) -> None:
    (start,) = stock.parent.glob("lib/python*/site-packages/mini-agent-litellm.start")
    program = f"""
import os, pkgutil
os.environ["LITELLM_ENABLE_MINI_AGENT"] = "1"
pkgutil.resolve_name({start.read_text().strip()!r})()
{OURS}"""
    assert "mini_agent.provider.import_hook" in printed(program)


def test_nothing_of_litellm_is_changed_on_disk(printed: Program) -> None:
    assert printed(CHECKSUMS) == "[]\n"


CHECKSUMS = """
import base64, hashlib
from importlib.metadata import files
def digest(file):
    found = hashlib.new(file.hash.mode, file.read_binary()).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()
ours = [file for file in files("litellm") if file.suffix == ".py" and file.hash]
print([str(file) for file in ours if digest(file) != file.hash.value])
"""


# One program for all that needs LiteLLM imported, which takes seconds.
USED = """
import asyncio, importlib.resources, inspect, json, litellm, litellm.utils
from litellm.llms.custom_llm import CustomLLM, register_custom_provider
from litellm.experimental_mcp_client.mini_agent.litellm_mcp_mini_agent import (
    AgentConfig, LocalMCPInvoker, run_mcp_mini_agent
)

def words(response):
    return response.choices[0].message.content

class Parrot(CustomLLM):
    def completion(self, **call):
        response = call["model_response"]
        response.choices[0].message.content = call["messages"][-1]["content"]
        return response

told = {}
told["known"] = ["mini-agent" in litellm.provider_list, "mini-agent" in litellm._custom_providers]
loaders = litellm.__loader__, litellm.__spec__.loader
told["loaders"] = [type(loader).__name__ for loader in loaders]
told["source"] = inspect.getsourcefile(litellm.utils)[-16:]
told["is folder"] = importlib.resources.files("litellm").is_dir()

asked = [{"role": "user", "content": "What is 6 * 7? Use Python."}]
told["bare"] = words(litellm.completion("mini-agent", asked, target_model="ollama/m"))
deployment = {"model": "mini-agent", "custom_llm_provider": "mini-agent"}
deployment["target_model"] = "ollama/m"
router = litellm.Router(model_list=[{"model_name": "agent", "litellm_params": deployment}])
told["router"] = words(router.completion("agent", asked))
told["router, async"] = words(asyncio.run(router.acompletion("agent", asked)))
litellm.custom_provider_map = []
told["registry replaced"] = words(litellm.completion("mini-agent/ollama/m", asked))
ran = run_mcp_mini_agent(asked, mcp=LocalMCPInvoker(), cfg=AgentConfig(model="ollama/m"))
told["loop"] = [ran.final_answer, ran.stopped_reason]
register_custom_provider("parrot", Parrot)
told["parrot"] = words(litellm.completion("parrot/x", [{"role": "user", "content": "hey"}]))
told["parrot is known"] = "parrot" in litellm.provider_list
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one program saw of LiteLLM with the variable set."""
    with ScriptedServer(SIX_TIMES_SEVEN * 5) as server:
        folder = tmp_path_factory.mktemp("used")
        said = said_by(stock, folder, USED, **LOCAL, OLLAMA_API_BASE=server.url)
    seen: dict[str, object] = json.loads(said)
    return seen


def test_where_it_is_set_litellm_knows_the_provider(told: dict[str, object]) -> None:
    assert told["known"] == [True, True]


def test_litellms_own_modules_look_untouched(told: dict[str, object]) -> None:
    assert told["loaders"] == ["SourceFileLoader", "SourceFileLoader"]
    assert (told["source"], told["is folder"]) == ("litellm/utils.py", True)


@pytest.mark.parametrize("way", ["bare", "router", "router, async", "registry replaced"])
def test_the_name_is_a_model_everywhere(told: dict[str, object], way: str) -> None:
    assert told[way] == "It is 42."


def test_the_loop_can_be_had_from_within_litellm(told: dict[str, object]) -> None:
    assert told["loop"] == ["It is 42.", "success"]


def test_a_provider_of_ones_own_can_be_registered(told: dict[str, object]) -> None:
    assert (told["parrot"], told["parrot is known"]) == ("hey", True)


LATE = """
import litellm
from litellm.utils import get_llm_provider
import mini_agent
mini_agent.install()
import litellm.llms.mini_agent
from litellm.experimental_mcp_client.mini_agent.call_wrapper import arouter_call
print(litellm.llms.mini_agent.MiniAgentLLM is mini_agent.MiniAgentLLM)
print(litellm.get_llm_provider("mini-agent")[:2], litellm.utils.get_llm_provider("mini-agent")[:2])
"""


def test_installing_by_hand_after_the_import_comes_to_the_same(printed: Program) -> None:
    assert printed(LATE) == "True\n('default', 'mini-agent') ('default', 'mini-agent')\n"
