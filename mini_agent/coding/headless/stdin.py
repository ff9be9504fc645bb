"""What comes in on standard input: a text beside the prompt, or a message a line."""

from __future__ import annotations

import asyncio
import json
import select
import sys
from collections.abc import AsyncGenerator
from typing import Final

from mini_agent.coding.options import Options
from mini_agent.coding.prompt_input import Given, given_in
from mini_agent.coding.transcript.log import Block
from mini_agent.errors import BadRequest

# Who starts us with a pipe that nobody writes to did not mean to give us anything.
PATIENCE_S: Final = 3.0
LEFT_OUT: Final = (
    f"mini-agent: nothing came on standard input within {PATIENCE_S:g} s, so it is left out; "
    "< /dev/null does so at once, a file takes its time"
)
SHAPE: Final = 'write {"type": "user", "message": {"role": "user", "content": "..."}}'


async def prompts(options: Options) -> AsyncGenerator[Given, None]:
    """One prompt, of -p and standard input together; or, as stream-json, one a line."""
    if options.input_format == "text":
        yield _one(options.prompt or "", await asyncio.to_thread(_piped, options))
        return
    if options.prompt:
        yield given_in(options.prompt)
    number = 0
    while line := await asyncio.to_thread(sys.stdin.readline):
        number += 1
        if line.strip():
            yield _message(line, number)


def _one(prompt: str, piped: str) -> Given:
    given = given_in(prompt)
    if given.blocks or not piped:
        return given
    return Given("\n\n".join(text for text in (piped, given.text) if text))


def _piped(options: Options) -> str:
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    has_prompt = bool(options.prompt or options.resume or options.continues)
    if has_prompt and not select.select([sys.stdin], [], [], PATIENCE_S)[0]:
        print(LEFT_OUT, file=sys.stderr)
        return ""
    return sys.stdin.read().strip()


def _message(line: str, number: int) -> Given:
    try:
        content = json.loads(line)["message"]["content"]
    except (ValueError, KeyError, TypeError):
        content = None
    if isinstance(content, str):
        return Given(content)
    if not isinstance(content, list):
        where = f"line {number} of standard input"
        raise BadRequest(f"{where} is no message of the user: {line.strip():.80}", hint=SHAPE)
    blocks: list[Block] = [block for block in content if isinstance(block, dict)]
    return Given(blocks=tuple(blocks))
