"""`mini-agent -p`: the prompts there are, their results, and an exit code."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from mini_agent.agent.sync import run_blocking
from mini_agent.coding.assistant import Assistant
from mini_agent.coding.bootstrap import Assembled, Seams, opened
from mini_agent.coding.facts import Facts
from mini_agent.coding.headless.output import JsonWatcher, StreamWatcher, TextWatcher
from mini_agent.coding.headless.stdin import prompts
from mini_agent.coding.launch import Ground
from mini_agent.coding.observer import Watcher
from mini_agent.coding.prompt_input import Given
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import DONE, Outcome
from mini_agent.errors import BadRequest, MiniAgentError

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
