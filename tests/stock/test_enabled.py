"""LITELLM_ENABLE_MINI_AGENT before `import litellm`, as a user of the wheel has it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.replies import Scripted
from tests.stock.conftest import Program, environment

SIX_TIMES_SEVEN: list[Scripted | str] = [call("exec_python", code="print(6 * 7)"), "It is 42."]
LOCAL = {"LITELLM_ENABLE_MINI_AGENT": "1", "LITELLM_MINI_AGENT_TOOL_BACKEND": "local"}
MESSAGES = 'messages = [{"role": "user", "content": "What is 6 * 7? Use Python."}]\n'

KNOWN = """
import sys, litellm
print("mini-agent" in litellm.provider_list, "mini_agent" in sys.modules)
"""


OURS = "import sys; print(sorted(name for name in sys.modules if name.startswith('mini_agent')))"


def test_where_it_is_set_litellm_knows_the_provider(printed: Program) -> None:
    assert printed(KNOWN, LITELLM_ENABLE_MINI_AGENT="1") == "True True\n"


@pytest.mark.parametrize("said", ["true", "Yes", " 1 "])
def test_there_are_several_ways_to_say_yes(printed: Program, said: str) -> None:
    assert "mini_agent.litellm_hook" in printed(OURS, LITELLM_ENABLE_MINI_AGENT=said)


@pytest.mark.parametrize("said", ["0", "false", "off", " "])
def test_every_other_word_is_a_no(printed: Program, said: str) -> None:
    assert "mini_agent.litellm_hook" not in printed(OURS, LITELLM_ENABLE_MINI_AGENT=said)


def test_where_it_is_not_set_nothing_of_ours_is_loaded(printed: Program) -> None:
    assert printed(f"import litellm; {OURS}") == "[]\n"


def test_a_start_of_python_that_arms_loads_next_to_nothing(printed: Program) -> None:
    loaded = "['mini_agent', 'mini_agent.litellm_hook', 'mini_agent.litellm_start']\n"
    assert printed(OURS, LITELLM_ENABLE_MINI_AGENT="1") == loaded


def test_the_entry_point_for_newer_pythons_arms_as_well(printed: Program, stock: Path) -> None:
    (start,) = stock.parent.glob("lib/python*/site-packages/mini-agent-litellm.start")
    program = f"""
import os, pkgutil
os.environ["LITELLM_ENABLE_MINI_AGENT"] = "1"
pkgutil.resolve_name({start.read_text().strip()!r})()
{KNOWN}"""
    assert printed(program) == "True True\n"


def test_nothing_of_litellm_is_changed_on_disk(stock: Path) -> None:
    checked = subprocess.run(
        [stock / "python", "-c", CHECKSUMS],
        env=environment(stock),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert checked.stdout == "[]\n"


CHECKSUMS = """
import base64, hashlib
from importlib.metadata import files
def digest(file):
    found = hashlib.new(file.hash.mode, file.read_binary()).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()
ours = [file for file in files("litellm") if file.suffix == ".py" and file.hash]
print([str(file) for file in ours if digest(file) != file.hash.value])
"""


def test_litellms_own_modules_look_untouched(printed: Program) -> None:
    program = """
import importlib.resources, inspect, litellm, litellm.utils
print(type(litellm.__loader__).__name__, type(litellm.__spec__.loader).__name__)
print(inspect.getsourcefile(litellm.utils)[-16:], importlib.resources.files("litellm").is_dir())
"""
    said = printed(program, **LOCAL).splitlines()
    assert said == ["SourceFileLoader SourceFileLoader", "litellm/utils.py True"]


def test_the_bare_name_is_a_model(printed: Program) -> None:
    program = f"""
import litellm
{MESSAGES}
response = litellm.completion(model="mini-agent", messages=messages, target_model="ollama/m")
print(response.choices[0].message.content)
"""
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        assert printed(program, **LOCAL, OLLAMA_API_BASE=server.url) == "It is 42.\n"


def test_a_router_takes_the_bare_name_both_ways(printed: Program) -> None:
    program = f"""
import asyncio, litellm
{MESSAGES}
deployment = {{"model": "mini-agent", "custom_llm_provider": "mini-agent"}}
deployment["target_model"] = "ollama/m"
router = litellm.Router(model_list=[{{"model_name": "agent", "litellm_params": deployment}}])
print(router.completion("agent", messages).choices[0].message.content)
response = asyncio.run(router.acompletion("agent", messages))
print(response.choices[0].message.content)
"""
    with ScriptedServer([*SIX_TIMES_SEVEN, *SIX_TIMES_SEVEN]) as server:
        said = printed(program, **LOCAL, OLLAMA_API_BASE=server.url)
    assert said == "It is 42.\nIt is 42.\n"


def test_a_provider_of_ones_own_can_be_registered(printed: Program) -> None:
    program = """
import litellm
from litellm.llms.custom_llm import CustomLLM, register_custom_provider
class Parrot(CustomLLM):
    def completion(self, **call):
        response = call["model_response"]
        response.choices[0].message.content = call["messages"][-1]["content"]
        return response
register_custom_provider("parrot", Parrot)
said = litellm.completion(model="parrot/x", messages=[{"role": "user", "content": "hey"}])
print(said.choices[0].message.content, "parrot" in litellm.provider_list)
"""
    assert printed(program, **LOCAL) == "hey True\n"


def test_the_loop_can_be_had_from_within_litellm(printed: Program) -> None:
    program = f"""
from litellm.experimental_mcp_client.mini_agent.litellm_mcp_mini_agent import (
    AgentConfig, LocalMCPInvoker, run_mcp_mini_agent
)
{MESSAGES}
result = run_mcp_mini_agent(messages, mcp=LocalMCPInvoker(), cfg=AgentConfig(model="ollama/m"))
print(result.final_answer, result.stopped_reason)
"""
    with ScriptedServer(SIX_TIMES_SEVEN) as server:
        said = printed(program, **LOCAL, OLLAMA_API_BASE=server.url)
    assert said == "It is 42. success\n"


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
