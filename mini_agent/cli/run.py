"""`mini-agent run`: execute one prompt, show its progress, print the answer."""

from __future__ import annotations

import sys
import warnings
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from mini_agent.agent.progress_text import format_progress
from mini_agent.agent.sync import stream_blocking
from mini_agent.errors import BadRequest
from mini_agent.events import Event, Stopped
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.net.terminal_text import escape_controls
from mini_agent.provider.parameters import LiteLLMCall
from mini_agent.provider.run import ProviderRun, prepare_run
from mini_agent.result import AgentResult

STDIN_ARGUMENT: Final = "-"
OPTION_BY_PARAMETER: Final = {
    "tool_backend=": "--backend ",
    "tool_backend": "--backend",
    "target_model": "--model",
    "max_wallclock_seconds": "--seconds",
}


@dataclass(frozen=True, slots=True)
class RunCommand:
    """The arguments of the command; the environment or a default replaces an empty one."""

    prompt: str
    model: str = ""
    backend: str | None = None
    seconds: float | None = None
    as_json: bool = False


def run_prompt(command: RunCommand) -> int:
    """Run a prompt; print the answer, and progress on standard error; return 0 for a success.

    With `as_json` every event is a line of JSON on standard output instead. An interrupt ends the
    run and its sandbox, and is raised.
    """
    # LiteLLM's, when a call is cancelled that it was still preparing; the user cannot help it.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    run = _prepare(_build_call(command))
    if run.is_local:
        # It takes seconds: on this thread, where Ctrl-C ends it at once.
        import_litellm()
    tell = _print_json if command.as_json else _print_text
    succeeded = False
    with closing(stream_blocking(run.events())) as events:
        for event in events:
            tell(event)
            succeeded = isinstance(event, Stopped) and event.result.stopped_reason == "success"
    return 0 if succeeded else 1


def _prepare(call: LiteLLMCall) -> ProviderRun:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            run = prepare_run(call)
        except BadRequest as wrong:
            raise BadRequest(
                _use_option_names(wrong.message), hint=_use_option_names(wrong.hint)
            ) from wrong
    for warning in warned:
        print(f"mini-agent: {_use_option_names(str(warning.message))}", file=sys.stderr)
    return run


def _use_option_names(said: str) -> str:
    for parameter, option in OPTION_BY_PARAMETER.items():
        said = said.replace(parameter, option)
    return said


def _build_call(command: RunCommand) -> LiteLLMCall:
    prompt = sys.stdin.read() if command.prompt == STDIN_ARGUMENT else command.prompt
    if not prompt.strip():
        raise BadRequest("the prompt is empty", field="prompt", hint="say what is to be done")
    parameters = {
        "target_model": command.model or None,
        "tool_backend": command.backend,
        "max_wallclock_seconds": command.seconds,
    }
    return LiteLLMCall(model="default", messages=[user(prompt)], parameters=parameters)


def _print_json(event: Event) -> None:
    print(event.model_dump_json(), flush=True)


def _print_text(event: Event) -> None:
    if isinstance(event, Stopped):
        _print_result(event.result)
    else:
        print(escape_controls(format_progress(event)), end="", file=sys.stderr, flush=True)


def _print_result(result: AgentResult) -> None:
    if result.stopped_reason != "success":
        why = f": {result.error}" if result.error else ""
        print(escape_controls(f"stopped ({result.stopped_reason}){why}"), file=sys.stderr)
    # Piped on, it is what the model said; shown, it must not play with the terminal.
    answer = result.final_answer
    print(escape_controls(answer) if sys.stdout.isatty() else answer, flush=True)
