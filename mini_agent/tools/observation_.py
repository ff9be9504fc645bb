"""The tool message: what the model gets to read of one call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mini_agent.tools.digest import collapsed, failure_digest
from mini_agent.tools.hints import hint_for
from mini_agent.tools.invoker import ToolOutput

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
