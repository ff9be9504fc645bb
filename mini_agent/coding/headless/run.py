"""`mini-agent -p`: the prompts there are, their results, and an exit code.

What comes in on standard input: a text beside the prompt, or a message a line.
"""

from __future__ import annotations

import asyncio
import json
import select
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from mini_agent.agent.sync import run_blocking
from mini_agent.coding.assistant import Assistant
from mini_agent.coding.bootstrap import Assembled, Facts, Seams, opened
from mini_agent.coding.headless.output import JsonWatcher, StreamWatcher, TextWatcher
from mini_agent.coding.launch import Ground
from mini_agent.coding.observer import Watcher
from mini_agent.coding.options import Options
from mini_agent.coding.prompt_input import Given, given_in
from mini_agent.coding.transcript.log import Block
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import DONE, Outcome
from mini_agent.errors import BadRequest, MiniAgentError

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
        yield _stdin_one(options.prompt or "", await asyncio.to_thread(_piped, options))
        return
    if options.prompt:
        yield given_in(options.prompt)
    number = 0
    while line := await asyncio.to_thread(sys.stdin.readline):
        number += 1
        if line.strip():
            yield _message(line, number)


def _stdin_one(prompt: str, piped: str) -> Given:
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


HOW: Final = (
    "give a prompt with -p or on standard input, or take --interactive; --resume alone goes on "
    "with a session that waits for its model"
)


def run(ground: Ground) -> int:
    """The exit code; an interrupt is written down, and raised."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Whose terminal closes must not leave a command running; nohup wants to be left alone.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    return run_blocking(run_headless(ground))


async def run_headless(ground: Ground) -> int:
    """The exit code of the last prompt; after one that failed there is none."""
    kind = ground.options.output_format

    def watching(session: Session, facts: Facts) -> Watcher:
        if kind == "text":
            return TextWatcher()
        return JsonWatcher(session) if kind == "json" else StreamWatcher(session, facts)

    code = DONE
    async with (
        opened(ground, Seams(watching)) as assembled,
        aclosing(prompts(ground.options)) as given,
    ):
        async for each in given:
            code = await _one(assembled, each)
            if code != DONE:
                break
    return code


async def _one(assembled: Assembled, given: Given) -> int:
    before = assembled.ledger.total.cost
    try:
        outcome = await _outcome(assembled.assistant, given)
    except BadRequest:
        raise
    except MiniAgentError as why:
        outcome = Outcome("failed", error=str(why))
    except asyncio.CancelledError:
        assembled.watcher.ended(Outcome("interrupted", error="interrupted"))
        raise
    # What agents and summaries have cost was asked for by this prompt as well.
    usage = outcome.usage.model_copy(update={"cost": assembled.ledger.total.cost - before})
    assembled.watcher.ended(replace(outcome, usage=usage))
    return outcome.exit_code


async def _outcome(assistant: Assistant, given: Given) -> Outcome:
    if given.blocks:
        return await assistant.say(given.blocks)
    if given.text.strip():
        return await assistant.prompt(given.text)
    if assistant.session.pending or assistant.session.awaits_the_model:
        return await assistant.answer()
    raise BadRequest("there is nothing to do", hint=HOW)
