"""The files that a shell command line may read or change, as far as its text shows."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.shell_commands import find_commands, parse_nested_lines
from mini_agent.coding.permissions.shell_options import Words, strip_folder
from mini_agent.coding.tools.context import ToolContext
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.shell_line import ShellLine

# They change every file among their arguments.
EDITING_COMMANDS: Final = frozenset(
    {"mv", "rm", "tee", "touch", "truncate", "dd", "chmod", "chown", "shred", "unlink", "patch"}
    | {"ed", "ex", "vi", "vim", "nano"}
)
# They change the last of their arguments.
COPYING_COMMANDS: Final = frozenset({"cp", "ln", "install", "rsync", "scp"})
SED_IN_PLACE: Final = ("-i", "--in-place")
READING_COMMANDS: Final = (
    EDITING_COMMANDS
    | COPYING_COMMANDS
    | frozenset(
        {"cat", "tac", "head", "tail", "less", "more", "nl", "od", "xxd", "hexdump", "strings"}
        | {"base64", "base32", "grep", "egrep", "fgrep", "zgrep", "rg", "ag", "sed", "awk", "gawk"}
        | {
            "mawk",
            "cut",
            "sort",
            "uniq",
            "wc",
            "diff",
            "cmp",
            "comm",
            "join",
            "paste",
            "rev",
            "fold",
        }
        | {"jq", "yq", "source", ".", "tar", "zip", "gzip", "bzip2", "xz", "zcat", "split", "bat"}
        | {"curl", "openssl"}
    )
)
REDIRECTION: Final = re.compile(r"(?P<sign>[<>])[&|]?\s*(?P<name>[^\s;&|()<>]+)")
# A file may stand behind one of these, as in --file=NAME, if=NAME, @NAME.
VALUE_SEPARATOR: Final = re.compile(r"[=,:@]")
VARIABLE: Final = re.compile(r"\$(?P<braced>\{)?(?P<name>[A-Za-z_]\w*)(?(braced)\})")
MAX_GLOB_MATCHES: Final = 1000
MAX_GLOB_PARTS: Final = 2


def find_read_files(line: str, context: ToolContext) -> Iterator[Path]:
    """Yield the files that the command line may read."""
    return _find_files(
        line, context, "<", lambda words: words[1:] if words[0] in READING_COMMANDS else ()
    )


def find_changed_files(line: str, context: ToolContext) -> Iterator[Path]:
    """Yield the files that the command line may change."""
    return _find_files(line, context, ">", _changed_words)


def _find_files(
    line: str, context: ToolContext, sign: str, touched: Callable[[Words], Words]
) -> Iterator[Path]:
    lines = parse_nested_lines(line)
    values = _known_variables(lines, context)
    commands = {
        strip_folder(tuple(_expand(word, values) for word in each)) for each in find_commands(line)
    }
    starts = ["", *(words[1] for words in commands if words[0] == "cd" and len(words) > 1)]
    names = {_expand(name, values) for name in _redirection_targets(line, lines, sign)}
    for words in commands:
        names.update(*((word, *VALUE_SEPARATOR.split(word)[1:]) for word in touched(words)))
    for start in starts:
        for name in names:
            yield from _resolve(context, start, name.strip("\"'"))


def _known_variables(lines: tuple[ShellLine, ...], context: ToolContext) -> dict[str, str]:
    """Return the variables of the environment and those that the line itself sets."""
    assigned = (written for each in lines for written in each.assignments)
    pairs = (written.partition("=") for written in assigned)
    return {**context.environment, **{name: value for name, _, value in pairs}}


def _expand(word: str, values: dict[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found["name"], found[0]), word)


def _redirection_targets(line: str, lines: tuple[ShellLine, ...], sign: str) -> Iterator[str]:
    for each in (redirection for parsed in lines for redirection in parsed.redirections):
        if sign in each.operator and not each.is_text:
            yield each.target.text
    if not all(parsed.is_static for parsed in lines):
        yield from (match["name"] for match in REDIRECTION.finditer(line) if match["sign"] == sign)


def _resolve(context: ToolContext, start: str, name: str) -> Iterator[Path]:
    try:
        path = context.path(start) / (context.path(name) if name.startswith("~") else name)
    except RejectedCall:
        return
    yield path
    if 0 < sum(map(glob.has_magic, path.parts)) <= MAX_GLOB_PARTS:
        # As a shell does it: a star stands for no dot at the beginning.
        matches = glob.iglob(str(path))  # noqa: PTH207
        yield from map(Path, islice(matches, MAX_GLOB_MATCHES))


def _changed_words(words: Words) -> Words:
    name, *rest = words
    if name in EDITING_COMMANDS or (
        name == "sed" and any(word.startswith(SED_IN_PLACE) for word in rest)
    ):
        return tuple(rest)
    return tuple(rest[-1:]) if name in COPYING_COMMANDS else ()
