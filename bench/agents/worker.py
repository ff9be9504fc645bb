"""Worker: runs one of the other agents, job by job, in a virtual environment of its own.

A line on stdin is one run as JSON: `url` of the model server, `tools` where the tools are called,
`task`, `rules` (the instructions), `turns` and `seconds` it may take. A line on stdout answers it:
`answer`, `error`, `gave_up`, `seconds`, `ran` (what it ran without asking the tools' service).
Modules are imported by name, because they are not installed where this file is checked.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from tempfile import mkdtemp
from time import perf_counter

from bench.agents.worker_tools import build_tools


@dataclass(frozen=True, slots=True)
class Job:
    """One run: model server, tools, task and limits."""

    url: str
    tools: str
    task: str
    rules: str
    turns: int
    seconds: float


@dataclass(slots=True)
class JobResult:
    """The result of one run."""

    answer: str = ""
    error: str = ""
    gave_up: bool = False
    seconds: float = 0.0
    ran: list[tuple[str, str]] = field(default_factory=list)


def litellm_agent(job: Job) -> JobResult:
    """`litellm.agent(Harness.TOOL_LOOP)`, with its own limits of turns and time."""
    litellm = import_module("litellm")
    harness = import_module("litellm.harness")
    result = litellm.agent(
        harness.Harness.TOOL_LOOP,
        job.task,
        sandbox=import_module("litellm.harness.sandbox").LocalSandbox(mkdtemp()),
        model="openai/scripted",
        api_key="none",
        api_base=job.url,
        instructions=job.rules,
        tools=build_tools(job.tools),
        max_turns=job.turns,
        timeout=job.seconds,
    )
    return JobResult(result.text or "", gave_up=result.stop_reason != "done")


def openai_agents(job: Job) -> JobResult:
    """An Agent on the chat completions API, the client's timeout as its limit of time."""
    agents = import_module("agents")
    agents.set_tracing_disabled(disabled=True)
    client = import_module("openai").AsyncOpenAI(
        base_url=job.url, api_key="none", timeout=job.seconds
    )
    agent = agents.Agent(
        name="agent",
        instructions=job.rules,
        tools=[agents.function_tool(each) for each in build_tools(job.tools)],
        model=agents.OpenAIChatCompletionsModel("scripted", client),
    )
    try:
        result = asyncio.run(agents.Runner.run(agent, job.task, max_turns=job.turns))
    except (agents.MaxTurnsExceeded, import_module("openai").APIError) as stopped:
        return JobResult(error=_describe_error(stopped), gave_up=True)
    return JobResult(str(result.final_output or ""))


def pydantic_ai(job: Job) -> JobResult:
    """An Agent with as many retries as turns, and its own limit of requests."""
    ai = import_module("pydantic_ai")
    client = import_module("openai").AsyncOpenAI(
        base_url=job.url, api_key="none", timeout=job.seconds
    )
    provider = import_module("pydantic_ai.providers.openai").OpenAIProvider(openai_client=client)
    model = import_module("pydantic_ai.models.openai").OpenAIChatModel(
        "scripted", provider=provider
    )
    agent = ai.Agent(model, instructions=job.rules, tools=build_tools(job.tools), retries=job.turns)
    limits = import_module("pydantic_ai.usage").UsageLimits(request_limit=job.turns)
    try:
        result = asyncio.run(agent.run(job.task, usage_limits=limits))
    except import_module("pydantic_ai.exceptions").AgentRunError as stopped:
        return JobResult(error=_describe_error(stopped), gave_up=True)
    return JobResult(str(result.output or ""))


def smolagents_calls(job: Job) -> JobResult:
    """smolagents' ToolCallingAgent."""
    return _smolagents(job, "ToolCallingAgent")


def smolagents_code(job: Job) -> JobResult:
    """smolagents' CodeAgent with its own interpreter, every import allowed."""
    return _smolagents(job, "CodeAgent", additional_authorized_imports=["*"])


def _smolagents(job: Job, kind: str, **more: object) -> JobResult:
    smol = import_module("smolagents")
    model = smol.OpenAIModel(
        "scripted", api_base=job.url, api_key="none", client_kwargs={"timeout": job.seconds}
    )
    tools = [smol.tool(each) for each in build_tools(job.tools)]
    agent = getattr(smol, kind)(
        tools=tools,
        model=model,
        instructions=job.rules,
        max_steps=job.turns,
        verbosity_level=smol.LogLevel.OFF,
        return_full_result=True,
        **more,
    )
    job_result = JobResult()
    try:
        result = agent.run(job.task)
        job_result.answer, job_result.gave_up = str(result.output or ""), result.state != "success"
    except smol.AgentError as stopped:
        job_result.error, job_result.gave_up = _describe_error(stopped), True
    finally:
        steps = (getattr(step, "code_action", None) for step in agent.memory.steps)
        job_result.ran = [
            ("exec_python", code) for code in steps if code and not _calls_tools(code)
        ]
    return job_result


def _calls_tools(code: str) -> bool:
    """Whether a step's program only calls tools, which are counted where they are."""
    names = ("final_answer", *(each.__name__ for each in build_tools("")))
    return "(**{" in code or any(f"{name}(" in code for name in names)


AGENTS = {
    "litellm": litellm_agent,
    "openai-agents": openai_agents,
    "pydantic-ai": pydantic_ai,
    "smolagents-calls": smolagents_calls,
    "smolagents-code": smolagents_code,
}

MODULES = {
    "litellm": ("litellm", "litellm.harness", "litellm.harness.sandbox"),
    "openai-agents": ("agents", "openai"),
    "pydantic-ai": ("pydantic_ai", "pydantic_ai.models.openai", "openai"),
    "smolagents-calls": ("smolagents", "openai"),
    "smolagents-code": ("smolagents", "openai"),
}


def _describe_error(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:300]}"


def run_job(run: Callable[[Job], JobResult], job: Job) -> JobResult:
    """Run a job; whatever the agent raises becomes its `error`."""
    started = perf_counter()
    try:
        result = run(job)
    except Exception as broken:  # noqa: BLE001  other people's code: whatever it raises is noted
        result = JobResult(error=_describe_error(broken))
    result.seconds = perf_counter() - started
    return result


def main() -> None:
    """Answers jobs until there are none; what the agents print does not count as an answer."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    run = AGENTS[sys.argv[1]]
    for module in MODULES[sys.argv[1]]:
        import_module(module)
    out.write("ready\n")
    for line in sys.stdin:
        out.write(json.dumps(asdict(run_job(run, Job(**json.loads(line))))) + "\n")


if __name__ == "__main__":
    main()
