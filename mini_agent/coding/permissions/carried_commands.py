"""Whether a command may be started by another one that is no known wrapper, from its arguments."""

from __future__ import annotations

import re
from typing import Final

from mini_agent.coding.permissions.shell_commands import ANY_ARGUMENTS, STAR, parse_nested_lines
from mini_agent.coding.permissions.shell_options import Words, strip_folder
from mini_agent.tools.shell_line import ShellLine

# They print, search or list what they are given, and start none of it.
NAMING_PROGRAMS: Final = frozenset(
    {"echo", "printf", "grep", "egrep", "fgrep", "rg", "ag", "ack", "which", "type", "whereis"}
    | {"man", "whatis", "apropos", "apt", "apt-get", "apt-cache", "brew", "dnf", "yum", "pip"}
    | {"npm", "yarn", "pnpm", "cargo", "go", "ls", "cat", "head", "tail", "less", "more", "wc"}
    | {"cd", "mkdir", "rm", "test", "[", "[[", "stat", "file", "du", "tree", "touch", "sort"}
    | {"command", "hash", "pgrep", "pkill", "killall", "systemctl", "journalctl", "git", "gh"}
)
GIT_STARTING: Final = frozenset({"-c", "bisect", "foreach", "rebase", "difftool", "filter-branch"})
FEEDING: Final = frozenset({"xargs", "parallel"})
# They run what stands in their input, later.
TEXT_RUNNERS: Final = frozenset({"at", "batch"})
MESSAGE_OPTIONS: Final = frozenset({"-m", "--message", "-am", "--body", "--title"})


def may_carry(spec: str, line: str) -> bool:
    """Return whether a command of the line has one that the spec is about in its arguments."""
    fixed = STAR.split(spec.removesuffix(ANY_ARGUMENTS))[0].split()
    if not fixed or not re.fullmatch(r"[\w.+-]{2,}", fixed[0]):
        return False
    return any(_line_carries(fixed, each) for each in parse_nested_lines(line))


def _line_carries(fixed: list[str], line: ShellLine) -> bool:
    commands = [strip_folder(command.texts) for command in line.commands]
    if any(words[0] in TEXT_RUNNERS for words in commands):
        commands += [("at", each.target.text) for each in line.redirections if each.is_text]
    return any(_carries(fixed, words) for words in commands)


def _carries(fixed: list[str], words: Words) -> bool:
    name, *rest = words
    if name == "-".join(fixed[:2]) and len(fixed) > 1:
        # Of `git push` there is a program git-push.
        return True
    if name == "git" == fixed[0] and any(word.startswith("alias.") for word in rest):
        return True
    if name in NAMING_PROGRAMS and not (name == "git" and GIT_STARTING & {*rest}):
        return False
    if name in FEEDING:
        return fixed[0] in {word.rpartition("/")[2] for word in rest}
    before = ("", *rest)
    rest = [word.removeprefix("-S") for word in rest]
    texts = [text for text, last in zip(rest, before, strict=False) if last not in MESSAGE_OPTIONS]
    return _names(fixed, " ".join(texts))


def _names(fixed: list[str], text: str) -> bool:
    """Return whether the words stand in the text one after the other, the first as a command."""
    first = rf"(?:^|[\s'\"=!;&|(`/]){re.escape(fixed[0])}(?=$|[\s'\");&|])"
    others = "".join(rf".*?(?<![\w-]){re.escape(word)}(?![\w-])" for word in fixed[1:])
    return re.search(first + others, text, re.DOTALL) is not None
