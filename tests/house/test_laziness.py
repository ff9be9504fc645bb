"""What is slow to import is imported by the function that needs it, and not before."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.house.test_files import ROOT, tracked

SLOW = (
    "PIL",
    "docker",
    "jsonschema",
    "litellm",
    "mcp",
    "opentelemetry.sdk",
    "redis",
    "referencing",
    "xllamacpp",
)
WEB = ("fastapi", "httpx", "pydantic")
HELP = """
import contextlib, io, sys
from mini_agent.cli.main import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main(["--help"])
"""


def loaded(program: str, names: Sequence[str]) -> str:
    printing = f"{program}\nimport sys; print(*(name for name in {names} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", printing], capture_output=True, text=True, timeout=150, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "program",
    ["import mini_agent", "import mini_agent.testing", HELP],
    ids=["package", "testing", "help"],
)
def test_the_package_and_its_help_load_nothing_slow(program: str) -> None:
    assert loaded(program, (*SLOW, *WEB)) == ""


@pytest.mark.parametrize("module", ["mini_agent.sandbox", "mini_agent.agent.run"])
def test_the_loop_and_the_words_of_the_sandbox_need_pydantic_alone(module: str) -> None:
    assert loaded(f"import {module}", (*SLOW, *WEB)) == "pydantic"


def test_the_sidecar_loads_nothing_slow_beside_its_web_server() -> None:
    assert loaded("import codex_sidecar.app", (*SLOW, *WEB)) == "fastapi pydantic"


def test_the_shim_loads_the_mcp_sdk_that_it_serves_and_nothing_else_slow() -> None:
    assert loaded("import mini_agent_shim.app", SLOW) == "mcp"


@pytest.mark.parametrize(
    "module",
    [
        "models.cache",
        "models.capabilities",
        "models.litellm",
        "provider.install",
        "provider.run",
    ],
)
def test_what_calls_litellm_loads_it_with_the_first_call(module: str) -> None:
    assert loaded(f"import mini_agent.{module}", SLOW) == ""


@pytest.mark.parametrize(
    "module",
    [
        "agent.images",
        "agent.structured_output",
        "cli.demo",
        "cli.run",
        "mcp.gateway.run_servers",
        "remote.discovery",
    ],
)
def test_what_a_command_may_not_need_it_does_not_load(module: str) -> None:
    assert loaded(f"import mini_agent.{module}", SLOW) == ""


def test_only_files_that_are_loaded_late_themselves_import_it_at_their_top() -> None:
    importing = {
        (str(path.relative_to(ROOT)), name)
        for path in tracked("mini_agent/*.py", "shim/*.py", "sidecar/*.py")
        for name in _at_the_top(path)
        if name in SLOW and name != "mcp"
    }
    assert importing == {("mini_agent/agent/images/codec.py", "PIL")}


@pytest.mark.parametrize(
    ("package", "files"),
    [("litellm", {"cache.py", "litellm_runtime.py"}), ("docker", {"discovery.py"})],
)
def test_few_files_import_it_at_all(package: str, files: set[str]) -> None:
    importing = {
        path.name
        for path in tracked("mini_agent/*.py", "shim/*.py")
        if package in _imported(ast.walk(ast.parse(path.read_text())))
    }
    assert importing == files


def test_no_module_of_ours_is_imported_by_its_name_in_a_string() -> None:
    by_name = {
        str(path.relative_to(ROOT))
        for path in tracked("mini_agent/*.py", "shim/*.py", "sidecar/*.py")
        if "import_module(" in path.read_text()
    }
    # Tables of names: the packages' public ones, and those that stand before LiteLLM's own.
    assert by_name == {
        "mini_agent/__init__.py",
        "mini_agent/provider/registration.py",
        "mini_agent/provider/import_hook.py",
        "mini_agent/sandbox/__init__.py",
    }


def _at_the_top(path: Path) -> set[str]:
    return _imported(ast.parse(path.read_text()).body)


def _imported(nodes: Iterator[ast.AST] | Sequence[ast.AST]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
