"""The tool message: what the model gets to read of one call.

What a failed program printed, cut down to what a reader needs to repair it.

What the compilers and runtimes of Go and Rust say, cut down to the first causes.

Tracebacks of Python and Node cut down to the user's own last place in them.

The beginning of a text that is longer than a model gets to read of one output.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from mini_agent.tools.hints import hint_for
from mini_agent.tools.invoker import ToolOutput

CAUSES: Final = 3
BLOCK_LINES: Final = 14
GO_PLACE: Final = re.compile(r"^(?:\./|vet: )?\S+\.go:\d+:\d+: ")
GO_FRAME: Final = re.compile(r"^\t\S+\.go:\d+")
GOS_OWN: Final = re.compile(r"/(?:usr|opt)/\S*go\S*/src/|/runtime/")
RUST_ERROR: Final = re.compile(r"^error(\[E\d+\])?: ")
RUST_BLOCK: Final = re.compile(r"^(error|warning|note)(\[E?\w+\])?: ")
RUST_TALLY: Final = re.compile(r"^error: (aborting due to|could not compile)")


def go_digest(lines: list[str]) -> list[str]:
    """The first places the compiler names, or a panic with the user's own frame."""
    places = [line for line in lines if GO_PLACE.match(line)]
    if places:
        return [*places[:CAUSES], *_left_out(len(places), "places")]
    message = _until(lines, "goroutine ")
    frames = [line for line in lines if GO_FRAME.match(line)]
    own = [line for line in frames if not GOS_OWN.search(line)]
    return [*message, *(own or frames)[:1]]


def rust_digest(lines: list[str]) -> list[str]:
    """The first error with its lines of code; warnings are left out."""
    starts = [index for index, line in enumerate(lines) if RUST_BLOCK.match(line)]
    errors = [
        index
        for index in starts
        if RUST_ERROR.match(lines[index]) and not RUST_TALLY.match(lines[index])
    ]
    if not errors:
        return lines
    end = next((index for index in starts if index > errors[0]), len(lines))
    block = [line for line in lines[errors[0] : end] if line.strip()]
    return [*block[:BLOCK_LINES], *_left_out(len(errors), "errors", shown=1)]


def _until(lines: list[str], sign: str) -> list[str]:
    message = []
    for line in lines:
        if line.startswith(sign):
            break
        if line.strip():
            message.append(line)
    return message[: 2 * CAUSES]


def _left_out(count: int, what: str, shown: int = CAUSES) -> list[str]:
    return [f"[and {count - shown} more {what}]"] if count > shown else []


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
    return [*shown, *_observation_shortened(last[message:])]


def node_digest(lines: list[str]) -> list[str]:
    """What is above the stack, which holds the line and the message, and the user's own frame."""
    frames = [index for index, line in enumerate(lines) if NODE_FRAME.match(line)]
    if not frames:
        return lines
    own = [lines[index] for index in frames if not NODES_OWN.search(lines[index])]
    above = [line for line in lines[: frames[0]] if line.strip()]
    return [*_observation_shortened(above), *own[:1]]


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


def _observation_shortened(lines: list[str]) -> list[str]:
    if len(lines) <= MESSAGE_LINES:
        return lines
    half = MESSAGE_LINES // 2
    left_out = f"[... {len(lines) - MESSAGE_LINES} lines ...]"
    return [*lines[:half], left_out, *lines[-half:]]


# A complaint this short is shown as it is.
SHORT: Final = 600
LONGEST_LINE: Final = 300

Digest = Callable[[list[str]], list[str]]
SIGNS: Final[tuple[tuple[re.Pattern[str], Digest], ...]] = (
    (
        re.compile(r"^Traceback \(most recent call last\):|^  File \".*\", line \d+", re.MULTILINE),
        python_digest,
    ),
    (re.compile(r"^error(\[E\d+\])?: .*\n +--> ", re.MULTILINE), rust_digest),
    (re.compile(r"^goroutine \d+ \[|^(\./|vet: )?\S+\.go:\d+:\d+: ", re.MULTILINE), go_digest),
    (re.compile(r"^    at .+[:(]\S*:\d+:\d+\)?$|^Node\.js v\d", re.MULTILINE), node_digest),
)


def failure_digest(stderr: str) -> str:
    """`stderr` of a failed program: the place, the line and the message, without the rest."""
    if len(stderr) <= SHORT:
        return stderr
    for sign, digest in SIGNS:
        if sign.search(stderr):
            return collapsed("\n".join(digest(stderr.splitlines())))
    return collapsed(stderr)


def collapsed(text: str) -> str:
    """`text` with equal lines in a row told once, and very long lines cut in their middle."""
    return "\n".join(_collapsed_lines(text))


def _collapsed_lines(text: str) -> Iterator[str]:
    for line, same in groupby(text.split("\n")):
        times = sum(1 for _ in same)
        shown = _shortened(line)
        if times > 2:
            yield shown
            yield f"[the same line {times - 1} more times]"
        else:
            yield from [shown] * times


def _shortened(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    half = LONGEST_LINE // 2
    return f"{line[:half]} [... {len(line) - 2 * half} characters ...] {line[-half:]}"


TAIL: Final = 2000
REPAIR: Final = "The call failed. Fix the cause and call the tool again."


def observation(name: str, output: ToolOutput, directive: str = REPAIR) -> str:
    """A header with how it ended, the tails of what it printed, and after a failure `directive`.

    What a failed program complained about is digested, so that it fits a small context; where its
    cause is known, a hint follows. The demo model is trained on exactly this form.
    """
    lines = [_header(name, output), *_body(output)]
    if output.note:
        lines.append(f"note: {output.note}")
    hint = hint_for(name, output)
    if hint:
        lines.append(f"hint: {hint}")
    if directive and not output.ok:
        lines.append(directive)
    return "\n".join(lines)


def _header(name: str, output: ToolOutput) -> str:
    if output.rc is None:
        return f"[{name} error]"
    words = [name, f"rc={output.rc}", output.status]
    return f"[{' '.join(word for word in words if word)}]"


def _body(output: ToolOutput) -> Iterator[str]:
    if output.rc is None:
        yield (output.error or "it failed without saying why")[:TAIL]
        return
    stdout, stderr = output.stdout, output.stderr
    if not output.ok:
        stdout, stderr = collapsed(stdout), failure_digest(stderr)
    streams = [*_stream("stdout", stdout), *_stream("stderr", stderr)]
    # A program that prints shows what it wants to; one that forgot to still has its value.
    value = [] if output.stdout.strip() else [*_stream("result", output.result)]
    yield from [*streams, *value] or ["(no output)"]


def _stream(name: str, text: str) -> Iterator[str]:
    text = text.removesuffix("\n")
    if not text:
        return
    if len(text) > TAIL:
        yield f"{name} (last {TAIL} of {len(text)} characters):"
    else:
        yield f"{name}:"
    yield text[-TAIL:]


ROOM_FOR_REMARK: Final = 50


def beginning(text: str, most: int = TAIL) -> str:
    """`text`, or what of its beginning fits in `most` characters, to the end of a line or sentence.

    Of what a program printed the end counts; of what was looked up the best comes first.
    """
    if len(text) <= most:
        return text
    kept = text[: max(0, most - ROOM_FOR_REMARK)]
    end = max(kept.rfind("\n"), kept.rfind(". ") + 1)
    kept = kept[:end] if end > len(kept) // 2 else kept
    return f"{kept.rstrip()}\n({len(text) - len(kept)} more characters were left out)"
