"""Whole dialogues: what the model reads, and what it has to write."""

import random
from dataclasses import dataclass
from typing import Final

from train import payloads, phrasings, tool_messages
from train.vocabulary import (
    ASSISTANT,
    END,
    NO_OUTPUT_ANSWER,
    REFUSAL,
    SNIPPETS,
    TOOL,
    USER,
    call_text,
    tokenize,
)

TASKS: Final = tuple(SNIPPETS)
OTHER: Final = "other"
_KINDS: Final = (*TASKS, OTHER)
_KIND_WEIGHTS: Final = (27, 22, 20, 19, 12)
_FAILURE_RATE: Final = 0.12
_INVENTED_OUTPUT_RATE: Final = 0.5
_NO_OUTPUT_RATE: Final = 0.02


@dataclass(frozen=True)
class Part:
    """A piece of a dialogue; `label` is empty for what the model only reads."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Question:
    """A prompt with its task and payload; the payload of `other` is empty."""

    task: str
    prompt: str
    payload: str


def random_question(
    rng: random.Random,
    held_out: bool,
    longest: int = payloads.MAX_PAYLOAD,
    task: str | None = None,
) -> Question:
    """Return a prompt for the given task, or for any."""
    kind = task or rng.choices(_KINDS, _KIND_WEIGHTS)[0]
    if kind == OTHER:
        return Question(kind, phrasings.ask_something_else(rng, held_out), "")
    if kind == "compute":
        left, operator, right = payloads.random_sum(rng, held_out)
        prompt = phrasings.ask_about_sum(rng, left, operator, right)
        return Question(kind, prompt, f"{left} {operator} {right}")
    payload = payloads.random_string(rng, held_out, longest)
    return Question(kind, phrasings.ask_about_string(rng, kind, payload), payload)


def _tool_turn(message: str) -> Part:
    return Part(f"{TOOL}{message}{END}{ASSISTANT}")


def _output(rng: random.Random, question: Question, held_out: bool, longest: int) -> str:
    """Return a stdout, often not the true one: the answer can then only come from the message."""
    kind = rng.random()
    if kind < _NO_OUTPUT_RATE:
        return ""
    if kind < _INVENTED_OUTPUT_RATE:
        return payloads.random_output(rng, held_out, 2 * longest)
    return payloads.true_output(question.task, question.payload)


def random_dialogue(
    rng: random.Random,
    held_out: bool = False,
    longest: int = payloads.MAX_PAYLOAD,
    task: str | None = None,
) -> list[Part]:
    """Return a dialogue: the question, the call, perhaps failures, the output, the answer."""
    question = random_question(rng, held_out, longest, task)
    parts = [Part(f"{USER}{question.prompt}{END}{ASSISTANT}")]
    if question.task == OTHER:
        return [*parts, Part("".join(REFUSAL) + END, OTHER)]
    call = call_text(question.task, question.payload) + END
    parts.append(Part(call, f"{question.task} call"))
    while rng.random() < _FAILURE_RATE:
        failure = tool_messages.random_failure(rng, payloads.random_output(rng, held_out, longest))
        parts += [_tool_turn(failure), Part(call, f"{question.task} retry")]
    output = _output(rng, question, held_out, longest)
    answer = SNIPPETS[question.task].answer + output if output else NO_OUTPUT_ANSWER
    parts.append(_tool_turn(tool_messages.random_success(rng, output)))
    return [*parts, Part(answer + END, f"{question.task} answer")]


def random_copy(rng: random.Random, longest: int = payloads.MAX_PAYLOAD) -> list[Part]:
    """Return a short exercise in copying, which is what is slowest to learn."""
    text = payloads.random_string(rng, held_out=False, longest=longest)
    task = rng.choice(TASKS)
    if rng.random() < 0.5:
        quoted = rng.choice(phrasings.QUOTES).format(text)
        prompt = rng.choice(("copy ", "the string ", "of ", "in ", "")) + quoted
        prompt += rng.choice(("", "", "?", ".", " please", " and report the result."))
        answer = call_text(task, text) + END
        return [Part(f"{USER}{prompt}{END}{ASSISTANT}"), Part(answer, "copy")]
    message = tool_messages.random_success(rng, text)
    return [_tool_turn(message), Part(SNIPPETS[task].answer + text + END, "copy")]


@dataclass(frozen=True)
class Row:
    """A dialogue as tokens, with the spans of what the model writes."""

    ids: list[int]
    written: list[tuple[str, int, int]]


def to_row(parts: list[Part]) -> Row:
    """Return the tokens of a dialogue."""
    ids: list[int] = []
    written = []
    for part in parts:
        start = len(ids)
        ids.extend(tokenize(part.text))
        if part.label:
            written.append((part.label, start, len(ids)))
    return Row(ids, written)
