"""Finds the commands that a shell command line may start, and matches rules against them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from mini_agent.coding.permissions.programs import find_program
from mini_agent.coding.permissions.shell_options import SHELLS, Call, Words, strip_folder
from mini_agent.tools.shell_line import ShellLine, SimpleCommand
from mini_agent.tools.shell_parser import parse_line

ANY_ARGUMENTS: Final = ":*"
STAR: Final = re.compile(r"(?<!\\)\*")
SHELL_SYNTAX: Final = re.compile(r"[\s;&|`$(){}<>]")
GLOB: Final = re.compile(r"[*?\[]")
# What a shell ignores round a line; `str.strip` would remove more, such as a carriage return.
BLANKS: Final = " \t\n"
# They start the command that follows them.
WRAPPERS: Final = SHELLS | frozenset(
    {"sudo", "doas", "su", "env", "nohup", "time", "timeout", "nice", "ionice", "chrt", "stdbuf"}
    | {"xargs", "parallel", "watch", "setsid", "flock", "script", "strace", "ltrace", "busybox"}
    | {"chroot", "unshare", "nsenter", "ssh", "taskset", "command", "builtin", "exec", "eval"}
    | {"coproc", "trap", "find", "fd", "npx", "bunx", "if", "then", "elif", "else", "while"}
    | {"until", "do", "!"}
)
# Their arguments hold programs that start commands.
INTERPRETERS: Final = frozenset(
    {"awk", "gawk", "mawk", "nawk", "sed", "perl", "python", "python3", "ruby", "node", "php"}
    | {"lua", "tclsh", "make", "vi", "vim", "ex", "ed", "tmux", "screen", "source", "."}
)
MAX_DEPTH: Final = 4
# Of a command that a wrapper starts, these many are matched.
MAX_WRAPPED_WORDS: Final = 32
SEPARATOR: Final = re.compile(r"[;&|\n`$(){}\"']+|\d*[<>]+[&|]?")
QUOTING: Final = re.compile(r"\\\n|(?P<coded>\$'(?:[^'\\]|\\.)*')|[\"']|\\(?=.)", re.DOTALL)
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")


def touches_line(spec: str, line: str) -> bool:
    """Return whether any command that the line may start matches the spec."""
    pattern, first = spec_regex(spec), spec.partition(" ")[0].removesuffix(ANY_ARGUMENTS)
    if pattern.fullmatch(line.strip(BLANKS)):
        return True
    commands = (_expand_name(words, first) for words in find_commands(line))
    return any(pattern.fullmatch(" ".join(words)) for words in commands)


def escape_line(line: str) -> str:
    """Return the spec that matches this line only."""
    return line.strip(BLANKS).replace("*", r"\*")


def parse_nested_lines(line: str) -> tuple[ShellLine, ...]:
    """Return the parsed line, and the lines nested in arguments of what starts commands."""
    return tuple(_parse_lines(line, 0))


@lru_cache(maxsize=64)
def find_commands(line: str) -> frozenset[Words]:
    """Return the words of every command the line may start, with and without wrappers."""
    lines = parse_nested_lines(line)
    fragments = [command.texts for each in lines for command in each.commands]
    if not all(each.is_static for each in lines):
        fragments += [*_text_fragments(line), *_text_fragments(QUOTING.sub(_unquote, line))]
    # Any word may become a command of a shell that reads from a pipe.
    feeds_shell = any(strip_folder(words)[0] in SHELLS for words in fragments)
    commands = (each for words in fragments for each in _unwrap(words, everywhere=feeds_shell))
    return frozenset(commands)


def spec_regex(spec: str) -> re.Pattern[str]:
    """Return the expression of the lines that the spec matches."""
    if spec.endswith(ANY_ARGUMENTS):
        return re.compile(rf"{re.escape(spec.removesuffix(ANY_ARGUMENTS))}(?:\s.*)?", re.DOTALL)
    parts = STAR.split(spec.removesuffix(" *"))
    written = ".*".join(re.escape(unescape(part)) for part in parts)
    return re.compile(written + (r"(?:\s.*)?" if spec.endswith(" *") else ""), re.DOTALL)


def unescape(spec: str) -> str:
    """Return the line that a spec without a star is for."""
    return spec.replace(r"\*", "*")


def _expand_name(words: Words, name: str) -> Words:
    """Return the command; its name, if it is a glob that matches `name`, replaced by that."""
    is_meant = GLOB.search(words[0]) and name and fnmatchcase(name, words[0])
    return (name, *words[1:]) if is_meant else words


def _parse_lines(line: str, depth: int) -> Iterator[ShellLine]:
    parsed = parse_line(line.strip(BLANKS))
    yield parsed
    if depth < MAX_DEPTH:
        for text in set(_nested_texts(parsed)):
            yield from _parse_lines(text, depth + 1)


def _nested_texts(line: ShellLine) -> Iterator[str]:
    """Yield the texts in the line that may be command lines themselves."""
    feeds_shell = any(strip_folder(command.texts)[0] in SHELLS for command in line.commands)
    for command in line.commands:
        if feeds_shell or _starts_commands(command):
            yield from filter(SHELL_SYNTAX.search, command.texts)
    if feeds_shell:
        yield from (each.target.text for each in line.redirections if each.is_text)


def _starts_commands(command: SimpleCommand) -> bool:
    name = strip_folder(command.texts)[0]
    return name in WRAPPERS | INTERPRETERS or bool(
        find_program(name) and Call(command.words).read().unclear
    )


def _text_fragments(line: str) -> Iterator[Words]:
    begin, separator = 0, ""
    for match in (*SEPARATOR.finditer(line), None):
        words = tuple(line[begin : match.start() if match else None].split())
        yield from _strip_assignments(words)
        # The first word after < or > is a file; a command may follow it.
        if separator.strip("0123456789&|")[:1] in ("<", ">"):
            yield from _strip_assignments(words[1:])
        if match:
            begin, separator = match.end(), match[0]


def _strip_assignments(words: Words) -> Iterator[Words]:
    if words:
        yield words
        # Braces may expand to several words.
        spread = (*filter(None, words[0].split(",")), *words[1:])
        yield from (spread,) if spread else ()
    while words and (assigned := ASSIGNMENT.match(words[0])):
        value = words[0][assigned.end() :]
        words = words[1:]
        yield from ((value,),) if value else ()
        yield from (words,) if words else ()


def _unquote(match: re.Match[str]) -> str:
    coded = match["coded"]
    if coded is None:
        return ""
    with suppress(ValueError):
        return codecs.decode(coded[2:-1], "unicode_escape")
    return coded


def _unwrap(words: Words, *, everywhere: bool) -> Iterator[Words]:
    """Yield the command, those it may start, and each without leading options."""
    starts = everywhere or words[0].rpartition("/")[2] in WRAPPERS
    for index in range(len(words) if starts else 1):
        rest = words[index : index + MAX_WRAPPED_WORDS] if index else words
        yield rest
        yield strip_folder(rest)
        yield from _strip_options(strip_folder(rest))


def _strip_options(words: Words) -> Iterator[Words]:
    """Yield the command without the options, and their values, in front of its operands."""
    for index in range(1, len(words)):
        before = words[max(1, index - 1) : index + 1]
        if not any(word.startswith(("-", "+")) for word in before):
            return
        yield (words[0], *words[index + 1 :])
