"""Format the output of a tool call as the message that the model reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from mini_agent.tools.hints import find_hint
from mini_agent.tools.invoker import ToolOutput
from mini_agent.tools.outputs import keep_ends

MAX_CAUSES: Final = 3
MAX_BLOCK_LINES: Final = 14
GO_PLACE: Final = re.compile(r"^(?:\./|vet: )?\S+\.go:\d+:\d+: ")
GO_FRAME: Final = re.compile(r"^\t\S+\.go:\d+")
GO_RUNTIME_FRAME: Final = re.compile(r"/(?:usr|opt)/\S*go\S*/src/|/runtime/")
RUST_ERROR: Final = re.compile(r"^error(\[E\d+\])?: ")
RUST_BLOCK: Final = re.compile(r"^(error|warning|note)(\[E?\w+\])?: ")
RUST_TALLY: Final = re.compile(r"^error: (aborting due to|could not compile)")


def digest_go(lines: list[str]) -> list[str]:
    """Keep the first places the compiler names, or a panic with the user's own frame."""
    places = [line for line in lines if GO_PLACE.match(line)]
    if places:
        return [*places[:MAX_CAUSES], *_omission_note(len(places), "places")]
    message = _lines_until(lines, "goroutine ")
    frames = [line for line in lines if GO_FRAME.match(line)]
    own = [line for line in frames if not GO_RUNTIME_FRAME.search(line)]
    return [*message, *(own or frames)[:1]]


def digest_rust(lines: list[str]) -> list[str]:
    """Keep the first error with its lines of code; warnings are left out."""
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
    return [*block[:MAX_BLOCK_LINES], *_omission_note(len(errors), "errors", shown=1)]


def _lines_until(lines: list[str], sign: str) -> list[str]:
    message = []
    for line in lines:
        if line.startswith(sign):
            break
        if line.strip():
            message.append(line)
    return message[: 2 * MAX_CAUSES]


def _omission_note(count: int, what: str, shown: int = MAX_CAUSES) -> list[str]:
    return [f"[and {count - shown} more {what}]"] if count > shown else []


TRACEBACK: Final = "Traceback (most recent call last):"
FRAME: Final = re.compile(r'^ +(?:\| +)?File "(?P<file>[^"]*)", line \d+')
LIBRARY_PATH: Final = re.compile(r"^<frozen|/lib/python|/site-packages/|/dist-packages/")
MAX_MESSAGE_LINES: Final = 12
NODE_FRAME: Final = re.compile(r"^    at ")
NODE_RUNTIME_FRAME: Final = re.compile(r"node:|/node_modules/|\(<anonymous>\)")


def digest_python(lines: list[str]) -> list[str]:
    """Keep of the last traceback its last frame in the user's own files, and its message."""
    starts = [index for index, line in enumerate(lines) if line.startswith(TRACEBACK)]
    last = lines[starts[-1] :] if starts else lines
    frames = [index for index, line in enumerate(last) if FRAME.match(line)]
    if not frames:
        return last
    own = [index for index in frames if not LIBRARY_PATH.search(_frame_file(last[index]))]
    message = _find_message_start(last, frames[-1])
    shown = last[:1] if starts else []
    shown += _frame_lines(last, (own or frames)[-1], message)
    if own and own[-1] != frames[-1]:
        shown.append(f"  [... {sum(each > own[-1] for each in frames)} frames below it ...]")
    return [*shown, *_shorten_message(last[message:])]


def digest_node(lines: list[str]) -> list[str]:
    """Keep what is above the stack (the line and the message) and the user's own frame."""
    frames = [index for index, line in enumerate(lines) if NODE_FRAME.match(line)]
    if not frames:
        return lines
    own = [lines[index] for index in frames if not NODE_RUNTIME_FRAME.search(lines[index])]
    above = [line for line in lines[: frames[0]] if line.strip()]
    return [*_shorten_message(above), *own[:1]]


def _frame_file(line: str) -> str:
    found = FRAME.match(line)
    return found["file"] if found else ""


# Behind the last frame come its line of code, marks below it, and then the message at the margin.
def _find_message_start(lines: list[str], last_frame: int) -> int:
    rest = range(last_frame + 1, len(lines))
    return next((index for index in rest if lines[index][:1].strip()), len(lines))


def _frame_lines(lines: list[str], start: int, end: int) -> list[str]:
    frame = [lines[start]]
    for line in lines[start + 1 : end]:
        if FRAME.match(line):
            break
        frame.append(line)
    return frame


def _shorten_message(lines: list[str]) -> list[str]:
    if len(lines) <= MAX_MESSAGE_LINES:
        return lines
    half = MAX_MESSAGE_LINES // 2
    left_out = f"[... {len(lines) - MAX_MESSAGE_LINES} lines ...]"
    return [*lines[:half], left_out, *lines[-half:]]


