"""The suite of weak models' behaviours: whole runs over real sockets, through LiteLLM.

Each is run once, several at a time; the sentences below are about all of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

import pytest

from tests.behaviours.judge import Verdict
from tests.behaviours.mini_agent_runs import judge_mini_agent_runs
from tests.behaviours.suite import suite

# The openai client warns of servers that do not keep to its format, and reads them nevertheless.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")

SUITE = suite()
# Arguments that are no object do not exist in Ollama's format, and these bodies are OpenAI's.
ON_OLLAMA = [each for each in SUITE if each.family not in ("arguments", "body")]
EVERY_THIRD = islice(ON_OLLAMA, 0, None, 3)

Verdicts = Sequence[Verdict]


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    on_openai = asyncio.run(judge_mini_agent_runs(SUITE, "openai"))
    return [*on_openai, *asyncio.run(judge_mini_agent_runs(EVERY_THIRD, "ollama"))]


def those(verdicts: Verdicts, wrong: Callable[[Verdict], object]) -> list[str]:
    """The behaviours of which something is true, with what they came to."""
    return [f"{each.behaviour}: {each.outcome}" for each in verdicts if wrong(each)]


def test_no_run_ends_in_a_blank_answer(verdicts: Verdicts) -> None:
    assert those(verdicts, lambda each: each.is_blank) == []


def test_no_run_ends_more_than_a_second_past_its_deadline(verdicts: Verdicts) -> None:
    assert those(verdicts, lambda each: each.is_late) == []


def test_every_request_and_every_transcript_keeps_the_rules_of_roles(verdicts: Verdicts) -> None:
    assert those(verdicts, lambda each: each.outcome.broken_rules) == []


def test_nothing_is_run_that_was_only_spoken_of(verdicts: Verdicts) -> None:
    assert those(verdicts, lambda each: each.wrong_runs) == []


@pytest.mark.parametrize("kind", ["recoverable", "honest", "nothing"])
def test_every_run_comes_to_what_it_should(verdicts: Verdicts, kind: str) -> None:
    judged = [each for each in verdicts if each.behaviour.kind == kind]
    assert those(judged, lambda each: not each.is_right) == []


def test_the_suite_is_as_large_as_it_says() -> None:
    kinds = Counter(each.kind for each in SUITE)
    assert kinds["recoverable"] >= 300
    assert kinds["honest"] >= 30
    assert kinds["nothing"] >= 30
    assert len({str(each) for each in SUITE}) == len(SUITE)
