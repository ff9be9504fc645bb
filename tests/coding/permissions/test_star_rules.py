"""Rules with a star: what they cover of a program, by the table of programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mini_agent.coding.permissions.policy import Allow, Ask, PermissionPolicy
from mini_agent.coding.permissions.programs import load_programs
from mini_agent.coding.permissions.scripts import is_safe_awk, is_safe_sed
from mini_agent.coding.tools.context import ToolContext
from tests.coding.permissions import star_lines, star_variants
from tests.coding.permissions.conftest import parse_rules

TABLES = (star_lines, star_variants)
MORE = [(rule, x) for each in TABLES for rule, lines in each.MORE.items() for x in lines]
COVERED = [(rule, x) for each in TABLES for rule, lines in each.COVERED.items() for x in lines]


@pytest.fixture
def project(project: Path) -> Path:
    for repository in (project, project / "sub"):
        (repository / ".git").mkdir(parents=True)
    (project / "bare.git" / "objects").mkdir(parents=True)
    (project / "bare.git" / "HEAD").write_text("ref: refs/heads/main\n")
    (project / "payload" / ".claude").mkdir(parents=True)
    (project / "worktree").mkdir()
    (project / "worktree" / ".git").write_text("gitdir: ../elsewhere\n")
    (project / "link").symlink_to("sub")
    return project


def allowing(context: ToolContext, *rules: str) -> PermissionPolicy:
    return PermissionPolicy(context, parse_rules(allow=rules))


@pytest.mark.parametrize(("rule", "line"), MORE)
def test_a_call_that_may_start_or_write_is_asked_for(
    context: ToolContext, rule: str, line: str
) -> None:
    assert isinstance(allowing(context, rule).decide("Bash", {"command": line}), Ask)


@pytest.mark.parametrize(("rule", "line"), COVERED)
def test_a_call_that_does_what_the_program_is_for_is_allowed(
    context: ToolContext, rule: str, line: str
) -> None:
    assert allowing(context, rule).decide("Bash", {"command": line}) == Allow()


@pytest.mark.parametrize("line", [x for lines in star_lines.MORE.values() for x in lines[:2]])
def test_always_is_for_the_line_that_was_seen(context: ToolContext, line: str) -> None:
    permissions = PermissionPolicy(context)
    asked = permissions.decide("Bash", {"command": line})
    assert isinstance(asked, Ask)
    permissions.remember(asked.suggested_rule)
    assert permissions.decide("Bash", {"command": line}) == Allow()
    assert isinstance(permissions.decide("Bash", {"command": f"{line} x"}), Ask)
    assert isinstance(permissions.decide("Bash", {"command": f"{line}\ntouch x"}), Ask)


@pytest.mark.parametrize("rule", ["Bash(git status)", "Bash(git *)"])
def test_git_is_asked_for_where_the_shell_is_in_another_repository(
    context: ToolContext, project: Path, rule: str
) -> None:
    permissions = allowing(context, rule)
    assert permissions.decide("Bash", {"command": "git status"}) == Allow()
    context.shell._cwd = project / "sub"
    assert isinstance(permissions.decide("Bash", {"command": "git status"}), Ask)


def test_every_program_names_the_manual_it_was_read_from() -> None:
    assert all(program.manual for program in load_programs().values())


def test_no_program_has_two_entries() -> None:
    programs = load_programs()
    names = [*programs, *(name for program in programs.values() for name in program.aliases)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    "script",
    [
        "p",
        "1,5p",
        "$!d",
        "/a/,/b/{s/x/y/g;p}",
        "/a\\/e/Ip",
        "\\,a,p",
        "s/a/b/;s,c,d,2p",
        "y/abc/xyz/",
        ":a;N;$!ba;s/\\n/ /g",
        "1i\\\ntext; e x",
        "$a text; w x",
        "0~3d",
        "2,+3p",
        "1!G;h;$!d",
        "# e touch x",
        "5q",
        "s/[a-z]*/x/",
        "n;d",
    ],
)
def test_a_script_of_sed_that_only_edits_its_input_is_known(script: str) -> None:
    assert is_safe_sed(script)


@pytest.mark.parametrize(
    "script",
    [
        "e",
        "e x",
        "1e x",
        "1,5e x",
        "/a/e x",
        "/a/Ie x",
        "\\,a,e x",
        "\\xaxe x",
        "$!{e x\n}",
        "p;e x",
        "p\ne x",
        "{p;e x\n}",
        "1 ! e x",
        "s/a/b/e",
        "s/a/b/ge",
        "s/a/b/w x",
        "s/a/b/2we",
        "s|a|b|e",
        "s1a1b1e",
        "sxaxbxe",
        "s a b e",
        "s/[/]/b/;e x",
        "s/\\//b/e",
        "y/a/b/;w x",
        "w x",
        "W x",
        "r x",
        "R x",
        "a\\\ntext\ne x",
        "a text\ne x",
        "# x\ne x",
        ":a;e x",
        "b a;e x",
        "l 5;e x",
        "q5;e x",
        "0~3e x",
        "2,+3e x",
        "2,~4w x",
        "s/a/b/\n;;e x",
        "s/a",
        "k",
    ],
)
def test_a_script_of_sed_that_does_more_is_not(script: str) -> None:
    assert not is_safe_sed(script)


@pytest.mark.parametrize(
    "script", ["{print $1}", "/a|b/", "$3 > 5 {print}", "NR % 2", 'BEGIN {FS=","} {n += $2}']
)
def test_a_program_of_awk_that_only_prints_is_known(script: str) -> None:
    assert is_safe_awk(script)


@pytest.mark.parametrize(
    "script",
    [
        'BEGIN {system("x")}',
        'BEGIN {"x" | getline}',
        '{print | "x"}',
        '{print > "x"}',
        '{printf "a" >> "x"}',
        '{print ";" | "x"}',
        '@load "x"',
        '{f = "x"; @f()}',
        'BEGIN {sys\\\ntem("x")}',
    ],
)
def test_a_program_of_awk_that_does_more_is_not(script: str) -> None:
    assert not is_safe_awk(script)
