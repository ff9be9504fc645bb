"""How often an answer is taken for unsure that is not, and the other way round: measured."""

from __future__ import annotations

from pathlib import Path

from mini_agent.agent.guardrails.research import is_unsure

ANSWERS = Path(__file__).parent / "answers"


def answers(name: str) -> list[str]:
    return [line for line in (ANSWERS / f"{name}.txt").read_text().splitlines() if line]


def taken_for_unsure(name: str) -> list[str]:
    return [answer for answer in answers(name) if is_unsure(answer)]


def test_of_three_hundred_answers_that_are_sure_one_is_taken_for_unsure() -> None:
    assert len(answers("sure")) >= 300
    assert taken_for_unsure("sure") == ["I am not sure is what the label says, in bold."]


def test_each_of_a_hundred_and_fifty_ways_to_be_unsure_is_noticed() -> None:
    assert len(answers("unsure")) >= 150
    assert [answer for answer in answers("unsure") if not is_unsure(answer)] == []


def test_of_a_hundred_answers_that_it_was_not_written_for_five_are_mistaken() -> None:
    assert len(taken_for_unsure("sure_unseen")) <= 1
    assert len(taken_for_unsure("unsure_unseen")) >= 36


def test_the_files_hold_each_answer_once() -> None:
    names = ("sure", "unsure", "sure_unseen", "unsure_unseen")
    every = [answer for name in names for answer in answers(name)]
    assert len(set(every)) == len(every)
