"""Whether allow rules cover a command line: each of its parts, by one rule or another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.coding.permissions.places import Places
from mini_agent.coding.permissions.shell_commands import (
    ANY_ARGUMENTS,
    BLANKS,
    STAR,
    spec_regex,
    unescape,
)
from mini_agent.coding.permissions.shell_options import (
    HARMLESS_VARIABLES,
    UNNAMED,
    Call,
    strip_folder,
)
from mini_agent.coding.permissions.shell_words import ASSIGNMENT, expand_command, known_values
from mini_agent.coding.tools.context import ToolContext
from mini_agent.tools.shell_line import Redirection, ShellLine, Word
from mini_agent.tools.shell_parser import parse_line

BLANK: Final = re.compile(r"\s")
HARMLESS_REDIRECTIONS: Final = re.compile(r"[012]?>&[012-]|(?:[012&]?>>?|0?<)/dev/null")
LOCAL_VARIABLE: Final = re.compile(r"[a-z][a-z0-9_]*")
# Parts that need no rule: they print, wait or compare, and touch nothing.
SILENT_COMMANDS: Final = frozenset(
    {"echo", "printf", "true", "false", ":", "pwd", "sleep", "exit", "wait", "test", "[", "[["}
)
STATUS_VARIABLES: Final = ("$?", "$#", "$$")
VARIABLE_TESTS: Final = ("-v", "-R")
# Parts that need no rule either as long as they read their input and no file: what may be an
# operand of theirs, and is no file.
COUNTS: Final = re.compile(r"[+\d,.]*")
FILTERS: Final = {
    **dict.fromkeys(("head", "tail", "wc", "cat", "tac", "nl", "uniq", "sort", "rev"), COUNTS),
    "cut": re.compile(r"[\d,-]*|."),
    "column": COUNTS,
    "tr": re.compile(r".*", re.DOTALL),
}
NOTHING: Final = re.compile("(?!)")
FILTER_OPTION: Final = re.compile(r"-[A-Za-z]*[\d,.+-]*[^\w/]?|-\d+")
# Options of filters that name a file, or wait for ever.
FILE_OPTIONS: Final = {"sort": "oT", "tail": "fF", "uniq": "", "wc": "", "head": ""}


@dataclass(frozen=True, slots=True)
class LineCoverage:
    """The specs of all allow rules for Bash, and where the shell is."""

    specs: tuple[str, ...]
    context: ToolContext

    def covers(self, line: str) -> bool:
        """Return whether the line is known in all its parts, and each is allowed."""
        written = line.strip(BLANKS)
        parsed = parse_line(written)
        start = Places.start(self.context)
        if any(_is_exact(spec) and unescape(spec) == written for spec in self.specs):
            runs_git = any("git" in strip_folder(each.texts) for each in parsed.commands)
            return not (runs_git and start.has_foreign_repository)
        if not (parsed.only_parts and parsed.commands and self._is_plain(parsed)):
            return False
        return self._covers_parts(parsed, start)

    def _covers_parts(self, parsed: ShellLine, start: Places) -> bool:
        places, values, only_moves = start, known_values(parsed), True
        for command in parsed.commands:
            for words in expand_command(command, values):
                if words[0].text == "cd":
                    moved = _move(places, words, surely=parsed.is_sequence)
                    if moved is None:
                        return False
                    only_moves = only_moves and not self._covers_part(words, places)
                    places = moved
                    continue
                only_moves = False
                if not (is_silent(words) or self._covers_part(words, places)):
                    return False
        return not only_moves

    def _is_plain(self, parsed: ShellLine) -> bool:
        """Return whether the line sets and reads nothing that is not known to be harmless."""
        places = Places.start(self.context)
        prefixes = [written for command in parsed.commands for written in command.assignments]
        own = [written for written in parsed.assignments if written not in prefixes]
        loops = all(self._is_local(loop.name) for loop in parsed.loops)
        return (
            loops
            and all(map(HARMLESS_VARIABLES.fullmatch, prefixes))
            and all(self._is_local_assignment(written) for written in own)
            and all(_is_harmless(each, places) for each in parsed.redirections)
            and all(word.is_simple for command in parsed.commands for word in command.words)
            and all(word.is_simple for loop in parsed.loops for word in loop.words)
        )

    def _is_local_assignment(self, written: str) -> bool:
        found = ASSIGNMENT.fullmatch(written)
        return bool(
            found and self._is_local(found["name"]) and not re.search(r"[$`(]", found["value"])
        )

    def _is_local(self, name: str) -> bool:
        """Return whether it is a variable of the line that no program gets to see."""
        return bool(LOCAL_VARIABLE.fullmatch(name)) and name not in self.context.environment

    def _covers_part(self, words: tuple[Word, ...], places: Places) -> bool:
        call = Call(words, places).read()
        if any(_covers(spec, call) for spec in self.specs):
            return True
        is_wrapper = call.program is not None and call.program.operands == "command"
        if not is_wrapper or call.unclear or (call.program and call.program.is_named):
            return False
        return not call.inner or self._covers_part(call.inner, places)


def is_silent(words: tuple[Word, ...]) -> bool:
    """Return whether the command needs no rule: it starts, reads and writes nothing."""
    name, *rest = words
    if any(word.may_split or (word.expands and word.text not in STATUS_VARIABLES) for word in rest):
        return False
    texts = [word.text for word in rest]
    if name.text in SILENT_COMMANDS:
        has_names = any(text in VARIABLE_TESTS or re.search(r"\$\(|`", text) for text in texts)
        sets = name.text == "printf" and any(text.startswith("-v") for text in texts)
        return not (has_names or sets)
    if name.text == "command":
        return texts[:1] in (["-v"], ["-V"])
    if name.text in ("grep", "egrep", "fgrep"):
        options, pattern = texts[:-1], texts[-1:]
        return _is_filter(options, NOTHING, "rRfdD") and not "".join(pattern or "-").startswith("-")
    allowed = FILTERS.get(name.text)
    return allowed is not None and _is_filter(texts, allowed, FILE_OPTIONS.get(name.text, ""))


def _is_filter(texts: Sequence[str], operand: re.Pattern[str], files: str) -> bool:
    return all(
        (FILTER_OPTION.fullmatch(text) and not set(text) & set(files))
        if text.startswith("-")
        else operand.fullmatch(text)
        for text in texts
    )


def _move(places: Places, words: tuple[Word, ...], *, surely: bool) -> Places | None:
    if len(words) != 2 or not words[1].is_static or words[1].text.startswith("-"):
        return None
    if "CDPATH" in places.context.environment and words[1].text[:1] not in "./~":
        return None
    return places.move(words[1].text, surely=surely)


def _is_harmless(redirection: Redirection, places: Places) -> bool:
    written = f"{redirection.operator}{redirection.target.source}"
    if HARMLESS_REDIRECTIONS.fullmatch(written):
        return True
    is_read = redirection.operator in ("<", "0<") and redirection.target.is_static
    return is_read and places.holds(redirection.target)


def _is_exact(spec: str) -> bool:
    return STAR.search(spec) is None and not spec.endswith(ANY_ARGUMENTS)


def _covers(spec: str, call: Call) -> bool:
    if _is_exact(spec):
        return UNNAMED not in call.unclear and _is_same(spec, call.words)
    # A blank inside a word must not match the blank between two words of the spec.
    written = " ".join(BLANK.sub("\0", word.text) for word in call.words)
    if not spec_regex(spec).fullmatch(written):
        return False
    named = {unescape(word) for word in spec.removesuffix(ANY_ARGUMENTS).split() if word != "*"}
    return _find_unclear(call, named) <= named


def _find_unclear(call: Call, named: set[str]) -> set[str]:
    """Return the unclear words of the call and of the commands that it starts."""
    if not call.inner:
        return call.unclear
    inner = Call(call.inner, call.places).read()
    return call.unclear | {call.inner[0].text} | _find_unclear(inner, named)


def _is_same(spec: str, words: tuple[Word, ...]) -> bool:
    """Return whether the spec is this command, however it is quoted."""
    parsed = parse_line(unescape(spec))
    if not parsed.plain:
        return False
    known = parsed.commands[0].words
    return [word.text for word in known] == [word.text for word in words] and all(
        one.source == other.source or (one.is_static and other.is_static)
        for one, other in zip(known, words, strict=True)
    )