# A complaint this short is shown as it is.
MAX_VERBATIM_CHARS: Final = 600
MAX_LINE_CHARS: Final = 300

Digest = Callable[[list[str]], list[str]]
DIGESTS: Final[tuple[tuple[re.Pattern[str], Digest], ...]] = (
    (
        re.compile(r"^Traceback \(most recent call last\):|^  File \".*\", line \d+", re.MULTILINE),
        digest_python,
    ),
    (re.compile(r"^error(\[E\d+\])?: .*\n +--> ", re.MULTILINE), digest_rust),
    (re.compile(r"^goroutine \d+ \[|^(\./|vet: )?\S+\.go:\d+:\d+: ", re.MULTILINE), digest_go),
    (re.compile(r"^    at .+[:(]\S*:\d+:\d+\)?$|^Node\.js v\d", re.MULTILINE), digest_node),
)


def digest_failure(stderr: str) -> str:
    """Shorten `stderr` of a failed program to the place, the line and the message."""
    if len(stderr) <= MAX_VERBATIM_CHARS:
        return stderr
    for sign, digest in DIGESTS:
        if sign.search(stderr):
            return collapse_lines("\n".join(digest(stderr.splitlines())))
    return collapse_lines(stderr)


def collapse_lines(text: str) -> str:
    """Collapse equal lines in a row, and cut very long lines in their middle."""
    return "\n".join(_collapse(text))


def _collapse(text: str) -> Iterator[str]:
    for line, same in groupby(text.split("\n")):
        times = sum(1 for _ in same)
        shown = _shorten_line(line)
        if times > 2:
            yield shown
            yield f"[the same line {times - 1} more times]"
        else:
            yield from [shown] * times


def _shorten_line(line: str) -> str:
    if len(line) <= MAX_LINE_CHARS:
        return line
    half = MAX_LINE_CHARS // 2
    return f"{line[:half]} [... {len(line) - 2 * half} characters ...] {line[-half:]}"


MAX_STREAM_CHARS: Final = 2000
REPAIR_DIRECTIVE: Final = "The call failed. Fix the cause and call the tool again."


def format_observation(
    name: str,
    output: ToolOutput,
    directive: str = REPAIR_DIRECTIVE,
    most: int = MAX_STREAM_CHARS,
) -> str:
    """Format a header with the exit code, the streams, and for a failure `directive`.

    Of a stream longer than `most` characters its head and its tail are shown. What a failed program
    complained about is digested, so that it fits a small context; where its cause is known, a hint
    follows. The demo model is trained on exactly this form.
    """
    lines = [_format_header(name, output), *_format_body(output, most)]
    if output.note:
        lines.append(f"note: {output.note}")
    hint = find_hint(name, output)
    if hint:
        lines.append(f"hint: {hint}")
    if directive and not output.ok:
        lines.append(directive)
    return "\n".join(lines)


def _format_header(name: str, output: ToolOutput) -> str:
    if output.rc is None:
        return f"[{name} error]"
    words = [name, f"rc={output.rc}", output.status]
    return f"[{' '.join(word for word in words if word)}]"


def _format_body(output: ToolOutput, most: int) -> Iterator[str]:
    if output.rc is None:
        yield keep_ends(output.error or "it failed without saying why", most)
        return
    stdout, stderr = output.stdout, output.stderr
    if not output.ok:
        stdout, stderr = collapse_lines(stdout), digest_failure(stderr)
    streams = [*_format_stream("stdout", stdout, most), *_format_stream("stderr", stderr, most)]
    # A program that prints shows what it wants to; one that forgot to still has its value.
    value = [] if output.stdout.strip() else [*_format_stream("result", output.result, most)]
    yield from [*streams, *value] or ["(no output)"]


def _format_stream(name: str, text: str, most: int) -> Iterator[str]:
    text = text.removesuffix("\n")
    if not text:
        return
    is_cut = len(text) > most
    yield f"{name} (head and tail of {len(text)} characters):" if is_cut else f"{name}:"
    yield keep_ends(text, most)


REMARK_CHARS: Final = 50


def truncate(text: str, most: int = MAX_STREAM_CHARS) -> str:
    """Truncate `text` to `most` characters, at the end of a line or sentence.

    Of what a program printed the end counts; of what was looked up the best comes first.
    """
    if len(text) <= most:
        return text
    kept = text[: max(0, most - REMARK_CHARS)]
    end = max(kept.rfind("\n"), kept.rfind(". ") + 1)
    kept = kept[:end] if end > len(kept) // 2 else kept
    return f"{kept.rstrip()}\n({len(text) - len(kept)} more characters were left out)"
