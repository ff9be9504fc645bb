"""Command lines taken apart as a shell would read them, or refused."""

from __future__ import annotations

import pytest

from mini_agent.tools.shell_parser import parse_line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo hi", ("echo", "hi")),
        ("  echo\t hi ", ("echo", "hi")),
        ("echo 'a b' \"c d\"", ("echo", "a b", "c d")),
        ("echo 'a;b' \"c|d\" e\\;f", ("echo", "a;b", "c|d", "e;f")),
        (
            """python -c "print('x'); print(\\"y\\")" """,
            ("python", "-c", "print('x'); print(\"y\")"),
        ),
        ("echo '$(rm)' '`rm`'", ("echo", "$(rm)", "`rm`")),
        ("echo a'b'\"c\"d", ("echo", "abcd")),
        ("echo ''", ("echo", "")),
        ("echo $HOME a#b 5$", ("echo", "$HOME", "a#b", "5$")),
        ("ec\\\nho hi", ("echo", "hi")),
        ("echo 'two\nlines'", ("echo", "two\nlines")),
        ("ls -l2", ("ls", "-l2")),
    ],
)
def test_one_plain_command_is_its_words(line: str, words: tuple[str, ...]) -> None:
    taken = parse_line(line)
    assert [command.texts for command in taken.commands] == [words]
    assert taken.plain


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("echo a; rm b", ["echo", "rm"]),
        ("echo a;rm b", ["echo", "rm"]),
        ("echo a && rm b || ls", ["echo", "rm", "ls"]),
        ("echo a|wc -l|&cat", ["echo", "wc", "cat"]),
        ("echo a & rm b &", ["echo", "rm"]),
        ("echo a\nrm b", ["echo", "rm"]),
        ("(cd /tmp; rm b)", ["cd", "rm"]),
        ("echo a > b; rm c", ["echo", "rm"]),
        ("> b rm c", ["rm"]),
        ("echo a 2>&1 >>b <c rm", ["echo"]),
        (";>b rm", ["rm"]),
        ("X=1 Y='a b' rm c", ["rm"]),
        ("f() { rm b; }", ["rm"]),
        ("X=1", []),
        ("", []),
    ],
)
def test_every_command_of_a_line_is_found(line: str, names: list[str]) -> None:
    taken = parse_line(line)
    assert [command.texts[0] for command in taken.commands] == names
    assert not taken.plain


@pytest.mark.parametrize(
    "line",
    [
        "echo $(rm b)",
        'echo "$(rm b)"',
        "echo `rm b`",
        'echo "`rm b`"',
        "cat <(rm b)",
        "echo $'\\'' ; rm x #'",
        'echo $"hi"',
        "cat <<EOF\nrm b\nEOF",
        "echo a # 'b\nrm c # '",
        "echo 'open",
        'echo "open',
        "echo end\\",
    ],
)
def test_what_could_hide_a_command_is_refused(line: str) -> None:
    assert parse_line(line).unreadable
