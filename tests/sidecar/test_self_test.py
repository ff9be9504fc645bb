"""What has to hold in a sandbox, and what is said when it does not."""

from __future__ import annotations

import asyncio

import pytest

from codex_sidecar.errors import EngineUnavailable, NotReady
from codex_sidecar.execution.self_test import CASES, SelfTest
from mini_agent.sandbox import Execution, SandboxFacts, Snippet
from mini_agent.testing.scripted import ENFORCED_LIMITS


class Confined:
    """Does what the test expects, but for the lines that are changed."""

    def __init__(self, changed: dict[str, str] | None = None) -> None:
        self.changed = changed or {}
        self.running = self.most_running = 0

    async def run(self, snippet: Snippet) -> Execution:
        (case,) = (case for case in CASES if case.snippet.code == snippet.code)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        await asyncio.sleep(0)
        self.running -= 1
        lines = (self.changed.get(line, line) for line in case.stdout.splitlines())
        return Execution(
            language="python",
            status=case.status,
            exit_code=0,
            stdout="\n".join(lines),
            limits=ENFORCED_LIMITS,
            sandbox=SandboxFacts(image="python", runtime="runc"),
        )


class Away(Confined):
    async def run(self, snippet: Snippet) -> Execution:
        raise EngineUnavailable("nobody answers")


class Permissive(Confined):
    async def run(self, snippet: Snippet) -> Execution:
        ran = await super().run(snippet)
        return ran.model_copy(update={"status": "ok"})


async def test_a_sandbox_that_confines_passes() -> None:
    await SelfTest(Confined(), "runc", at_once=4).run()


@pytest.mark.parametrize("line", [line for case in CASES for line in case.stdout.splitlines()])
async def test_each_line_counts(line: str) -> None:
    with pytest.raises(NotReady, match=f"not '{line}'"):
        await SelfTest(Confined({line: "something else"}), "runc", at_once=4).run()


async def test_a_program_that_is_not_ended_where_it_should_be_is_named() -> None:
    with pytest.raises(NotReady, match=r"deadline ended as ok and not as timeout.*memory ended as"):
        await SelfTest(Permissive(), "runc", at_once=4).run()


async def test_a_kernel_of_its_own_need_not_filter_system_calls() -> None:
    sandbox = Confined({"no_tracing holds": "no_tracing FAILS"})
    await SelfTest(sandbox, "runsc-systrap", at_once=4).run()
    with pytest.raises(NotReady):
        await SelfTest(Confined({"no_root holds": ""}), "runsc", at_once=4).run()


async def test_no_more_run_at_once_than_may() -> None:
    sandbox = Confined()
    await SelfTest(sandbox, "runc", at_once=2).run()
    assert sandbox.most_running == 2


async def test_an_engine_that_is_away_is_told_as_it_is() -> None:
    with pytest.raises(EngineUnavailable):
        await SelfTest(Away(), "runc", at_once=4).run()
