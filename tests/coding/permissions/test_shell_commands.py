"""Every construct of the shell that can hold a command, and lines that cannot be parsed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mini_agent.coding.permissions.policy import Ask, Deny, PermissionPolicy
from mini_agent.coding.tools.context import ToolContext
from mini_agent.tools.shell_parser import parse_line
from tests.coding.permissions.conftest import parse_rules

CONSTRUCTS = [
    "f() { rm b; }",
    "function f { rm b; }",
    "if rm b; then git log; fi",
    "if git log; then git log; else rm b; fi",
    "while rm b; do git log; done",
    "until git log; do rm b; done",
    "for x in a; do rm b; done",
    "for x in $(rm b); do git log; done",
    "case a in a) rm b;; esac",
    "case $(rm b) in a) git log;; esac",
    "(rm b)",
    "git log $(rm b)",
    "git log `rm b`",
    "git log <(rm b)",
    "git log | rm b",
    "git log && rm b",
    "git log || rm b",
    "git log; rm b",
    "git log & rm b",
    "cat <<E\na $(rm b)\nE",
    "cat <<E\n`rm b`\nE",
    "cat <<-E\n\t$(rm b)\n\tE",
    "echo $((1 + $(rm b)))",
    "((x = $(rm b)))",
    "[[ -f $(rm b) ]]",
    "coproc rm b",
    "coproc N { rm b; }",
    "! rm b",
    "A=1 rm b",
    "A=$(rm b) git log",
    "git log > $(rm b)",
    "git log > x$(rm b)",
    "cat <<< $(rm b)",
    "export A=$(rm b)",
    "a=($(rm b))",
    "echo ${x:-$(rm b)}",
    "echo ${a[$(rm b)]}",
]
UNCLEAR = ["$x b", "git$x log", "git log '", "git log >", "fi", "git log \r", "git log ==\nrm b"]


@pytest.mark.parametrize("line", CONSTRUCTS)
def test_a_command_is_denied_in_every_construct(context: ToolContext, line: str) -> None:
    denying = PermissionPolicy(context, parse_rules(deny=["Bash(rm *)"]), "bypassPermissions")
    assert isinstance(denying.decide("Bash", {"command": line}), Deny)


@pytest.mark.parametrize("line", CONSTRUCTS)
def test_a_command_is_asked_for_in_every_construct(context: ToolContext, line: str) -> None:
    allowing = PermissionPolicy(context, parse_rules(allow=["Bash(git *)"]))
    assert isinstance(allowing.decide("Bash", {"command": line}), Ask)


@pytest.mark.parametrize("line", UNCLEAR)
def test_a_line_that_is_not_understood_is_asked_for(context: ToolContext, line: str) -> None:
    assert not parse_line(line).is_static
    allowing = PermissionPolicy(context, parse_rules(allow=["Bash(git *)"]))
    assert isinstance(allowing.decide("Bash", {"command": line}), Ask)


def test_the_help_loads_no_grammar() -> None:
    program = (
        "import sys; from mini_agent.cli.main import main; sys.argv = ['mini-agent', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit('tree_sitter' in sys.modules or 'tree_sitter_bash' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 0
