"""The files that a line for the shell names, as far as its text tells."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.shell_commands import commands_in, lines_in
from mini_agent.coding.permissions.shell_options import Words, named
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.shell_line import ShellLine

# All that they name, they change.
CHANGING: Final = frozenset(
    {"mv", "rm", "tee", "touch", "truncate", "dd", "chmod", "chown", "shred", "unlink", "patch"}
    | {"ed", "ex", "vi", "vim", "nano"}
)
# They change the last that they name.
TO_THE_LAST: Final = frozenset({"cp", "ln", "install", "rsync", "scp"})
IN_PLACE: Final = ("-i", "--in-place")
READING: Final = (
    CHANGING
    | TO_THE_LAST
    | frozenset(
        {
            "cat",
            "tac",
            "head",
            "tail",
            "less",
            "more",
            "nl",
            "od",
            "xxd",
            "hexdump",
            "strings",
            "base64",
        }
        | {
            "base32",
            "grep",
            "egrep",
            "fgrep",
            "zgrep",
            "rg",
            "ag",
            "sed",
            "awk",
            "gawk",
            "mawk",
            "cut",
        }
        | {"sort", "uniq", "wc", "diff", "cmp", "comm", "join", "paste", "rev", "fold", "jq", "yq"}
        | {
            "source",
            ".",
            "tar",
            "zip",
            "gzip",
            "bzip2",
            "xz",
            "zcat",
            "split",
            "bat",
            "curl",
            "openssl",
        }
    )
)
TARGET: Final = re.compile(r"(?P<sign>[<>])[&|]?\s*(?P<name>[^\s;&|()<>]+)")
# --file=NAME, if=NAME, @NAME
SIGNS: Final = re.compile(r"[=,:@]")
VARIABLE: Final = re.compile(r"\$(?P<braced>\{)?(?P<name>[A-Za-z_]\w*)(?(braced)\})")
MOST_FOUND: Final = 1000
MOST_STARS: Final = 2


def files_read(line: str, at: Workplace) -> Iterator[Path]:
    """Those that it may read."""
    return _files(line, at, "<", lambda words: words[1:] if words[0] in READING else ())


def files_changed(line: str, at: Workplace) -> Iterator[Path]:
    """Those that it may change."""
    return _files(line, at, ">", _changed)


def _changed(words: Words) -> Words:
    name, *behind = words
    if name in CHANGING or (name == "sed" and any(word.startswith(IN_PLACE) for word in behind)):
        return tuple(behind)
    return tuple(behind[-1:]) if name in TO_THE_LAST else ()


def _files(
    line: str, at: Workplace, sign: str, touched: Callable[[Words], Words]
) -> Iterator[Path]:
    lines = lines_in(line)
    values = _values(lines, at)
    commands = {named(tuple(_filled(word, values) for word in each)) for each in commands_in(line)}
    starts = ["", *(words[1] for words in commands if words[0] == "cd" and len(words) > 1)]
    names = {_filled(name, values) for name in _targets(line, lines, sign)}
    for words in commands:
        names.update(*((word, *SIGNS.split(word)[1:]) for word in touched(words)))
    for start in starts:
        for name in names:
            yield from _found(at, start, name.strip("\"'"))


def _values(lines: tuple[ShellLine, ...], at: Workplace) -> dict[str, str]:
    """The variables that are known: those of the environment, and those that the line sets."""
    assigned = (written for each in lines for written in each.assignments)
    pairs = (written.partition("=") for written in assigned)
    return {**at.environment, **{name: value for name, _, value in pairs}}


def _filled(word: str, values: dict[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found["name"], found[0]), word)


def _targets(line: str, lines: tuple[ShellLine, ...], sign: str) -> Iterator[str]:
    for each in (redirection for parsed in lines for redirection in parsed.redirections):
        if sign in each.operator and not each.is_text:
            yield each.target.text
    if not all(parsed.is_static for parsed in lines):
        yield from (found["name"] for found in TARGET.finditer(line) if found["sign"] == sign)


def _found(at: Workplace, start: str, name: str) -> Iterator[Path]:
    try:
        path = at.path(start) / (at.path(name) if name.startswith("~") else name)
    except NotRun:
        return
    yield path
    if 0 < sum(map(glob.has_magic, path.parts)) <= MOST_STARS:
        # As a shell does it: a star stands for no dot at the beginning.
        found = glob.iglob(str(path))  # noqa: PTH207
        yield from map(Path, islice(found, MOST_FOUND))
