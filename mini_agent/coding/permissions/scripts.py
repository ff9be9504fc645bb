"""Whether a script of sed or awk is known to start no program and to touch no file."""

from __future__ import annotations

import re
from typing import Final

# One address of sed: a line, the last, a regular expression, each with what GNU sed adds.
ADDRESS: Final = re.compile(r"\d+(?:~\d+)?|\$|[+~]\d+")
REGEX_FLAGS: Final = re.compile(r"[IM]*")
BLANKS: Final = re.compile(r"[\s;]*")
# Commands without arguments; q, Q, l take a number.
PLAIN_COMMANDS: Final = re.compile(r"[=dDgGhHnNpPxzF]|[qQl][ \t]*\d*")
LABEL: Final = re.compile(r"[:btT][ \t]*[\w.-]*")
TEXT: Final = re.compile(r"[aic](?:\\.|[^\\\n])*", re.DOTALL)
COMMENT: Final = re.compile(r"#[^\n]*")
SUBSTITUTE_FLAGS: Final = re.compile(r"[gpiIMm\d]*")
COMMAND_END: Final = re.compile(r"[ \t]*(?=$|[;\n}#])")
AWK_STARTS: Final = re.compile(r"system|getline|@|\\\n|\\\r")
# After print, a > or | leads its output to a file or a program.
AWK_PRINTS: Final = re.compile(r"print[\s\S]*[|>]")


def is_safe_awk(script: str) -> bool:
    """Return whether the program reads and writes nothing but its input and output."""
    return not (AWK_STARTS.search(script) or AWK_PRINTS.search(script))


def is_safe_sed(script: str) -> bool:
    """Return whether the script has only commands that start nothing and touch no other file."""
    at: int | None = 0
    while at is not None and at < len(script):
        at = _read_command(script, _match(BLANKS, script, at))
    return at is not None


def _read_command(script: str, at: int) -> int | None:
    """Return where the command that begins at `at` ends; None if it is not known."""
    after = _read_addresses(script, at)
    if after is None or after >= len(script):
        return after
    sign = script[after]
    if sign in "{}":
        return after + 1
    if sign in "sy":
        return _read_substitution(script, after)
    if found := TEXT.match(script, after) or COMMENT.match(script, after):
        return found.end()
    found = PLAIN_COMMANDS.match(script, after) or LABEL.match(script, after)
    return _end_command(script, found.end()) if found else None


def _read_addresses(script: str, at: int) -> int | None:
    after = _read_address(script, at)
    if after is None or after == at:
        return after
    comma = re.compile(r"\s*,\s*").match(script, after)
    if comma:
        after = _read_address(script, comma.end())
        if after is None or after == comma.end():
            return None
    return _match(re.compile(r"[\s!]*"), script, after)


def _read_address(script: str, at: int) -> int | None:
    if found := ADDRESS.match(script, at):
        return found.end()
    start = at
    if script[at : at + 1] == "\\":
        start += 1
    elif script[at : at + 1] != "/":
        return at
    after = _read_until(script, start + 1, script[start : start + 1])
    return None if after is None else _match(REGEX_FLAGS, script, after)


def _read_substitution(script: str, at: int) -> int | None:
    delimiter = script[at + 1 : at + 2]
    middle = _read_until(script, at + 2, delimiter)
    after = None if middle is None else _read_until(script, middle, delimiter)
    if after is None or script[at] == "y":
        return None if after is None else _end_command(script, after)
    return _end_command(script, _match(SUBSTITUTE_FLAGS, script, after))


def _read_until(script: str, at: int, delimiter: str) -> int | None:
    """Return where the text behind the next delimiter begins.

    None as well for what seds read differently: a delimiter that is a word's character or a blank,
    and one that stands in brackets.
    """
    if not delimiter or delimiter.isalnum() or delimiter.isspace() or delimiter in "\\[]{};":
        return None
    begin = at
    while at < len(script) and script[at] != delimiter:
        at += 2 if script[at] == "\\" else 1
    text = re.sub(r"\\.", "", script[begin:at], flags=re.DOTALL)
    is_open = text.rfind("[") > text.rfind("]")
    return None if at >= len(script) or is_open else at + 1


def _end_command(script: str, at: int) -> int | None:
    found = COMMAND_END.match(script, at)
    return found.end() if found else None


def _match(pattern: re.Pattern[str], script: str, at: int) -> int:
    found = pattern.match(script, at)
    return found.end() if found else at
