"""Which calls are allowed, denied, or put to the user."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from pydantic import JsonValue

from mini_agent.coding.options import PermissionMode
from mini_agent.coding.permissions.policy import (
    Allow,
    Ask,
    Deny,
    PermissionPolicy,
)
from mini_agent.coding.tools.context import ToolContext
from tests.coding.permissions.conftest import parse_rules

EDIT: dict[str, JsonValue] = {"file_path": "src/a.py", "old_string": "1", "new_string": "3"}
NOTEBOOK: dict[str, JsonValue] = {"notebook_path": "src/a.ipynb", "new_source": "1"}
HARMLESS: list[tuple[str, dict[str, JsonValue]]] = [
    ("Read", {"file_path": "src/a.py"}),
    ("Grep", {"pattern": "x"}),
    ("Glob", {"pattern": "**/*.py"}),
    ("LS", {"path": "src"}),
    ("TodoWrite", {"todos": []}),
    ("Task", {"description": "d", "prompt": "p", "subagent_type": "t"}),
    ("ExitPlanMode", {"plan": "p"}),
    ("BashOutput", {"bash_id": "bash_1"}),
]
CHANGING: list[tuple[str, dict[str, JsonValue]]] = [
    ("Edit", EDIT),
    ("Write", {"file_path": "new.py", "content": ""}),
    ("MultiEdit", {"file_path": "src/a.py", "edits": [{"old_string": "1", "new_string": "3"}]}),
    ("NotebookEdit", {"notebook_path": "n.ipynb", "new_source": "", "cell_id": "a"}),
    ("Bash", {"command": "ls"}),
    ("mcp__files__write", {"path": "x"}),
]
REACHING: list[tuple[str, dict[str, JsonValue]]] = [
    ("WebFetch", {"url": "https://a.example/x", "prompt": "p"}),
    ("WebSearch", {"query": "secret"}),
]
OUTSIDE: list[tuple[str, dict[str, JsonValue]]] = [
    ("Read", {"file_path": "/etc/passwd"}),
    ("Read", {"file_path": "~/.ssh/id_rsa"}),
    ("Read", {"file_path": "src/../../x"}),
    ("Grep", {"pattern": "x", "path": "/etc"}),
    ("Glob", {"pattern": "/etc/*"}),
    ("Glob", {"pattern": "../*"}),
    ("LS", {"path": "/"}),
]


@pytest.mark.parametrize("mode", get_args(PermissionMode))
@pytest.mark.parametrize(("tool", "arguments"), HARMLESS)
def test_looking_round_is_allowed_in_every_mode(
    permissions: PermissionPolicy, mode: PermissionMode, tool: str, arguments: dict[str, JsonValue]
) -> None:
    permissions.mode = mode
    assert permissions.decide(tool, arguments) == Allow()


@pytest.mark.parametrize(("tool", "arguments"), [*CHANGING, *REACHING, *OUTSIDE])
def test_what_changes_reaches_out_or_lies_outside_is_asked_for(
    permissions: PermissionPolicy, tool: str, arguments: dict[str, JsonValue]
) -> None:
    assert isinstance(permissions.decide(tool, arguments), Ask)


@pytest.mark.parametrize(("tool", "arguments"), CHANGING)
def test_plan_mode_denies_what_changes_anything_whatever_is_allowed(
    context: ToolContext, tool: str, arguments: dict[str, JsonValue]
) -> None:
    allowing = PermissionPolicy(context, parse_rules(allow=[tool, "Bash(ls)", "Edit(/**)"]), "plan")
    decision = allowing.decide(tool, arguments)
    assert isinstance(decision, Deny)
    assert "plan mode" in decision.reason


def test_what_runs_in_a_sandbox_is_allowed_in_every_mode(context: ToolContext) -> None:
    for mode in get_args(PermissionMode):
        permissions = PermissionPolicy(
            context, mode=mode, isolated_tools=frozenset({"exec_python"})
        )
        assert permissions.decide("exec_python", {"code": "1"}) == Allow()


def test_plan_mode_knows_the_tools_of_others_that_only_read(context: ToolContext) -> None:
    planning = PermissionPolicy(
        context,
        parse_rules(allow=["mcp__files"]),
        "plan",
        read_only_tools=frozenset({"mcp__files__read"}),
    )
    assert planning.decide("mcp__files__read", {}) == Allow()
    assert isinstance(planning.decide("mcp__files__write", {}), Deny)


@pytest.mark.parametrize(("tool", "arguments"), [*CHANGING, *REACHING, *OUTSIDE])
def test_bypassing_asks_for_nothing(
    permissions: PermissionPolicy, tool: str, arguments: dict[str, JsonValue]
) -> None:
    permissions.mode = "bypassPermissions"
    assert permissions.decide(tool, arguments) == Allow()


def test_accepting_edits_is_for_files_in_the_project(permissions: PermissionPolicy) -> None:
    permissions.mode = "acceptEdits"
    assert permissions.decide("Edit", EDIT) == Allow()
    for tool, arguments in (
        ("Write", {"file_path": "/tmp/x", "content": ""}),
        ("Bash", {"command": "touch x"}),
    ):
        assert isinstance(permissions.decide(tool, {**arguments}), Ask)


@pytest.mark.parametrize(
    "path",
    [".git/hooks/pre-commit", ".claude/settings.local.json", ".mcp.json", "sub/.git/config"],
)
def test_files_that_start_commands_are_asked_for_all_the_same(
    context: ToolContext, path: str
) -> None:
    accepting = PermissionPolicy(context, parse_rules(allow=["Write", "Edit"]), "acceptEdits")
    assert isinstance(accepting.decide("Write", {"file_path": path, "content": ""}), Ask)


def test_a_link_leads_where_it_leads(permissions: PermissionPolicy, project: Path) -> None:
    (project / "out").symlink_to("/etc")
    (project / "round").symlink_to("round")
    permissions.mode = "acceptEdits"
    assert isinstance(permissions.decide("Read", {"file_path": "out/passwd"}), Ask)
    written = {"file_path": "out/new", "content": ""}
    assert isinstance(permissions.decide("Write", {**written}), Ask)
    assert permissions.decide("Read", {"file_path": "round"}) == Allow()


def test_additional_folders_are_like_the_project(project: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    permissions = PermissionPolicy(ToolContext.create(project, {}, (beside,)))
    assert permissions.decide("Read", {"file_path": f"{beside}/a"}) == Allow()


def test_deny_weighs_more_than_ask_and_ask_more_than_allow(context: ToolContext) -> None:
    weighed = PermissionPolicy(
        context,
        parse_rules(
            deny=["Bash(git push *)"], ask=["Bash(git commit *)"], allow=["Bash(git *)", "Bash"]
        ),
        "bypassPermissions",
    )
    denied = weighed.decide("Bash", {"command": "git push origin"})
    assert denied == Deny("Bash is denied here by the rule Bash(git push *).")
    assert isinstance(weighed.decide("Bash", {"command": "git commit -m x"}), Ask)
    assert weighed.decide("Bash", {"command": "git status"}) == Allow()


def test_where_nobody_can_be_asked_it_is_denied_with_the_reason(context: ToolContext) -> None:
    headless = PermissionPolicy(context, can_ask=False)
    decision = headless.decide("Bash", {"command": "git push origin main"})
    assert isinstance(decision, Deny)
    assert "nobody is there to be asked" in decision.reason
    assert "The rule Bash(git push origin main) would allow it" in decision.reason


def test_the_question_shows_what_would_change(permissions: PermissionPolicy, project: Path) -> None:
    asked = permissions.decide("Edit", EDIT)
    assert isinstance(asked, Ask)
    assert asked.question == f"Edit {project}/src/a.py?"
    assert asked.diff.endswith("@@ -1,3 +1,3 @@\n-x = 1\n+x = 3\n y = 2\n ")
    hopeless = permissions.decide("Edit", {**EDIT, "old_string": "none"})
    assert isinstance(hopeless, Ask)
    assert hopeless.diff.startswith("(it will not be made: String to replace not found")


@pytest.mark.parametrize(
    ("tool", "arguments", "always"),
    [
        ("Bash", {"command": "git commit -m 'a b'"}, "Bash(git commit -m 'a b')"),
        ("Bash", {"command": "rm -rf build"}, "Bash(rm -rf build)"),
        ("Bash", {"command": "git add . && rm x"}, "Bash(git add . && rm x)"),
        ("Bash", {"command": "echo $(date)"}, "Bash(echo $(date))"),
        ("Edit", EDIT, "Edit(/src/a.py)"),
        ("Read", {"file_path": "/etc/passwd"}, "Read(//etc/passwd)"),
        ("LS", {"path": "/etc"}, "LS(//etc/**)"),
        ("Grep", {"pattern": "x", "path": "/etc"}, "Grep(//etc/**)"),
        ("Glob", {"pattern": "*.conf", "path": "/etc"}, "Glob(//etc/**)"),
        ("NotebookEdit", NOTEBOOK, "Edit(/src/a.ipynb)"),
        ("WebFetch", {"url": "https://A.example/x", "prompt": "p"}, "WebFetch(domain:a.example)"),
        ("WebSearch", {"query": "xx"}, "WebSearch"),
        ("mcp__files__write", {"path": "x"}, "mcp__files__write"),
    ],
)
def test_always_allows_the_same_call_and_is_kept(
    context: ToolContext, tool: str, arguments: dict[str, JsonValue], always: str
) -> None:
    kept: list[str] = []
    permissions = PermissionPolicy(context, save_rule=lambda rule: kept.append(str(rule)))
    asked = permissions.decide(tool, arguments)
    assert isinstance(asked, Ask)
    assert str(asked.suggested_rule) == always
    permissions.remember(asked.suggested_rule)
    permissions.remember(asked.suggested_rule)
    assert permissions.decide(tool, arguments) == Allow()
    assert kept == [always]


def test_a_call_that_the_tool_refuses_itself_needs_no_question(
    permissions: PermissionPolicy,
) -> None:
    assert permissions.decide("Edit", {"file_path": 1}) == Allow()
    for path in ("a\0b", "\ud800", "x" * 300, "x/" * 4000):
        assert permissions.decide("Read", {"file_path": path}) == Allow()
        assert permissions.decide("Write", {"file_path": path, "content": ""}) == Allow()


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("Bash", {"cmd": "rm x"}),
        ("Read", {"path": "src/a.py"}),
        ("ExitPlanMode", {"plan": "p"}),
        ("Task", {"description": "d", "prompt": "p", "subagent_type": "t"}),
    ],
)
def test_a_servers_tool_with_the_name_of_one_of_ours_is_the_servers(
    context: ToolContext, tool: str, arguments: dict[str, JsonValue]
) -> None:
    of_others = PermissionPolicy(context, own_tools=frozenset())
    assert isinstance(of_others.decide(tool, arguments), Ask)
    of_others.mode = "plan"
    assert isinstance(of_others.decide(tool, arguments), Deny)


def test_where_the_shell_is_does_not_widen_the_project(
    context: ToolContext, project: Path, tmp_path: Path
) -> None:
    elsewhere = replace(context, project=project / "src")
    assert isinstance(
        PermissionPolicy(elsewhere).decide("Read", {"file_path": str(tmp_path / "x")}), Ask
    )
