"""The package's public names, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mini_agent

HEAVY = ("litellm", "docker", "httpx", "pydantic", "fastapi", "tree_sitter", "tree_sitter_bash")


def test_every_public_name_is_there() -> None:
    assert [name for name in mini_agent.__all__ if not hasattr(mini_agent, name)] == []
    assert dir(mini_agent) == sorted(mini_agent.__all__)


def test_a_name_it_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        mini_agent.Nonsense  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = f"import sys, mini_agent; print([name for name in {HEAVY} if name in sys.modules])"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, check=True
    )
    assert printed.stdout == "[]\n"


def test_the_loop_and_its_settings_do_without_litellm() -> None:
    program = (
        "import sys; from mini_agent import AgentConfig, LocalMCPInvoker, run_mcp_mini_agent; "
        "print('litellm' in sys.modules, 'docker' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, check=True
    )
    assert printed.stdout == "False False\n"
