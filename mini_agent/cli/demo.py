"""One task, end to end, and everything that happened on the way, for people to read."""

from __future__ import annotations

import os
import re
from time import perf_counter
from typing import Final

from mini_agent.agent.run import run_mcp_mini_agent
from mini_agent.cli.demo_model import NAME, served_demo_model
from mini_agent.cli.demo_report import Report, report_lines
from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest, MiniAgentError
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import litellm_module
from mini_agent.provider.install import install
from mini_agent.provider.litellm_details import result_in
from mini_agent.provider.parameters import PROVIDER
from mini_agent.result import AgentResult
from mini_agent.tools.local import LocalMCPInvoker
from mini_agent.tools.text_tools import compress_runs

CONTAINER: Final = "litellm-mini-agent"
KNOWN_TEXT: Final = re.compile(r"[A-Za-z0-9]{1,16}")
ON_THE_STACK: Final = (
    "LiteLLM on this host -> provider mini-agent -> container litellm-mini-agent: loop, demo\n"
    "      model -> exec_python -> container litellm-codex-agent -> a fresh sandbox, and back"
)
ON_THIS_MACHINE: Final = (
    "NOT A SANDBOX: without Docker the model's code runs as a child process of this one:\n"
    "      loop, demo model (llama.cpp) -> exec_python -> python, and back"
)


def run_demo(text: str, *, local: bool) -> int:
    """Prints the run, line by line; 0 when the answer holds the encoding of `text`, else 1."""
    if not KNOWN_TEXT.fullmatch(text):
        raise BadRequest(
            f"TEXT={text!r}: the demo model knows 1 to 16 letters and digits",
            hint="any other text needs a model that is not 0.7 million parameters small",
        )
    prompt = f'Run-length encode "{text}" by running Python, and answer with what it printed.'
    print(f"task  {prompt}\nway   " + (ON_THIS_MACHINE if local else ON_THE_STACK), flush=True)
    print(f"load  LiteLLM, {_loading_litellm_took():.1f} s", flush=True)
    started = perf_counter()
    result = _here(prompt) if local else _through_the_stack(prompt)
    report = Report(result, waited_ms=(perf_counter() - started) * 1000)
    for line in report_lines(report, expected=compress_runs(text)):
        print(line)
    print(_next_commands(local=local))
    return 0 if report.computed(compress_runs(text)) else 1


def _loading_litellm_took() -> float:
    started = perf_counter()
    litellm_module()
    return perf_counter() - started


def _here(prompt: str) -> AgentResult:
    with served_demo_model() as api_base:
        config = AgentConfig(model=NAME, completion_kwargs={"api_base": api_base})
        return run_mcp_mini_agent([user(prompt)], LocalMCPInvoker(), config)


def _through_the_stack(prompt: str) -> AgentResult:
    os.environ.setdefault("LITELLM_MINI_AGENT_DOCKER_CONTAINER", CONTAINER)
    return answer_through_litellm(prompt, target_model=NAME)


def answer_through_litellm(prompt: str, *, target_model: str) -> AgentResult:
    """One prompt through `litellm.completion` and the provider; raises `MiniAgentError`."""
    install()
    try:
        response = litellm_module().completion(
            model=f"{PROVIDER}/default",
            target_model=target_model,
            messages=[user(prompt)],
        )
    # LiteLLM wraps what the provider raised in errors of its own; ours is the reason underneath.
    except Exception as wrapped:
        raise _underneath(wrapped) from wrapped
    return result_in(response.mini_agent)


def _underneath(wrapped: BaseException) -> MiniAgentError:
    reason: BaseException | None = wrapped
    while reason is not None and not isinstance(reason, MiniAgentError):
        reason = reason.__cause__ or reason.__context__
    return reason or MiniAgentError(f"LiteLLM failed: {wrapped}")


def _next_commands(*, local: bool) -> str:
    port = os.environ.get("MINI_AGENT_API_PORT", "8788")
    if local:
        return "\nnext\n  with a sandbox round the code, once Docker is here   make demo"
    return (
        "\nnext\n"
        "  a model of your own, by Ollama   LITELLM_DEFAULT_CODE_MODEL=ollama/NAME make up\n"
        f"  the API, to try and to read      http://127.0.0.1:{port}/docs\n"
        "  stop the stack                   make down"
    )
