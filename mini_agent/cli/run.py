"""`mini-agent run`: one prompt, what happens meanwhile, and the answer."""

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
from mini_agent.net.terminal_text import visible
from mini_agent.provider.parameters import GivenCall
from mini_agent.provider.run import ProviderRun, provider_run
from mini_agent.result import AgentResult

STDIN: Final = "-"
OPTIONS: Final = {
    "tool_backend=": "--backend ",
    "tool_backend": "--backend",
    "target_model": "--model",
    "max_wallclock_seconds": "--seconds",
}


@dataclass(frozen=True, slots=True)
class RunCommand:
    """What was asked for; what is empty or None is the environment's, or the usual."""

    prompt: str
    model: str = ""
    backend: str | None = None
    seconds: float | None = None
    as_json: bool = False


def run_prompt(command: RunCommand) -> int:
    """Prints the answer, and on standard error what happens meanwhile; 0 for a success, else 1.

    With `as_json` every event is a line of JSON on standard output instead. An interrupt ends the
    run and its sandbox, and is raised.
    """
    # LiteLLM's, when a call is cancelled that it was still preparing; the user cannot help it.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    run = _run(_call(command))
    if run.is_here:
        # It takes seconds: on this thread, where Ctrl-C ends it at once.
        import_litellm()
    tell = _tell_json if command.as_json else _tell_text
    succeeded = False
    with closing(stream_blocking(run.events())) as events:
        for event in events:
            tell(event)
            succeeded = isinstance(event, Stopped) and event.result.stopped_reason == "success"
    return 0 if succeeded else 1


def _run(call: GivenCall) -> ProviderRun:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            run = provider_run(call)
        except BadRequest as wrong:
            raise BadRequest(_in_options(wrong.message), hint=_in_options(wrong.hint)) from wrong
    for warning in warned:
        print(f"mini-agent: {_in_options(str(warning.message))}", file=sys.stderr)
    return run


def _in_options(said: str) -> str:
    for parameter, option in OPTIONS.items():
        said = said.replace(parameter, option)
    return said


def _call(command: RunCommand) -> GivenCall:
    prompt = sys.stdin.read() if command.prompt == STDIN else command.prompt
    if not prompt.strip():
        raise BadRequest("the prompt is empty", field="prompt", hint="say what is to be done")
    parameters = {
        "target_model": command.model or None,
        "tool_backend": command.backend,
        "max_wallclock_seconds": command.seconds,
    }
    return GivenCall(model="default", messages=[user(prompt)], parameters=parameters)


def _tell_json(event: Event) -> None:
    print(event.model_dump_json(), flush=True)


def _tell_text(event: Event) -> None:
    if isinstance(event, Stopped):
        _tell_end(event.result)
    else:
        print(visible(format_progress(event)), end="", file=sys.stderr, flush=True)


def _tell_end(result: AgentResult) -> None:
    if result.stopped_reason != "success":
        why = f": {result.error}" if result.error else ""
        print(visible(f"stopped ({result.stopped_reason}){why}"), file=sys.stderr)
    # Piped on, it is what the model said; shown, it must not play with the terminal.
    answer = result.final_answer
    print(visible(answer) if sys.stdout.isatty() else answer, flush=True)
