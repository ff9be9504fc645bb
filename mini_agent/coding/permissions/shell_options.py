"""Words by which a harmless command starts others, or writes files: no star of a rule covers them.

The options are those of the manuals of Git 2.47, GNU findutils 4.10, coreutils 9.5, tar 1.35, sed
4.9, gawk 5.3 and ripgrep 14.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, TypeAlias

from mini_agent.tools.shell_line import ShellLine

Words: TypeAlias = tuple[str, ...]
FIND: Final = ("-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprint0", "-fprintf")
AWK: Final = ("-f", "--file", "-i", "--include", "-l", "--load", "-E", "--exec")
TAR: Final = (
    *("-I", "--use-compress-program", "--to-command", "--checkpoint-action", "-F"),
    *("--rsh-command", "--info-script", "--new-volume-script"),
)
OPTIONS: Final = MappingProxyType(
    {
        "git": ("--output", "--upload-pack", "--receive-pack", "--exec", "--open-files-in-pager"),
        "find": (*FIND, "-fls"),
        "fd": ("-x", "-X", "--exec", "--exec-batch"),
        "rg": ("--pre", "--hostname-bin"),
        "sort": ("-o", "--output", "--compress-program"),
        "tar": TAR,
        "sed": ("-i", "--in-place", "-f", "--file"),
        "awk": AWK,
        "gawk": AWK,
        "man": ("-P", "--pager", "-H", "--html"),
        "tree": ("-o",),
        "rsync": ("-e", "--rsh", "--rsync-path"),
    }
)
# What follows git and starts what a configuration names, or changes the configuration.
GIT: Final = frozenset(
    {"config", "submodule", "bisect", "filter-branch", "difftool", "mergetool", "hook"}
    | {"daemon", "instaweb", "send-email", "credential"}
)
GIT_LETTERS: Final = MappingProxyType({"grep": "O", "rebase": "x", "archive": "o"})
GIT_IN_FRONT: Final = frozenset({"--no-pager", "--version", "--help", "--no-optional-locks"})
SED: Final = re.compile(
    r"""
      s(?P<by>[^\w\s\\])(?:\\.|(?!(?P=by)).)*(?P=by)(?:\\.|(?!(?P=by)).)*(?P=by)[gpimIM\d]*[ew]
    | (?:^|[;{}\n])\s*[ewW](?:\s|$)
    | (?:\d|\$|/I?)\s*!?\s*[ewW](?:\s|$)
    """,
    re.VERBOSE | re.DOTALL,
)
AWK_PROGRAM: Final = re.compile(r"system|getline|[|>@]")
SCRIPTS: Final = MappingProxyType({"sed": SED, "awk": AWK_PROGRAM, "gawk": AWK_PROGRAM})
# They carry out what stands in the subscript of a variable's name.
BUILTIN: Final = frozenset(
    {"test", "[", "[[", "printf", "read", "unset", "let", "declare", "typeset", "export", "local"}
    | {"readonly", "mapfile", "readarray", "wait", "getopts"}
)


def named(words: Words) -> Words:
    """The command by its name alone, wherever its file is."""
    return (words[0].rpartition("/")[2], *words[1:])


def beyond_stars(words: Words) -> set[str]:
    """The words of a command that a rule has to name."""
    command = named(words)
    if command[0] in BUILTIN:
        return {word for word in words if "$(" in word or "`" in word}
    return {*_options(command), *_scripts(command), *_of_git(command)}


def may_become_options(line: ShellLine) -> bool:
    """Whether only a shell can tell which words the line has."""
    words = (word for command in line.commands for word in command.words)
    return any(word.expands or word.has_braces for word in words)


def _options(words: Words) -> Iterator[str]:
    options = OPTIONS.get(words[0], ())
    exactly = words[0] == "find"
    for word in words[1:] if options else ():
        if any(_means(word, option, exactly=exactly) for option in options):
            yield word


def _means(word: str, option: str, *, exactly: bool) -> bool:
    written = word.partition("=")[0]
    # A name of a file that a star stands for may be an option.
    if fnmatchcase(option, word):
        return True
    if option.startswith("--"):
        return len(written) > 2 and option.startswith(written)
    return not exactly and _has_letter(word, option[1])


def _has_letter(word: str, letter: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and letter in word


def _scripts(words: Words) -> Iterator[str]:
    script = SCRIPTS.get(words[0])
    if script is not None:
        yield from (word for word in words[1:] if script.search(word))


def _of_git(words: Words) -> Iterator[str]:
    if words[0] != "git" or len(words) == 1:
        return
    first = words[1]
    if first in GIT or (first.startswith("-") and first not in GIT_IN_FRONT):
        yield first
    letter = GIT_LETTERS.get(first)
    if letter is not None:
        yield from (word for word in words[2:] if _has_letter(word, letter))
