"""Finds the commands that a shell command line may start, and matches rules against them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
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
# What only a shell can fill in, and how much of the word that may change.
OPEN: Final = re.compile(r"\$[\w{@*#?!$(\[-]|`|\{[^}\s]*(?:,|\.\.)")
OPEN_WORD: Final = re.compile(r"\$\w+|\$[{(`\[].*|`.*|\$[@*#?!$-]|\{.*", re.DOTALL)
MAX_OVERLAP: Final = 1_000_000
# A shell runs what they are given.
SHELL_STARTERS: Final = SHELLS | {"eval", "trap", "su", "ssh", "watch", "parallel", "script"}
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


def may_touch_line(spec: str, line: str) -> bool:
    """Return whether a command whose words are not known may match the spec."""
    written = unescape(STAR.sub("\0", spec.replace(ANY_ARGUMENTS, " *").removesuffix(" *") + "*"))
    texts = (
        " ".join(OPEN_WORD.sub("\0", word) for word in words) for words in _find_open_commands(line)
    )
    return any(may_overlap(written, text) for text in texts)


def may_overlap(one: str, other: str) -> bool:
    """Return whether some text matches both patterns, in which NUL stands for any text."""
    if len(one) * len(other) > MAX_OVERLAP:
        return True
    row = [True] + [False] * len(other)
    for index, sign in enumerate(other):
        row[index + 1] = row[index] and sign == "\0"
    for first in one:
        above, row = row, [row[0] and first == "\0"] + [False] * len(other)
        for index, second in enumerate(other):
            row[index + 1] = (
                (above[index] and (first == second or "\0" in (first, second)))
                or (first == "\0" and row[index])
                or (first == "\0" and above[index + 1])
                or (second == "\0" and above[index + 1])
                or (second == "\0" and row[index])
            )
    return row[-1]


def escape_line(line: str) -> str:
    """Return the spec that matches this line only."""
    return line.strip(BLANKS).replace("*", r"\*")


def parse_nested_lines(line: str) -> tuple[ShellLine, ...]:
    """Return the parsed line, and the lines that may be nested in what starts commands."""
    return tuple(_parse_lines(line, 0, _nested_texts))


def parse_shell_lines(line: str) -> tuple[ShellLine, ...]:
    """Return the parsed line, and those that a shell is given in it."""
    return tuple(_parse_lines(line, 0, _shell_texts))


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


@lru_cache(maxsize=64)
def _find_open_commands(line: str) -> frozenset[Words]:
    """Return the commands, with and without wrappers, that only a shell knows in full."""
    lines = parse_shell_lines(line)
    texts = (command.texts for each in lines for command in each.commands if _is_open(command))
    return frozenset(each for words in texts for each in _unwrap(words, everywhere=False))


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


def _is_open(command: SimpleCommand) -> bool:
    return any(word.expands or word.has_braces for word in command.words)


def _parse_lines(
    line: str, depth: int, find_texts: Callable[[ShellLine], Iterator[str]]
) -> Iterator[ShellLine]:
    parsed = parse_line(line.strip(BLANKS))
    yield parsed
    if depth < MAX_DEPTH:
        for text in set(find_texts(parsed)):
            yield from _parse_lines(text, depth + 1, find_texts)


def _shell_texts(line: ShellLine) -> Iterator[str]:
    """Yield the texts in the line that a shell takes for command lines."""
    for command in line.commands:
        texts = [text.rpartition("/")[2] for text in command.texts]
        shells = [at for at, text in enumerate(texts) if text in SHELL_STARTERS]
        after = command.texts[shells[0] + 1 :] if shells else ()
        yield from filter(SHELL_SYNTAX.search, after)
    names = {command.texts[0].rpartition("/")[2] for command in line.commands}
    if names & SHELLS:
        yield from (each.target.text for each in line.redirections if each.is_text)


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
