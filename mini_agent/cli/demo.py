"""`mini-agent demo`: one task end to end, with a report of every step."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx

from mini_agent.agent.run import run_mcp_mini_agent
from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest, MiniAgentError, NotConfigured
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.provider.install import install
from mini_agent.provider.parameters import PROVIDER
from mini_agent.provider.responses import parse_details
from mini_agent.result import AgentResult, Iteration, ToolInvocation
from mini_agent.tools.catalog import compress_runs
from mini_agent.tools.local import LocalMCPInvoker


@dataclass(frozen=True, slots=True)
class DemoReport:
    """A run to report, and the milliseconds that the caller waited for it."""

    result: AgentResult
    elapsed_ms: float

    def is_correct(self, expected: str) -> bool:
        """Tell whether a program printed `expected` and the answer has it."""
        printed = [call.stdout for each in self.result.iterations for call in each.tool_invocations]
        return expected in self.result.final_answer and any(expected in text for text in printed)


def format_report(report: DemoReport, *, expected: str) -> Iterator[str]:
    """Format the run, turn by turn, then the answer and the time."""
    for iteration in report.result.iterations:
        yield ""
        yield from _format_iteration(iteration)
    yield ""
    yield f"answer  {report.result.final_answer}"
    yield _format_verdict(report, expected)
    yield _format_times(report)


def _format_iteration(iteration: Iteration) -> Iterator[str]:
    yield f"{iteration.index}  model  {iteration.model}, {_format_ms(iteration.model_ms)}"
    if iteration.model_text:
        yield from _indent(iteration.model_text)
    for repair in iteration.repaired:
        yield f"   mended {repair}"
    for call in iteration.tool_invocations:
        yield from _format_call(call)


def _format_call(call: ToolInvocation) -> Iterator[str]:
    yield f"   call   {call.name}"
    for value in call.arguments.values():
        yield from _indent(str(value))
    yield f"   ran    {_describe_sandbox(call)}, rc {call.rc}, {_format_ms(call.duration_ms)}"
    for name, text in (("stdout", call.stdout), ("stderr", call.stderr), ("error", call.error)):
        if text:
            yield f"   {name}"
            yield from _indent(text)


def _describe_sandbox(call: ToolInvocation) -> str:
    if call.execution is None:
        return "as a child process, not in a sandbox"
    sandbox, limits = call.execution.sandbox, call.execution.limits
    return (
        f"in {sandbox.image} ({sandbox.runtime}, network {sandbox.network}, "
        f"{limits.memory_mb} MiB, {limits.timeout_s:g} s)"
    )


def _format_verdict(report: DemoReport, expected: str) -> str:
    if report.is_correct(expected):
        return f"        right: the program printed {expected}, and the answer says so"
    return (
        f"        WRONG: {expected} was expected; the run ended as {report.result.stopped_reason}"
    )


def _format_times(report: DemoReport) -> str:
    model, tools = report.result.model_ms, report.result.tool_ms
    starting = sum(
        call.execution.timings_ms.start
        for each in report.result.iterations
        for call in each.tool_invocations
        if call.execution
    )
    rest = max(0.0, report.elapsed_ms - model - tools)
    return (
        f"time    {_format_ms(report.elapsed_ms)}: model {_format_ms(model)}, "
        f"tools {_format_ms(tools)} "
        f"({_format_ms(starting)} of it starting the container), everything else {_format_ms(rest)}"
    )


def _indent(text: str) -> Iterator[str]:
    for line in text.rstrip("\n").splitlines():
        yield f"          {line}"


def _format_ms(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


DEMO_MODEL: Final = "llamafile/tiny-agent"
WEIGHTS_FILE: Final = "tiny-agent.gguf"


@contextmanager
def serve_demo_model() -> Iterator[str]:
    """Serve the demo model during the block, at the yielded `http://127.0.0.1:PORT/v1`.

    Raises `NotConfigured` when the extra `demo` (llama.cpp) or the weights are not installed.
    """
    weights = _find_weights()
    try:
        import xllamacpp as llama
    except ModuleNotFoundError:
        raise NotConfigured(
            "the demo model needs llama.cpp", hint="pip install 'mini-agent[demo]'"
        ) from None
    params = llama.CommonParams()
    params.model.path = str(weights)
    params.use_jinja = True
    params.n_ctx = 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.warmup = False
    # Kept prompts would take memory and save nothing: a prompt here takes milliseconds.
    params.cache_ram_mib = 0
    params.verbosity = -1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    server = llama.Server(params)
    # One that is told to end before it has begun never ends.
    httpx.get(f"{server.listening_address}/health", trust_env=False).raise_for_status()
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


def _find_weights() -> Path:
    here = Path(__file__).parents[1]
    for folder in (here / "demo_weights", here.parent / "ollama" / "demo"):
        if (folder / WEIGHTS_FILE).is_file():
            return folder / WEIGHTS_FILE
    raise NotConfigured(f"the demo model's weights ({WEIGHTS_FILE}) are not in this installation")


SHIM_CONTAINER: Final = "litellm-mini-agent"
VALID_TEXT: Final = re.compile(r"[A-Za-z0-9]{1,16}")
STACK_ROUTE: Final = (
    "LiteLLM on this host -> provider mini-agent -> container litellm-mini-agent: loop, demo\n"
    "      model -> exec_python -> container litellm-codex-agent -> a fresh sandbox, and back"
)
LOCAL_ROUTE: Final = (
    "NOT A SANDBOX: without Docker the model's code runs as a child process of this one:\n"
    "      loop, demo model (llama.cpp) -> exec_python -> python, and back"
)


def run_demo(text: str, *, local: bool) -> int:
    """Run the demo and print it; return 0 when the answer has the encoding of `text`, else 1."""
    if not VALID_TEXT.fullmatch(text):
        raise BadRequest(
            f"TEXT={text!r}: the demo model knows 1 to 16 letters and digits",
            hint="any other text needs a model that is not 0.7 million parameters small",
        )
    prompt = f'Run-length encode "{text}" by running Python, and answer with what it printed.'
    print(f"task  {prompt}\nway   " + (LOCAL_ROUTE if local else STACK_ROUTE), flush=True)
    print(f"load  LiteLLM, {_time_litellm_import():.1f} s", flush=True)
    started = perf_counter()
    result = _run_locally(prompt) if local else _run_on_stack(prompt)
    report = DemoReport(result, elapsed_ms=(perf_counter() - started) * 1000)
    for line in format_report(report, expected=compress_runs(text)):
        print(line)
    print(_format_next_commands(local=local))
    return 0 if report.is_correct(compress_runs(text)) else 1


def _time_litellm_import() -> float:
    started = perf_counter()
    import_litellm()
    return perf_counter() - started


def _run_locally(prompt: str) -> AgentResult:
    with serve_demo_model() as api_base:
        config = AgentConfig(model=DEMO_MODEL, completion_kwargs={"api_base": api_base})
        return run_mcp_mini_agent([user(prompt)], LocalMCPInvoker(), config)


def _run_on_stack(prompt: str) -> AgentResult:
    os.environ.setdefault("LITELLM_MINI_AGENT_DOCKER_CONTAINER", SHIM_CONTAINER)
    return run_through_litellm(prompt, target_model=DEMO_MODEL)


def run_through_litellm(prompt: str, *, target_model: str) -> AgentResult:
    """Run one prompt through `litellm.completion` and the provider; raise `MiniAgentError`."""
    install()
    try:
        response = import_litellm().completion(
            model=f"{PROVIDER}/default",
            target_model=target_model,
            messages=[user(prompt)],
        )
    # LiteLLM wraps what the provider raised in errors of its own; ours is the reason underneath.
    except Exception as wrapped:
        raise _find_cause(wrapped) from wrapped
    return parse_details(response.mini_agent)


def _find_cause(wrapped: BaseException) -> MiniAgentError:
    reason: BaseException | None = wrapped
    while reason is not None and not isinstance(reason, MiniAgentError):
        reason = reason.__cause__ or reason.__context__
    return reason or MiniAgentError(f"LiteLLM failed: {wrapped}")


def _format_next_commands(*, local: bool) -> str:
    port = os.environ.get("MINI_AGENT_API_PORT", "8788")
    if local:
        return "\nnext\n  with a sandbox round the code, once Docker is here   make demo"
    return (
        "\nnext\n"
        "  a model of your own, by Ollama   LITELLM_DEFAULT_CODE_MODEL=ollama/NAME make up\n"
        f"  the API, to try and to read      http://127.0.0.1:{port}/docs\n"
        "  stop the stack                   make down"
    )
