"""Finds interpreters in a hook's command that would run their standard input: the event.

What stands in an event is written by a model, a file or a page, so it must never be a program.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import PurePath
from typing import Final

from mini_agent.tools.shell_line import ShellLine
from mini_agent.tools.shell_parser import parse_line

# Programs that read a program from standard input, where they are given none.
SHELLS: Final = re.compile(
    r"(?:ba|da|z|k|mk|c|tc|fi|a)?sh|pwsh|source|\.|\$\{?(?:SHELL|BASH|ZSH_NAME)\}?"
)
INTERPRETERS: Final = re.compile(
    r"python[\d.]*|pypy[\d.]*|node|nodejs|bun|deno|tsx|ts-node|perl|ruby|php|lua|Rscript|parallel"
)
FILE_READERS: Final = re.compile(r"[gmn]?awk|g?sed|g?make")
# They start a command of their arguments, with the same standard input.
PREFIX_PROGRAMS: Final = frozenset(
    {"env", "exec", "nohup", "command", "time", "nice", "sudo", "doas", "busybox", "setsid"}
    | {"timeout", "stdbuf", "ionice", "chrt", "taskset", "coproc", "npx", "docker", "podman"}
    | {"kubectl", "ssh", "chroot", "unshare", "nsenter", "runuser", "flock", "if", "while", "!"}
)
# Options that are followed by, or are in place of, the program.
SHELL_PROGRAM: Final = re.compile(r"-[A-Za-z]*c|--version|--help")
PROGRAM: Final = re.compile(r"-[A-Za-z]*[cemp]|--(?:eval|print|version|help|command)(?:=.*)?")
# Options of interpreters that are followed by a value.
VALUE_OPTIONS: Final = frozenset(
    {"-X", "-W", "-r", "-C", "-I", "--require", "--import", "--conditions", "--loader"}
    | {"--experimental-loader", "--check-hash-based-pycs"}
)
SHELL_VALUE_OPTIONS: Final = frozenset(
    {"-o", "+o", "-O", "+O", "--rcfile", "--init-file", "-eo", "-euo", "-uo", "-xo"}
)
STANDARD_INPUT: Final = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
# A program whose text is what a command finds on standard input.
INPUT_AS_TEXT: Final = re.compile(
    r"[$<]\(\s*(?:cat(?:\s+(?:-|/dev/stdin))?|<\s*/dev/stdin|jq(?:\s+-\S+)*\s+(?:'[^']*'|\S+))\s*"
    r"[|)]|`\s*cat\s*`"
)
OWN_INPUT: Final = frozenset({"echo", "printf", "curl", "wget"})
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
MAX_DEPTH: Final = 3


def find_event_reader(line: str, depth: int = 0) -> str:
    """Return the first word of a command in the line that would run the event, or ""."""
    parsed = parse_line(line)
    has_own_input = _has_own_input(parsed)
    commands = [command.texts for command in parsed.commands]
    found = (
        words[0] for words in commands if runs_event(words, depth, has_own_input=has_own_input)
    )
    return next(found, "")


def runs_event(words: Sequence[str], depth: int = 0, *, has_own_input: bool = False) -> bool:
    """Tell whether a command runs standard input, by itself or in a line behind -c."""
    if (reads_program(words) and not has_own_input) or _runs_input_as_text(words):
        return True
    inner = _inner_line(words) if depth < MAX_DEPTH and not has_own_input else ""
    return bool(inner and find_event_reader(inner, depth + 1))


def reads_program(words: Sequence[str]) -> bool:
    """Tell whether a command is an interpreter whose program would be its standard input."""
    return any(map(_reads_own_input, _started(words)))


def _started(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the command, or each that it may start."""
    rest = [*words]
    while rest and ASSIGNMENT.fullmatch(rest[0]):
        rest = rest[1:]
    if not rest or PurePath(rest[0]).name not in PREFIX_PROGRAMS:
        yield rest
    elif rest[1:2] not in (["-v"], ["-V"]):
        yield from (rest[index:] for index in range(1, len(rest)))


def _reads_own_input(words: Sequence[str]) -> bool:
    name = _name(words)
    if FILE_READERS.fullmatch(name):
        files = (value for option, value in pairwise(words) if option in ("-f", "--file"))
        glued = (word[2:] for word in words[1:] if word.startswith("-f"))
        return any(map(_is_input, (*files, *glued)))
    is_shell = SHELLS.fullmatch(name) is not None
    if not is_shell and not INTERPRETERS.fullmatch(name):
        return False
    return _has_no_program([*words[1:]], is_shell=is_shell)


def _has_no_program(options: list[str], *, is_shell: bool) -> bool:
    program = SHELL_PROGRAM if is_shell else PROGRAM
    if is_shell and any(re.fullmatch("-[a-z]*s", option) for option in options):
        return not any(map(program.fullmatch, options))
    values = SHELL_VALUE_OPTIONS if is_shell else VALUE_OPTIONS
    while options:
        option = options.pop(0)
        if _is_input(option):
            return True
        if option in values:
            del options[:1]
        elif program.fullmatch(option) or not option.startswith(("-", "+") if is_shell else "-"):
            return False
    return True


def _runs_input_as_text(words: Sequence[str]) -> bool:
    takes_text = _name(words) == "eval" or any(
        SHELLS.fullmatch(_name(each)) for each in _started(words)
    )
    return takes_text and any(map(INPUT_AS_TEXT.search, words[1:]))


def _inner_line(words: Sequence[str]) -> str:
    """Return the line that a shell is given behind -c."""
    for started in _started(words):
        if SHELLS.fullmatch(_name(started)):
            after = pairwise(started)
            return next((line for option, line in after if SHELL_PROGRAM.fullmatch(option)), "")
    return ""


def _has_own_input(line: ShellLine) -> bool:
    """Return whether the line itself says what its interpreters read."""
    is_said = any(PurePath(each.texts[0]).name in OWN_INPUT for each in line.commands)
    return is_said or any(
        each.is_text or (each.operator in ("<", "0<") and not _is_input(each.target.text))
        for each in line.redirections
    )


def _name(words: Sequence[str]) -> str:
    return PurePath(words[0]).name if words else ""


def _is_input(word: str) -> bool:
    return word in STANDARD_INPUT or (word[:1] == "/" and _normalize(word) in STANDARD_INPUT)


def _normalize(path: str) -> str:
    return "/" + os.path.normpath(path).lstrip("/")
