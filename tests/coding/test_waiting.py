"""A model server that is busy or still starting is waited for, and the wait is said."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from mini_agent.errors import ModelError, ModelUnavailable, UnavailableCause
from mini_agent.messages import user
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.models.waiting import WaitBudget, WaitingModel
from mini_agent.testing import ScriptedServer, refusal
from tests.coding.harness import Harness, build_environment, run_command

REQUEST = ModelRequest("m", [user("hi")], [], 60)


class FailingModel:
    """Fails `times` times, and then replies."""

    def __init__(
        self, times: int, cause: UnavailableCause, retry_after_s: float | None = None
    ) -> None:
        self.left, self.cause, self.retry_after_s = times, cause, retry_after_s

    async def reply(self, request: ModelRequest) -> ModelReply:
        self.left -= 1
        if self.left >= 0:
            raise ModelUnavailable("busy", cause=self.cause, retry_after_s=self.retry_after_s)
        return ModelReply("Hi.")


async def asked(model: FailingModel, budget: WaitBudget) -> tuple[str, list[str]]:
    said: list[str] = []
    waiting = WaitingModel(model, said.append, stop_key="Esc", budget=budget)
    return (await waiting.reply(REQUEST)).text, said


async def test_each_wait_is_said_with_the_attempts_and_the_key_that_stops_it() -> None:
    text, said = await asked(FailingModel(2, "busy", 0.1), WaitBudget())
    assert text == "Hi."
    assert said == [
        "busy: waiting 0.1 s, attempt 2 of 8, Esc to stop",
        "busy: waiting 0.1 s, attempt 3 of 8, Esc to stop",
    ]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (FailingModel(99, "busy", 0.0), "busy; tried 3 times in 0.2 s"),
        (FailingModel(99, "unreachable", 0.0), "busy; tried 2 times in 0.1 s"),
        (FailingModel(99, "busy", 3600.0), "asks for a wait of 3600 s, more than the 9 s"),
    ],
    ids=["attempts", "unreachable", "time"],
)
async def test_beyond_the_budget_it_is_an_error_that_is_not_tried_again(
    model: FailingModel, said: str
) -> None:
    budget = WaitBudget(attempts=3, attempts_unreachable=2, total_s=9)
    with pytest.raises(ModelError, match=said) as raised:
        await asked(model, budget)
    assert not raised.value.retryable


async def test_other_faults_are_not_waited_for() -> None:
    with pytest.raises(ModelUnavailable):
        await asked(FailingModel(1, "failed"), WaitBudget())


def test_a_busy_server_is_asked_again_and_it_is_said(harness: Harness) -> None:
    busy = [refusal(status, "slow down", retry_after="0") for status in (429, 529, 503)]
    done = run_command(harness, [*busy, "Hi."], "-p", "Hello?")
    assert (done.code, done.stdout) == (0, "Hi.\n")
    assert "slow down: waiting 0.1 s, attempt 4 of 8, Ctrl-C to stop" in done.stderr


@pytest.mark.parametrize(
    ("status", "words"), [(400, "no"), (401, "no"), (429, "You exceeded your current quota")]
)
def test_a_refusal_is_final(harness: Harness, status: int, words: str) -> None:
    done = run_command(harness, [refusal(status, words)], "-p", "Hello?")
    assert (done.code, len(done.requests)) == (1, 1)
    assert "waiting" not in done.stderr


def test_a_local_server_that_is_still_starting_is_waited_for(harness: Harness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "mini_agent", "-p", "Hello?"],
        cwd=harness.project,
        env=build_environment(harness, f"http://127.0.0.1:{port}/v1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        assert "attempt 2 of 6" in process.stderr.readline()
        with ScriptedServer(["Hi."], port=port):
            output, _ = process.communicate(timeout=100)
    assert (process.returncode, output) == (0, "Hi.\n")
