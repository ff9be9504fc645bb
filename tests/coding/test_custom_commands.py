"""Slash commands in files: their names, arguments, command lines and files; also with -p."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from mini_agent.coding.custom_commands.template import (
    Arguments,
    CommandLine,
    FileReference,
    Text,
    fill_template,
)
from mini_agent.errors import BadRequest
from mini_agent.testing.scripted import ScriptedModel
from tests.coding.harness import Harness, run_command
from tests.coding.test_slash_commands import open_slash_session


def fill(template: str, argument: str) -> str:
    pieces = fill_template(template, Arguments.parse(argument))
    assert all(isinstance(piece, Text) for piece in pieces), pieces
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


@pytest.mark.parametrize(
    ("template", "argument", "prompt"),
    [
        ("Fix $ARGUMENTS now", '1 "two words"', 'Fix 1 "two words" now'),
        ("$1-$2-$3", "one 'two words' three", "one-two words-three"),
        ('"$1"', "'a b'", '"a b"'),
        ("$2 then $1", "a b", "b then a"),
        ("$1 of $2", "a", "a of "),
        ("$1$2", "a b", "ab"),
        ("($1.)", "a", "(a.)"),
        ("$ARGUMENTS[0]/$ARGUMENTS[1]", "a b", "a/b"),
        ("$0/$1", "a b", "a/b"),
        (r"\$1 is $1", "a", "$1 is a"),
        (r"\$ARGUMENTS is $ARGUMENTS", "a", "$ARGUMENTS is a"),
        (r"\\$1", "a", r"\a"),
        ("$HOME and $ARGUMENTSX and $", "", "$HOME and $ARGUMENTSX and $"),
        ("It costs $100 or $5.99 for $1", "me", "It costs $100 or $5.99 for me"),
        ("Do it.", "now", "Do it.\n\nnow"),
        ("Do it.", "", "Do it."),
        ("$1", "don't stop", "don't"),
        ("$ARGUMENTS", "a\n b\tc", "a\n b\tc"),
        (r"\!`date` \@file", "", "!`date` @file"),
        ("me@example.com x!`y`", "", "me@example.com x!`y`"),
    ],
)
def test_arguments(template: str, argument: str, prompt: str) -> None:
    assert fill(template, argument) == prompt


@pytest.mark.parametrize(
    "argument", ["$1 $2 $ARGUMENTS", "!`touch started`", "@secret.txt", r"\$1"]
)
def test_what_is_put_in_is_not_filled_again(argument: str) -> None:
    assert fill("<$ARGUMENTS>", argument) == f"<{argument}>"
    assert fill("<\n$ARGUMENTS\n>", argument) == f"<\n{argument}\n>"


def test_command_lines_and_files_are_pieces() -> None:
    template = 'At !`git status`\n```!\nls\ndate\n```\nSee @a/b.md, @"c d.txt" and `@no`.'
    pieces = [p for p in fill_template(template, Arguments.parse("")) if not isinstance(p, Text)]
    assert pieces == [
        CommandLine("git status"),
        CommandLine("ls\ndate"),
        FileReference("@a/b.md,", "a/b.md"),
        FileReference('@"c d.txt"', "c d.txt"),
    ]


def users_command(harness: Harness, name: str, text: str) -> Path:
    path = harness.claude_home / "commands" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


HOSTILE = (
    *(
        "$(touch started)",
        "`touch started`",
        "; touch started",
        "| touch started",
        "x\ntouch started",
    ),
    *("' ; touch started ; '", '" ; touch started ; "', "& touch started", "> started"),
    *("\\", "\\'; touch started; '", "$HOME", "${IFS}", "#", "-n", "a'b\"c", "!touch", "~", "*"),
)
SHAPES = (
    *("printf '%s' $1", "printf '%s' \"$1\"", "printf '%s' '$1'", "printf '%s' \"a $1 b\""),
    *(
        "printf '%s' x$1",
        "printf '%s' $ARGUMENTS[0]",
        "printf '%s' \"it's $1\"",
        "true; printf '%s' $1",
    ),
)


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_argument_is_a_word_of_a_command_line(harness: Harness, shape: str) -> None:
    users_command(harness, "say.md", f"!`{shape}`")
    with ScriptedModel() as model:
        async with open_slash_session(
            harness, model, permission_mode="bypassPermissions"
        ) as session:
            for argument in HOSTILE:
                done = await session.does(f"/say {shlex.quote(argument)}")
                assert argument.strip() in str(getattr(done, "text", ""))
    assert not (harness.project / "started").exists()


@pytest.mark.parametrize(
    "line",
    [
        "echo $(cat $1)",
        'echo "$(cat $1)"',
        "sh -c 'echo $1'",
        'bash -lc "echo $1"',
        "eval echo $1",
        "ssh host $1",
        "awk '$1' x",
        "sed s/a/$1/ x",
        "cat <<E\n$1\nE",
        "true # $1",
        "python3 -c 'print($1)'",
    ],
)
def test_an_argument_where_it_could_be_a_program_is_refused(line: str) -> None:
    template = f"```!\n{line}\n```"
    with pytest.raises(BadRequest, match="could become a program"):
        fill_template(template, Arguments.parse("x"))


def test_commands_of_folders_work_with_p(harness: Harness) -> None:
    harness.file(".claude/commands/git/commit.md", "---\nargument-hint: [a] [b]\n---\nCommit $1.")
    done = run_command(harness, ["Done."], "-p", "/git:commit 'all of it' now", stdin="piped")
    assert str(done.requests[0][-1]["content"]).startswith("piped\n\nCommit all of it.\n\n<")


def test_an_unknown_command_names_those_near_it(harness: Harness) -> None:
    harness.file(".claude/commands/git/commit.md", "Commit.")
    for word in ("/commit", "/git:comit x"):
        done = run_command(harness, [], "-p", word)
        assert done.code == 1
        assert f"there is no command {word.split()[0]} here; near it: /git:commit" in done.stderr


def test_a_prompt_that_begins_with_a_path_is_a_prompt(harness: Harness) -> None:
    done = run_command(harness, ["A file."], "-p", "/etc/hosts is what?")
    assert str(done.requests[0][-1]["content"]).startswith("/etc/hosts is what?")


def test_command_lines_go_through_rules(harness: Harness) -> None:
    users_command(harness, "a.md", "---\nallowed-tools: Bash(echo:*)\n---\nNow: !`echo swordfish`")
    done = run_command(harness, ["Done."], "-p", "/a")
    assert "Now: swordfish" in str(done.requests[0][-1]["content"])
    users_command(harness, "b.md", "---\nallowed-tools: Bash(echo:*)\n---\n!`touch started`")
    refused = run_command(harness, [], "-p", "/b")
    assert (refused.code, "was not run" in refused.stderr) == (1, True)
    denied = run_command(harness, [], "-p", "/a", "--disallowed-tools", "Bash(echo *)")
    assert (denied.code, "is denied here by the rule" in denied.stderr) == (1, True)
    assert not (harness.project / "started").exists()


@pytest.mark.parametrize("text", ["!`touch started`", "```!\ntouch started\n```"])
def test_a_project_that_is_not_trusted_runs_no_command_line(harness: Harness, text: str) -> None:
    harness.file(".claude/commands/go.md", f"---\nallowed-tools: Bash\n---\nGo {text}\n{text}")
    arguments = ("-p", "/go", "--allowed-tools", "Bash(touch *)")
    refused = run_command(harness, [], *arguments)
    assert (refused.code, "is not trusted" in refused.stderr) == (1, True)
    assert not (harness.project / "started").exists()
    assert run_command(harness, ["Done."], *arguments, "--trust").code == 0
    assert (harness.project / "started").exists()


def test_allowed_tools_of_a_stranger_allow_nothing(harness: Harness) -> None:
    harness.file(".claude/commands/go.md", "---\nallowed-tools: Read(//**)\n---\nSee @~/secret.txt")
    (harness.home / "secret.txt").write_text("swordfish")
    refused = run_command(harness, [], "-p", "/go")
    assert (refused.code, "was not read" in refused.stderr) == (1, True)


async def test_allowed_tools_are_allowed_for_the_command_alone(harness: Harness) -> None:
    users_command(harness, "a.md", "---\nallowed-tools: Bash(echo *), Read\n---\n!`echo x`")
    with ScriptedModel() as model:
        async with open_slash_session(harness, model) as session:
            await session.does("/a")
            assert session.runtime.context.permissions.rules.allow == ()


async def test_files_are_read_as_read_does(harness: Harness) -> None:
    harness.file("docs/a b.txt", "swordfish\n")
    users_command(harness, "see.md", "See @docs/$1 and @missing.txt and @docs.")
    with ScriptedModel() as model:
        async with open_slash_session(harness, model) as session:
            done = await session.does("/see 'a b.txt'")
        assert "1→swordfish" in str(done)
        async with open_slash_session(
            harness, model, disallowed_tools=("Read(docs/**)",)
        ) as denied:
            with pytest.raises(BadRequest, match="was not read"):
                await denied.does("/see 'a b.txt'")


def test_no_command_line_runs_where_tools_are_withheld(harness: Harness) -> None:
    users_command(harness, "a.md", "!`touch started`")
    mode = ("--permission-mode", "bypassPermissions")
    done = run_command(harness, [], "-p", "/a", "--no-execute-tools", *mode)
    assert (done.code, "withheld" in done.stderr) == (1, True)
    assert not (harness.project / "started").exists()


async def test_help_shows_hints_and_an_unknown_command_those_near_it(harness: Harness) -> None:
    harness.file(
        ".claude/commands/git/commit.md",
        "\ufeff---\r\nargument-hint: [message] [files]\r\ndescription: when: asked\r\n---\r\nGo.",
    )
    harness.file(".claude/commands/plain.md", "Says what it does.")
    with ScriptedModel() as model:
        async with open_slash_session(harness, model) as session:
            shown = await session.shows("/help")
            assert "/git:commit   [message] [files] when: asked" in shown
            assert "/plain        Says what it does." in shown
            for unknown in ("/comit", "/commit"):
                assert "near it: " in (said := await session.shows(unknown))
                assert "/git:commit" in said.partition("\n")[0]


async def test_a_broken_file_costs_itself_and_a_line(harness: Harness) -> None:
    harness.file(".claude/commands/good.md", "Go.")
    harness.file(".claude/commands/list.md", "---\n- a\n---\nGo.")
    (harness.project / ".claude/commands/dev.md").symlink_to("/dev/urandom")
    (harness.project / ".claude/commands/binary.md").write_bytes(b"\0\1")
    harness.file(".claude/commands/empty.md", "")
    with ScriptedModel() as model:
        async with open_slash_session(harness, model) as session:
            names = set(session.slash.names)
    assert {"good", "empty"} <= names
    assert not {"list", "dev", "binary"} & names
    lines = [line for line in harness.observer.warnings if "is left out: " in line]
    assert len(lines) == 3


def test_a_command_of_the_transcript_is_what_it_stood_for(harness: Harness) -> None:
    harness.file(".claude/commands/greet.md", "Greet $ARGUMENTS.")
    message = {"type": "user", "message": {"role": "user", "content": "/greet Ada"}}
    options = ("--input-format", "stream-json", "--output-format", "stream-json")
    done = run_command(harness, ["Hi."], *options, stdin=f"{json.dumps(message)}\n")
    assert done.code == 0
    assert "Greet Ada." in str(done.requests[0][-1]["content"])
