"""The contract of sandboxes: the sidecar keeps it, and what does not keep it is found out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from mini_agent.errors import SandboxError
from mini_agent.sandbox import Execution, Sandbox, SidecarClient, Snippet, Truncated
from mini_agent.testing.sandbox_checks import files_do_not_survive, what_is_printed_is_stdout
from mini_agent.testing.sandbox_contract import CHECKS, Check, check
from mini_agent.testing.scripted import ScriptedSandbox, execution
from tests.docker.sidecar_process import TOKEN, Sidecar

pytestmark = pytest.mark.docker


def name(each: Check) -> str:
    return getattr(each, "__name__", "")


@pytest.fixture
async def sandbox(real: Sidecar) -> AsyncIterator[SidecarClient]:
    async with SidecarClient(real.url, TOKEN) as client:
        yield client


@pytest.mark.parametrize("each", CHECKS, ids=name)
async def test_the_sidecar_keeps_the_contract(sandbox: SidecarClient, each: Check) -> None:
    await each(sandbox)


def test_there_are_checks_enough() -> None:
    assert len(CHECKS) >= 20


def asking(**fields: object) -> Callable[[Sandbox], Sandbox]:
    """A sandbox that runs another snippet than it was given."""
    return lambda inner: Broken(inner, lambda snippet: snippet.model_copy(update=fields), as_it_is)


def answering(change: Callable[[Execution], Execution]) -> Callable[[Sandbox], Sandbox]:
    """A sandbox that says something else than what happened."""
    return lambda inner: Broken(inner, lambda snippet: snippet, change)


def saying(**fields: object) -> Callable[[Sandbox], Sandbox]:
    return answering(lambda done: done.model_copy(update=fields))


def as_it_is(done: Execution) -> Execution:
    return done


def merged(done: Execution) -> Execution:
    return done.model_copy(update={"stdout": done.stdout + done.stderr, "stderr": ""})


def stripped(done: Execution) -> Execution:
    return done.model_copy(update={"stdout": done.stdout.strip()})


@dataclass(frozen=True, slots=True)
class Broken:
    inner: Sandbox
    asked: Callable[[Snippet], Snippet]
    answered: Callable[[Execution], Execution]

    async def run(self, snippet: Snippet) -> Execution:
        return self.answered(await self.inner.run(self.asked(snippet)))


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (asking(stdin=""), "input_reaches_the_program"),
        (asking(args=()), "arguments_reach_the_program"),
        (asking(env={}), "variables_reach_the_program"),
        (asking(files={}), "files_reach_the_program"),
        (asking(artifacts=()), "files_that_were_asked_for_come_back"),
        (asking(toolchain=None), "what_cannot_be_run_is_an_error"),
        (answering(merged), "stdout_and_stderr_are_apart"),
        (answering(stripped), "what_is_printed_is_stdout"),
        (saying(exit_code=0), "an_exit_code_is_preserved"),
        (saying(signal=None), "a_signal_is_reported"),
        (saying(status="nonzero"), "the_deadline_is_an_outcome"),
        (saying(status="killed"), "too_much_memory_is_an_outcome"),
        (saying(truncated=Truncated()), "output_is_cut_at_its_limit"),
    ],
)
async def test_a_sandbox_that_breaks_the_contract_is_found_out(
    sandbox: SidecarClient, broken: Callable[[Sandbox], Sandbox], found: str
) -> None:
    chosen = [each for each in CHECKS if name(each) == found]
    assert [finding.check for finding in await check(broken(sandbox), chosen)] == [found]


async def test_a_sandbox_in_which_snippets_meet_is_found_out(sandbox: SidecarClient) -> None:
    async with await sandbox.open_session() as shared:
        findings = await check(shared, [files_do_not_survive])
    assert [finding.check for finding in findings] == ["files_do_not_survive"]


async def test_whatever_a_sandbox_raises_is_a_finding() -> None:
    findings = await check(ScriptedSandbox(SandboxError("no engine")), [what_is_printed_is_stdout])
    assert [finding.what for finding in findings] == ["it raised SandboxError('no engine')"]


async def test_a_scripted_sandbox_can_be_checked_too() -> None:
    with ScriptedSandbox(execution("hello\n")) as scripted:
        assert await check(scripted, [what_is_printed_is_stdout]) == []
