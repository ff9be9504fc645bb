"""The tool message: what the model gets to read of one call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mini_agent.tools.invoker import ToolOutput

TAIL: Final = 2000
REPAIR: Final = "The call failed. Fix the cause and call the tool again."


def observation(name: str, output: ToolOutput, directive: str = REPAIR) -> str:
    """A header with how it ended, the tails of what it printed, and after a failure `directive`.

    The demo model is trained on exactly this form.
    """
    lines = [_header(name, output), *_body(output)]
    if output.note:
        lines.append(f"note: {output.note}")
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
    streams = [*_stream("stdout", output.stdout), *_stream("stderr", output.stderr)]
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
