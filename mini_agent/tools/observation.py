"""Tracebacks of Python and Node cut down to the user's own last place in them."""

from __future__ import annotations

import re
from typing import Final

TRACEBACK: Final = "Traceback (most recent call last):"
FRAME: Final = re.compile(r'^ +(?:\| +)?File "(?P<file>[^"]*)", line \d+')
NOT_THE_USERS: Final = re.compile(r"^<frozen|/lib/python|/site-packages/|/dist-packages/")
MESSAGE_LINES: Final = 12
NODE_FRAME: Final = re.compile(r"^    at ")
NODES_OWN: Final = re.compile(r"node:|/node_modules/|\(<anonymous>\)")


def python_digest(lines: list[str]) -> list[str]:
    """The last traceback of `lines`: its last frame in the user's own files, and its message."""
    starts = [index for index, line in enumerate(lines) if line.startswith(TRACEBACK)]
    last = lines[starts[-1] :] if starts else lines
    frames = [index for index, line in enumerate(last) if FRAME.match(line)]
    if not frames:
        return last
    own = [index for index in frames if not NOT_THE_USERS.search(_file_in(last[index]))]
    message = _message_start(last, frames[-1])
    shown = last[:1] if starts else []
    shown += _frame(last, (own or frames)[-1], message)
    if own and own[-1] != frames[-1]:
        shown.append(f"  [... {sum(each > own[-1] for each in frames)} frames below it ...]")
    return [*shown, *_shortened(last[message:])]


def node_digest(lines: list[str]) -> list[str]:
    """What is above the stack, which holds the line and the message, and the user's own frame."""
    frames = [index for index, line in enumerate(lines) if NODE_FRAME.match(line)]
    if not frames:
        return lines
    own = [lines[index] for index in frames if not NODES_OWN.search(lines[index])]
    above = [line for line in lines[: frames[0]] if line.strip()]
    return [*_shortened(above), *own[:1]]


def _file_in(line: str) -> str:
    found = FRAME.match(line)
    return found["file"] if found else ""


# Behind the last frame come its line of code, marks below it, and then the message at the margin.
def _message_start(lines: list[str], last_frame: int) -> int:
    rest = range(last_frame + 1, len(lines))
    return next((index for index in rest if lines[index][:1].strip()), len(lines))


def _frame(lines: list[str], start: int, end: int) -> list[str]:
    frame = [lines[start]]
    for line in lines[start + 1 : end]:
        if FRAME.match(line):
            break
        frame.append(line)
    return frame


def _shortened(lines: list[str]) -> list[str]:
    if len(lines) <= MESSAGE_LINES:
        return lines
    half = MESSAGE_LINES // 2
    left_out = f"[... {len(lines) - MESSAGE_LINES} lines ...]"
    return [*lines[:half], left_out, *lines[-half:]]
