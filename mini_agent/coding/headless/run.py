"""Runs `mini-agent -p`: reads the prompts, prints the results, returns an exit code."""

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
from mini_agent.coding.bootstrap import AssistantRuntime, Dependencies, SessionContext, open_session
from mini_agent.coding.headless.output import (
    JsonObserver,
    StreamObserver,
    TextObserver,
    has_reader,
    print_message,
)
from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.observer import Observer
from mini_agent.coding.options import Options
from mini_agent.coding.prompt_input import PromptInput, parse_prompt
from mini_agent.coding.text_encoding import InputLines, declared_encoding, decode_text
from mini_agent.coding.transcript.log import Block
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import EXIT_DONE, EXIT_FAILED, TurnOutcome
from mini_agent.errors import BadRequest, MiniAgentError

# A pipe that is never written to must not block the start.
STDIN_TIMEOUT_S: Final = 3.0
STDIN_IGNORED: Final = (
    f"nothing came on standard input within {STDIN_TIMEOUT_S:g} s, so it is left out; "
    "< /dev/null does so at once, a file takes its time"
)
MESSAGE_HINT: Final = 'write {"type": "user", "message": {"role": "user", "content": "..."}}'
NO_PROMPT_HINT: Final = (
    "give a prompt with -p or on standard input, or take --interactive; --resume alone goes on "
    "with a session that waits for its model"
)


def run(launch: LaunchConfig) -> int:
    """Return the exit code; an interrupt is recorded and raised."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # A closed terminal must leave no command running; under nohup the signal stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        return run_blocking(run_headless(launch))
    except KeyboardInterrupt:
        if has_reader():
            raise
        return EXIT_FAILED


async def run_headless(launch: LaunchConfig) -> int:
    """Return the exit code of the last prompt; a failed one is the last."""
    kind = launch.options.output_format

    def build_observer(session: Session, context: SessionContext) -> Observer:
        if kind == "text":
            return TextObserver()
        return JsonObserver(session) if kind == "json" else StreamObserver(session, context)

    code = EXIT_DONE
    async with (
        open_session(launch, Dependencies(build_observer)) as runtime,
        aclosing(read_prompts(launch.options)) as prompts,
    ):
        async for prompt_input in prompts:
            code = await _run_prompt(runtime, prompt_input)
            if code != EXIT_DONE:
                break
    return code


async def read_prompts(options: Options) -> AsyncGenerator[PromptInput, None]:
    """Yield the prompt of -p with standard input; with stream-json, one prompt a line."""
    if options.input_format == "text":
        yield _join_piped(options.prompt or "", await asyncio.to_thread(_read_piped, options))
        return
    if options.prompt:
        yield parse_prompt(options.prompt)
    line_number, lines = 0, InputLines(sys.stdin.buffer, declared_encoding())
    while line := await asyncio.to_thread(lines.read):
        line_number += 1
        if lines.note:
            print_message(f"line {line_number} of standard input: {lines.note}")
        if line.strip():
            yield _parse_message(line, line_number)


async def _run_prompt(runtime: AssistantRuntime, prompt_input: PromptInput) -> int:
    before = runtime.usage_tracker.total.cost
    try:
        text = await runtime.custom_commands.expand_line(prompt_input.text)
        outcome = await _answer(runtime.assistant, prompt_input.with_text(text))
    except BadRequest:
        raise
    except MiniAgentError as error:
        outcome = TurnOutcome("failed", error=str(error))
    except asyncio.CancelledError:
        runtime.observer.on_ended(TurnOutcome("interrupted", error="interrupted"))
        raise
    # The cost of subagents and summaries belongs to this prompt as well.
    usage = outcome.usage.model_copy(update={"cost": runtime.usage_tracker.total.cost - before})
    runtime.observer.on_ended(replace(outcome, usage=usage))
    return outcome.exit_code


async def _answer(assistant: Assistant, prompt_input: PromptInput) -> TurnOutcome:
    if prompt_input.blocks:
        return await assistant.say(prompt_input.blocks)
    if prompt_input.text.strip():
        return await assistant.prompt(prompt_input.text)
    if assistant.session.pending or assistant.session.awaits_model:
        return await assistant.answer()
    raise BadRequest("there is nothing to do", hint=NO_PROMPT_HINT)


def _join_piped(prompt: str, piped: str) -> PromptInput:
    prompt_input = parse_prompt(prompt)
    if prompt_input.blocks or not piped:
        return prompt_input
    return replace(prompt_input, piped=piped)


def _read_piped(options: Options) -> str:
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    has_prompt = bool(options.prompt or options.resume or options.continue_newest)
    if has_prompt and not select.select([sys.stdin], [], [], STDIN_TIMEOUT_S)[0]:
        print_message(STDIN_IGNORED)
        return ""
    decoded = decode_text(sys.stdin.buffer.read(), declared_encoding())
    if decoded.note:
        print_message(f"standard input: {decoded.note}")
    return decoded.text.strip()


def _parse_message(line: str, line_number: int) -> PromptInput:
    try:
        content = json.loads(line)["message"]["content"]
    except (ValueError, KeyError, TypeError):
        content = None
    if isinstance(content, str):
        return PromptInput(content)
    if not isinstance(content, list):
        where = f"line {line_number} of standard input"
        raise BadRequest(
            f"{where} is no message of the user: {line.strip():.80}", hint=MESSAGE_HINT
        )
    blocks: list[Block] = [block for block in content if isinstance(block, dict)]
    return PromptInput(blocks=tuple(blocks))
