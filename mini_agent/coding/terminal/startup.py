"""Runs `mini-agent` at a terminal, session after session, until the user leaves.

The prompt is shown before the rest is imported, which happens while the user types.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from types import ModuleType
from typing import Final

from mini_agent.coding.launch import LaunchConfig, read_launch_config
from mini_agent.coding.terminal.commands import Transition
from mini_agent.coding.terminal.console import TerminalConsole
from mini_agent.coding.usage import EXIT_INTERRUPTED
from mini_agent.errors import MiniAgentError

IMPORT_DELAY_S: Final = 0.05


def run(launch: LaunchConfig) -> int:
    """Return the exit code: 0; 2 for withheld tools; 130 after SIGTERM or a closed terminal."""
    try:
        return asyncio.run(_run(launch))
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED


async def _run(launch: LaunchConfig) -> int:
    _cancel_on_signals()
    sessions = asyncio.create_task(_import_repl())
    console = TerminalConsole(launch)
    with console.reader.suppress_echo():
        launch = await console.ask_trust(launch)
        return await _run_sessions(launch, console, sessions)


async def _run_sessions(
    launch: LaunchConfig, console: TerminalConsole, sessions: asyncio.Task[object]
) -> int:
    first, launch = await _read_first(launch, console)
    await sessions
    from mini_agent.coding.terminal.repl import close_clients, run_session

    begins = "startup"
    try:
        while True:
            result = await run_session(launch, console, first, begins)
            if not result.opens_session:
                return result.exit_code
            first, begins = "", "clear"
            launch = _next_launch(launch, result, console)
            console.show_session(launch)
            launch = replace(launch, session_file=console.session_file)
            launch = await console.ask_trust(launch)
    finally:
        await close_clients()


async def _read_first(
    launch: LaunchConfig, console: TerminalConsole
) -> tuple[str | None, LaunchConfig]:
    """Read the first prompt at once, unless the session has something to do before."""
    options = launch.options
    if options.prompt or options.resume or options.continue_newest:
        return options.prompt or "", console.launch
    if launch.sandbox.enabled:
        # The session is opened before the prompt: where there is no sandbox, nothing is typed.
        return "", console.launch
    first = await console.reader.read_prompt()
    return first, console.launch


def _next_launch(
    launch: LaunchConfig, result: Transition, console: TerminalConsole
) -> LaunchConfig:
    """Read the launch configuration again; keep the old one where that fails."""
    options = replace(
        launch.options,
        prompt=None,
        continue_newest=False,
        resume=result.session,
        model=result.model or launch.options.model,
    )
    try:
        return read_launch_config(options, launch.variables)
    except MiniAgentError as reason:
        console.show_error(f"{reason}; what was read before still holds")
        return replace(
            launch, options=options, model=result.model or launch.model, session_file=None
        )


def _cancel_on_signals() -> None:
    """Cancel the main task on SIGTERM and SIGHUP, so that no child process is left."""
    running = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if running is not None and signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, running.cancel)


async def _import_repl() -> ModuleType:
    # The import holds the interpreter lock: let the prompt be drawn first.
    await asyncio.sleep(IMPORT_DELAY_S)
    return await asyncio.to_thread(_load_repl)


def _load_repl() -> ModuleType:
    from mini_agent.coding.terminal import repl

    return repl
