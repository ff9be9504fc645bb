"""Rules: their syntax, and the calls they match."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent.coding.permissions.matching import denied_globs
from mini_agent.coding.permissions.policy import (
    Allow,
    Ask,
    Deny,
    PermissionPolicy,
)
from mini_agent.coding.permissions.rules import parse_rule
from mini_agent.coding.tools.context import ToolContext
from mini_agent.errors import BadRequest
from tests.coding.permissions.conftest import parse_rules


@pytest.mark.parametrize("text", ["", "(x)", "Bash(", "Bash()", "Bash(x", "a b", "Bash(x) y"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is no rule"):
        parse_rule(text)


@pytest.mark.parametrize("text", ["Bash", "Bash(git diff *)", "mcp__a__b", "Read(//x/(y))"])
def test_a_rule_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_rule(text)) == text


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("git diff *", "git diff"),
        ("git diff *", "git diff --stat 'a b'"),
        ("git diff:*", "git diff HEAD"),
        ("npm run test", "npm run test"),
        ("git * main", "git push origin main"),
        ("git *", "git add . && git commit -m 'x; y' | git log"),
        ("npm test *", "npm test 2>&1 >/dev/null"),
        ("echo $(date) > x", "echo $(date) > x"),
        ("git diff *", "cd src && git diff"),
        ("git diff *", "cd ./src; git diff"),
    ],
)
def test_a_command_line_is_covered(context: ToolContext, spec: str, line: str) -> None:
    allowing = PermissionPolicy(context, parse_rules(allow=[f"Bash({spec})"]))
    assert allowing.decide("Bash", {"command": line}) == Allow()


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("git diff *", "git difftool"),
        ("git diff *", "git diff && rm x"),
        ("git diff *", "git diff; rm x"),
        ("git diff *", "git diff | sh"),
        ("git diff *", "git diff\nrm x"),
        ("git diff *", "git diff & rm x"),
        ("git diff *", "git diff $(rm x)"),
        ("git diff *", "git diff `rm x`"),
        ("git diff *", 'git diff "$(rm x)"'),
        ("git diff *", "git diff <(rm x)"),
        ("git diff *", "git diff > /etc/passwd"),
        ("git diff *", "git diff >> ~/.bashrc"),
        ("git diff *", "PAGER='rm x' git diff"),
        ("git diff *", "LD_PRELOAD=x git diff"),
        ("git diff *", "(rm x)"),
        ("git diff *", "git diff # x"),
        ("git diff *", "git diff <<E\nrm x\nE"),
        ("git diff:*", "git diffx"),
        ("ls", "ls -l"),
        ("git diff *", "cd /etc && git diff"),
        ("git diff *", "cd .. && git diff"),
        ("git diff *", "cd $HOME && git diff"),
        ("git diff *", "cd src && cd src && git diff"),
        ("git diff *", "cd src && rm x"),
        ("git diff *", "cd src"),
    ],
)
def test_a_command_line_is_not_covered(context: ToolContext, spec: str, line: str) -> None:
    allowing = PermissionPolicy(context, parse_rules(allow=[f"Bash({spec})"]))
    assert isinstance(allowing.decide("Bash", {"command": line}), Ask)


@pytest.mark.parametrize(
    "line",
    [
        "rm x",
        "true && rm x",
        "echo $(rm x)",
        "echo `rm x`",
        'bash -c "rm x"',
        "sudo rm x",
        "ls | xargs rm",
        "env A=1 rm x",
        "if true; then rm x; fi",
        "for f in *; do rm $f; done",
        "A=1 rm x",
        "(rm x)",
        "diff <(rm x) y",
        "/bin/rm x",
        "\\rm x",
        "find . -exec /bin/rm {} ;",
        "eval rm x",
        "! rm x",
    ],
)
def test_a_denied_command_is_found_wherever_it_stands(context: ToolContext, line: str) -> None:
    denying = PermissionPolicy(context, parse_rules(deny=["Bash(rm *)"]), "bypassPermissions")
    assert isinstance(denying.decide("Bash", {"command": line}), Deny)


@pytest.mark.parametrize("line", ["git rm x", "echo rm", "rmdir x", "npm run rm"])
def test_a_denied_command_is_not_found_in_other_words(context: ToolContext, line: str) -> None:
    denying = PermissionPolicy(context, parse_rules(deny=["Bash(rm *)"]), "bypassPermissions")
    assert denying.decide("Bash", {"command": line}) == Allow()


@pytest.mark.parametrize(
    ("rule", "tool", "path"),
    [
        ("Read(.env)", "Read", ".env"),
        ("Read(.env)", "Read", "deep/down/.env"),
        ("Read(.env)", "Grep", "deep/.env"),
        ("Read(secrets/**)", "Read", "secrets/a/b"),
        ("Read(./secrets)", "LS", "secrets"),
        ("Read(/secrets/)", "Read", "secrets/a"),
        ("Read(*.key)", "Read", "a/b.key"),
        ("Read(//etc/**)", "Read", "/etc/passwd"),
        ("Read(~/.ssh/**)", "Read", "~/.ssh/id_rsa"),
        ("Edit(/src/**)", "Write", "src/x.py"),
        ("Read(src)", "Read", "src/../src/./a.py"),
    ],
)
def test_a_rule_speaks_of_a_path(context: ToolContext, rule: str, tool: str, path: str) -> None:
    arguments: dict[str, dict[str, JsonValue]] = {
        "Read": {"file_path": path},
        "Write": {"file_path": path, "content": ""},
        "LS": {"path": path},
        "Grep": {"path": path, "pattern": "x"},
    }
    denying = PermissionPolicy(context, parse_rules(deny=[rule]), "bypassPermissions")
    assert isinstance(denying.decide(tool, arguments[tool]), Deny)
    assert denying.decide("Read", {"file_path": "other.py"}) == Allow()


def test_a_denied_file_is_not_reached_by_a_link(context: ToolContext, project: Path) -> None:
    (project / ".env").write_text("KEY=1")
    (project / "innocent").symlink_to(".env")
    denying = PermissionPolicy(context, parse_rules(deny=["Read(.env)"]), "bypassPermissions")
    assert isinstance(denying.decide("Read", {"file_path": "innocent"}), Deny)


def test_a_link_that_is_allowed_does_not_allow_what_is_behind_it(
    context: ToolContext, project: Path
) -> None:
    (project / "src" / "out").symlink_to("/etc")
    allowing = PermissionPolicy(context, parse_rules(allow=["Edit(/src/**)"]))
    assert isinstance(allowing.decide("Write", {"file_path": "src/out/x", "content": ""}), Ask)


def test_a_tool_without_more_is_allowed_in_the_project_alone(context: ToolContext) -> None:
    allowing = PermissionPolicy(context, parse_rules(allow=["Read", "Write", "Bash"]))
    assert allowing.decide("Write", {"file_path": "x", "content": ""}) == Allow()
    assert allowing.decide("Bash", {"command": "anything > /x"}) == Allow()
    outside = {"file_path": "/etc/x", "content": ""}
    assert isinstance(allowing.decide("Write", {**outside}), Ask)


def test_rules_for_the_tools_of_others_and_of_hosts_and_agents(context: ToolContext) -> None:
    allowing = PermissionPolicy(
        context,
        parse_rules(
            deny=["Task(wild)", "mcp__files__delete"],
            allow=["mcp__files", "WebFetch(domain:*.example.com)"],
        ),
    )
    assert allowing.decide("mcp__files__read", {}) == Allow()
    assert isinstance(allowing.decide("mcp__files__delete", {}), Deny)
    assert isinstance(allowing.decide("mcp__files2__read", {}), Ask)
    fetch = {"prompt": "p"}
    good = "https://docs.example.com/x"
    assert allowing.decide("WebFetch", {**fetch, "url": good}) == Allow()
    bad = "https://docs.example.com.evil.example/x"
    assert isinstance(allowing.decide("WebFetch", {**fetch, "url": bad}), Ask)
    tricky = "https://docs.example.com@evil.example/"
    assert isinstance(allowing.decide("WebFetch", {**fetch, "url": tricky}), Ask)
    task = {"description": "d", "prompt": "p", "subagent_type": "wild"}
    assert isinstance(allowing.decide("Task", {**task}), Deny)


def test_what_must_not_be_read_is_hidden_from_searches(context: ToolContext, project: Path) -> None:
    hidden = denied_globs(parse_rules(deny=["Read(.env)", "Read(secrets/)", "Read"]), context)
    assert hidden == (
        f"{project}/**/.env",
        f"{project}/**/.env/**",
        f"{project}/**/secrets",
        f"{project}/**/secrets/**",
    )
