"""The execution that comes of what was heard of a snippet."""

from __future__ import annotations

from codex_sidecar.runner.exchange import Conversation
from codex_sidecar.runner.outcome import judge
from mini_agent_protocol.execution import EnforcedLimits, Execution, SandboxFacts, Truncated
from mini_agent_protocol.snippet import Snippet


def account_of(
    snippet: Snippet,
    heard: Conversation,
    limits: EnforcedLimits,
    facts: SandboxFacts,
    *,
    oom_killed: bool,
) -> Execution:
    """The execution; `oom_killed` is the engine's word on a sandbox that died without a report."""
    verdict = judge(heard, oom_killed=oom_killed)
    result = heard.result
    return Execution(
        language=snippet.language,
        status=verdict.status,
        exit_code=verdict.exit_code,
        signal=verdict.signal,
        stdout=heard.stdout.text(),
        stderr=heard.stderr.text(),
        stdout_bytes=heard.stdout.seen,
        stderr_bytes=heard.stderr.seen,
        truncated=Truncated(stdout=heard.stdout.truncated, stderr=heard.stderr.truncated),
        oom_events=result.oom_kills if result else int(oom_killed),
        result_repr=heard.values.result_repr,
        rich=heard.values.rich,
        artifacts=heard.artifacts,
        artifacts_skipped=heard.skipped,
        timings_ms=heard.timings(),
        limits=limits,
        sandbox=facts,
    )
