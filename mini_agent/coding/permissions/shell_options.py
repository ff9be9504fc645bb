"""Options and scripts by which a harmless command starts others or writes files.

No wildcard of a rule covers them. The options are those of the manuals of Git 2.47, GNU findutils
4.10, coreutils 9.5, tar 1.35, sed 4.9, gawk 5.3 and ripgrep 14.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, TypeAlias

from mini_agent.tools.shell_line import ShellLine

Words: TypeAlias = tuple[str, ...]
FIND_OPTIONS: Final = (
    *("-exec", "-execdir", "-ok", "-okdir", "-delete"),
    *("-fprint", "-fprint0", "-fprintf", "-fls"),
)
AWK_OPTIONS: Final = ("-f", "--file", "-i", "--include", "-l", "--load", "-E", "--exec")
TAR_OPTIONS: Final = (
    *("-I", "--use-compress-program", "--to-command", "--checkpoint-action", "-F"),
    *("--rsh-command", "--info-script", "--new-volume-script"),
)
RISKY_OPTIONS: Final = MappingProxyType(
    {
        "git": ("--output", "--upload-pack", "--receive-pack", "--exec", "--open-files-in-pager"),
        "find": FIND_OPTIONS,
        "fd": ("-x", "-X", "--exec", "--exec-batch"),
        "rg": ("--pre", "--hostname-bin"),
        "sort": ("-o", "--output", "--compress-program"),
        "tar": TAR_OPTIONS,
        "sed": ("-i", "--in-place", "-f", "--file"),
        "awk": AWK_OPTIONS,
        "gawk": AWK_OPTIONS,
        "man": ("-P", "--pager", "-H", "--html"),
        "tree": ("-o",),
        "rsync": ("-e", "--rsh", "--rsync-path"),
    }
)
# They start commands that git's configuration names, or change the configuration.
RISKY_GIT_COMMANDS: Final = frozenset(
    {"config", "submodule", "bisect", "filter-branch", "difftool", "mergetool", "hook"}
    | {"daemon", "instaweb", "send-email", "credential"}
)
RISKY_GIT_LETTERS: Final = MappingProxyType({"grep": "O", "rebase": "x", "archive": "o"})
SAFE_GIT_OPTIONS: Final = frozenset({"--no-pager", "--version", "--help", "--no-optional-locks"})
RISKY_SED_SCRIPT: Final = re.compile(
    r"""
      s(?P<by>[^\w\s\\])(?:\\.|(?!(?P=by)).)*(?P=by)(?:\\.|(?!(?P=by)).)*(?P=by)[gpimIM\d]*[ew]
    | (?:^|[;{}\n])\s*[ewW](?:\s|$)
    | (?:\d|\$|/I?)\s*!?\s*[ewW](?:\s|$)
    """,
    re.VERBOSE | re.DOTALL,
)
RISKY_AWK_SCRIPT: Final = re.compile(r"system|getline|[|>@]")
RISKY_SCRIPTS: Final = MappingProxyType(
    {"sed": RISKY_SED_SCRIPT, "awk": RISKY_AWK_SCRIPT, "gawk": RISKY_AWK_SCRIPT}
)
# They evaluate substitutions in the subscript of a variable's name.
SUBSCRIPT_BUILTINS: Final = frozenset(
    {"test", "[", "[[", "printf", "read", "unset", "let", "declare", "typeset", "export", "local"}
    | {"readonly", "mapfile", "readarray", "wait", "getopts"}
)


def strip_folder(words: Words) -> Words:
    """Return the command with its name only, without the folder of its program."""
    return (words[0].rpartition("/")[2], *words[1:])


def find_risky_words(words: Words) -> set[str]:
    """Return the words of a command that a rule has to name."""
    command = strip_folder(words)
    if command[0] in SUBSCRIPT_BUILTINS:
        return {word for word in words if "$(" in word or "`" in word}
    return {*_risky_options(command), *_risky_scripts(command), *_risky_git_words(command)}


def has_dynamic_words(line: ShellLine) -> bool:
    """Return whether some words of the line are known to the shell only."""
    words = (word for command in line.commands for word in command.words)
    return any(word.expands or word.has_braces for word in words)


def _risky_options(words: Words) -> Iterator[str]:
    options = RISKY_OPTIONS.get(words[0], ())
    exactly = words[0] == "find"
    for word in words[1:] if options else ():
        if any(_is_option(word, option, exactly=exactly) for option in options):
            yield word


def _is_option(word: str, option: str, *, exactly: bool) -> bool:
    written = word.partition("=")[0]
    # A glob may be expanded to a file whose name is an option.
    if fnmatchcase(option, word):
        return True
    if option.startswith("--"):
        return len(written) > 2 and option.startswith(written)
    return not exactly and _has_letter(word, option[1])


def _has_letter(word: str, letter: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and letter in word


def _risky_scripts(words: Words) -> Iterator[str]:
    script = RISKY_SCRIPTS.get(words[0])
    if script is not None:
        yield from (word for word in words[1:] if script.search(word))


def _risky_git_words(words: Words) -> Iterator[str]:
    if words[0] != "git" or len(words) == 1:
        return
    first = words[1]
    if first in RISKY_GIT_COMMANDS or (first.startswith("-") and first not in SAFE_GIT_OPTIONS):
        yield first
    letter = RISKY_GIT_LETTERS.get(first)
    if letter is not None:
        yield from (word for word in words[2:] if _has_letter(word, letter))
