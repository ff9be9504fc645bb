"""What is imported is declared, and what is declared is used, by each package that is installed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.test_files import ROOT, tracked

OURS = {
    *("mini_agent", "mini_agent_protocol", "mini_agent_shim", "codex_sidecar"),
    *("bench", "sandbox_runner", "tests"),
}
OWN_TREES = {"stand_in", "train"}
OUR_PACKAGES = {"codex-sidecar", "mini-agent", "mini-agent-protocol", "mini-agent-shim"}
# What is compared with is installed for the comparison alone.
OTHERS = (":!bench/peer*", ":!bench/agents")
BY_NAME = ("import_module",)
# Used, but never imported by us: by whom instead.
USED_OTHERWISE = {
    "httptools": "uvicorn, which is told to",
    "coverage": "by hand",
    "import-linter": "make check",
    "lxml": "Beautiful Soup, which is told to",
    "mypy": "make check",
    "opentelemetry-exporter-otlp-proto-http": "as opentelemetry, where spans are sent",
    "opentelemetry-sdk": "as opentelemetry, where spans are sent",
    "ruff": "make check",
    "types-docker": "mypy",
    "types-pyyaml": "mypy",
    "pypdfium2": "the program that reads a PDF in a process of its own",
    "pytest-asyncio": "pytest",
    "pytest-timeout": "pytest",
    "pytest-xdist": "scripts/test",
    "uv": "scripts/venv",
}
# Several distributions have a part of it; the API is what is imported at the top.
SHARED = {"opentelemetry": "opentelemetry-api"}
FOR_PROGRAMS_OF_MODELS = "science"


@dataclass(frozen=True)
class Member:
    """One list of dependencies and the files that it is for."""

    project: str
    trees: tuple[str, ...]
    extras: bool = False
    dev: bool = False

    def declared(self) -> set[str]:
        """The distributions on the list."""
        read = tomllib.loads((ROOT / self.project).read_text())
        optional = read["project"].get("optional-dependencies", {})
        wanted = list(read["project"]["dependencies"])
        for extra, requirements in optional.items():
            if self.extras and extra != FOR_PROGRAMS_OF_MODELS:
                wanted += requirements
        wanted += read["dependency-groups"]["dev"] if self.dev else []
        return {_normal(re.split(r"[\[<>=;~! ]", each)[0]) for each in wanted} - OUR_PACKAGES

    def imported(self) -> set[str]:
        """The distributions that the files import, at the top or by name."""
        known = packages_distributions()
        modules = {name for path in tracked(*self.trees) for name in _modules(path)}
        foreign = modules - OURS - OWN_TREES - set(sys.stdlib_module_names)
        return {SHARED.get(name) or _normal(known.get(name, [name])[0]) for name in foreign}


LIBRARY = Member("pyproject.toml", ("mini_agent/*.py",), extras=True)
SHIM = Member("shim/pyproject.toml", ("shim/*.py",))
SIDECAR = Member("sidecar/pyproject.toml", ("sidecar/*.py",))
PROTOCOL = Member("protocol/pyproject.toml", ("protocol/*.py",), extras=True)
TESTS = Member(
    "pyproject.toml", ("tests/*.py", "bench/*.py", *OTHERS, *LIBRARY.trees), extras=True, dev=True
)


each_member = pytest.mark.parametrize(
    "member",
    [LIBRARY, PROTOCOL, SHIM, SIDECAR, TESTS],
    ids=["library", "protocol", "shim", "sidecar", "tests"],
)


@each_member
def test_what_is_imported_is_declared(member: Member) -> None:
    assert member.imported() - member.declared() == set()


@each_member
def test_what_is_declared_is_used(member: Member) -> None:
    assert member.declared() - member.imported() - set(USED_OTHERWISE) == set()


def _modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and _name(node.func) in BY_NAME and node.args:
            yield from _literal(node.args[0])


def _literal(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value.split(".")[0]


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
