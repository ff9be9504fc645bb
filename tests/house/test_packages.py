"""What every package of ours has for those who install it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest

from tests.house.test_files import ROOT


@pytest.mark.parametrize(
    "package",
    ["mini_agent", "protocol/mini_agent_protocol", "shim/mini_agent_shim", "sidecar/codex_sidecar"],
)
def test_a_type_checker_may_believe_its_annotations(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize(
    ("member", "package"),
    [
        (".", "mini_agent"),
        ("protocol", "mini_agent_protocol"),
        ("shim", "mini_agent_shim"),
        ("sidecar", "codex_sidecar"),
    ],
)
def test_a_wheel_holds_its_own_package_alone(member: str, package: str) -> None:
    project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [package]


def test_the_package_run_as_a_program_is_the_command_line() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "mini_agent", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert printed.stdout == f"{version('mini-agent')}\n"
