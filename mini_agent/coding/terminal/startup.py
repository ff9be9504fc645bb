"""`mini-agent` at a terminal: one session after the other, until the user leaves.

The prompt is shown before the rest is imported: that happens while the user writes.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from types import ModuleType
from typing import Final

from mini_agent.coding.launch import Ground, ground_of
from mini_agent.coding.terminal.commands import Next
from mini_agent.coding.terminal.console import Desk
from mini_agent.coding.usage import STOPPED
from mini_agent.errors import MiniAgentError

HEAD_START_S: Final = 0.05


def run(ground: Ground) -> int:
    """The exit code: 0; 2 when tools were withheld; 130 when somebody ended the program or closed
    its terminal."""
    try:
        return asyncio.run(_run(ground))
    except asyncio.CancelledError:
        return STOPPED


async def _run(ground: Ground) -> int:
    _end_in_order()
    sessions = asyncio.create_task(_imported())
    desk = Desk(ground)
    with desk.reader.quiet():
        return await _until_left(ground, desk, sessions)


async def _until_left(ground: Ground, desk: Desk, sessions: asyncio.Task[object]) -> int:
    first, ground = await _first(ground, desk)
    await sessions
    from mini_agent.coding.terminal.repl import cleaned_up, sat_out

    begins = "startup"
    try:
        while True:
            done = await sat_out(ground, desk, first, begins)
            if not done.goes_on:
                return done.code
            first, begins = "", "clear"
            ground = _ground_after(ground, done, desk)
            desk.sit_down_at(ground)
    finally:
        await cleaned_up()


async def _first(ground: Ground, desk: Desk) -> tuple[str | None, Ground]:
    """The first line of a new session, read at once; an old one may have something to do first."""
    options = ground.options
    if options.prompt or options.resume or options.continues:
        return options.prompt or "", ground
    first = await desk.reader.prompt()
    return first, desk.ground


def _ground_after(ground: Ground, done: Next, desk: Desk) -> Ground:
    """The ground as it is by now; as it was, where it cannot be read any more."""
    options = replace(
        ground.options,
        prompt=None,
        continues=False,
        resume=done.session,
        model=done.model or ground.options.model,
    )
    try:
        return ground_of(options, ground.variables)
    except MiniAgentError as why:
        desk.complain(f"{why}; what was read before still holds")
        return replace(ground, options=options, model=done.model or ground.model)


def _end_in_order() -> None:
    """A signal that ends the program ends it from within: commands would outlive it."""
    running = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if running is not None and signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, running.cancel)


async def _imported() -> ModuleType:
    # Threads share one interpreter: the prompt is to be drawn first.
    await asyncio.sleep(HEAD_START_S)
    return await asyncio.to_thread(_sitting)


def _sitting() -> ModuleType:
    from mini_agent.coding.terminal import repl

    return repl
