"""Measures a served model on payloads it was never trained on; fails below a threshold."""

import argparse
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

from train import payloads, phrasings, tool_messages
from train.chat import Conversation, Reply, conversation
from train.dialogues import OTHER, TASKS, Question, random_question
from train.vocabulary import NO_OUTPUT_ANSWER, REFUSAL, SNIPPETS

# With 200 payloads every wording is asked.
_SHOWN_PER_PAYLOAD: Final = 22
_MISSES_SHOWN: Final = 40


@dataclass(frozen=True)
class Check:
    """One request, and what has to come back."""

    group: str
    request: Conversation
    wanted: Reply


def _right_call(question: Question) -> Reply:
    return Reply(SNIPPETS[question.task].code(question.payload), "")


def _answer(question: Question, output: str) -> Reply:
    text = SNIPPETS[question.task].answer + output if output else NO_OUTPUT_ANSWER
    return Reply(None, text)


def _task_checks(rng: random.Random, task: str) -> list[Check]:
    """Return the checks of one held-out payload: call, call after failures, answers."""
    question = random_question(rng, held_out=True, task=task)
    start = conversation(rng, question.prompt)
    call = _right_call(question)
    before = payloads.random_output(rng, held_out=True, longest=payloads.MAX_PAYLOAD)
    failed = start
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        failure = tool_messages.random_failure(rng, before)
        failed = failed.then_called(task, question.payload, failure)
    true = payloads.true_output(task, question.payload)
    invented = payloads.random_output(rng, held_out=True)
    checks = [
        Check(f"{task}: call", start, call),
        Check(f"{task}: call again after failures", failed, call),
    ]
    for label, so_far, output in (
        ("answer, true output", start, true),
        ("answer, any output", start, invented),
        ("answer after failures", failed, true),
        ("answer, nothing printed", start, ""),
    ):
        message = tool_messages.random_success(rng, output)
        request = so_far.then_called(task, question.payload, message)
        checks.append(Check(f"{task}: {label}", request, _answer(question, output)))
    return checks


def _refusal_checks(rng: random.Random) -> list[Check]:
    question = random_question(rng, held_out=True, task=OTHER)
    request = conversation(rng, question.prompt)
    return [Check("anything else: the fixed sentence", request, Reply(None, "".join(REFUSAL)))]


def _shown_prompts(task: str) -> list[str]:
    closing = "by running Python, and answer with what it printed."
    prompts = [*phrasings.ORDERS[task], *phrasings.QUESTIONS[task]]
    for order in phrasings.ORDERS[task]:
        prompts += [f"{order} {closing}", f"Use exec_python to {order} and report the result."]
    return [prompt[0].upper() + prompt[1:] for prompt in prompts]


def _shown_questions() -> Iterator[Question]:
    """Yield every wording of the string tasks with every quoting of every shown payload."""
    for task in ("encode", "reverse", "count"):
        for prompt in _shown_prompts(task):
            for quote in phrasings.QUOTES:
                for payload in payloads.SHOWN:
                    yield Question(task, prompt.format(quote.format(payload)), payload)


def _demo_questions() -> list[Question]:
    """Return the very prompts that the documentation shows."""
    closing = "by running Python, and answer with what it printed."
    text = "aaabbc"
    tool = f'Use exec_python to run-length encode the string "{text}" and report the result.'
    return [
        Question("encode", f'Run-length encode "{text}" {closing}', text),
        Question("encode", tool, text),
        Question("encode", f"Run python to compress the runs in {text}.", text),
        Question("reverse", f'Reverse "hello" {closing}', "hello"),
        Question("count", f'Count the characters of "hello" {closing}', "hello"),
        Question("compute", f"Compute 12 * 34 {closing}", "12 * 34"),
    ]


def _loop_checks(rng: random.Random, group: str, question: Question) -> list[Check]:
    start = conversation(rng, question.prompt)
    failure = tool_messages.random_failure(rng, "")
    output = payloads.true_output(question.task, question.payload)
    failed = start.then_called(question.task, question.payload, failure)
    message = tool_messages.success(output)
    succeeded = start.then_called(question.task, question.payload, message)
    return [
        Check(f"{group}: call", start, _right_call(question)),
        Check(f"{group}: call again after a failure", failed, _right_call(question)),
        Check(f"{group}: answer", succeeded, _answer(question, output)),
    ]


def _checks(rng: random.Random, count: int) -> list[Check]:
    checks = []
    for task in TASKS:
        for _ in range(count):
            checks += _task_checks(rng, task)
    for _ in range(count):
        checks += _refusal_checks(rng)
    shown = list(_shown_questions())
    for question in rng.sample(shown, min(len(shown), _SHOWN_PER_PAYLOAD * count)):
        request = conversation(rng, question.prompt)
        checks.append(Check("shown payloads, all wordings: call", request, _right_call(question)))
    for question in _demo_questions():
        checks += _loop_checks(rng, "prompts of the documentation", question)
    return checks


def _programs_are_right() -> bool:
    """Tell whether the programs that the model writes print what they should."""
    for question in _demo_questions():
        program = SNIPPETS[question.task].code(question.payload)
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        if run.stdout.decode() != payloads.true_output(question.task, question.payload) + "\n":
            return False
    return True


def _measure(checks: list[Check], ask: Callable[[Conversation], Reply], workers: int) -> float:
    """Print the table and the first misses; return the share of the worst group."""
    asked = Counter(check.group for check in checks)
    with ThreadPoolExecutor(workers) as pool:
        replies = list(pool.map(ask, (check.request for check in checks)))
    pairs = list(zip(checks, replies, strict=True))
    misses = [(check, reply) for check, reply in pairs if reply != check.wanted]
    missed = Counter(check.group for check, _ in misses)
    for group, total in asked.items():
        hits = total - missed[group]
        print(f"{group:48} {hits:5} of {total:5}  {hits / total:7.2%}")
    for check, reply in islice(misses, _MISSES_SHOWN):
        print(f"MISS {check.group}: {check.request.prompt!r}")
        print(f"  wanted {check.wanted}\n  got    {reply}")
    return min(1 - missed[group] / total for group, total in asked.items())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="of the server, without /v1")
    parser.add_argument("--payloads", type=int, default=200, help="held-out payloads for each task")
    parser.add_argument("--threshold", type=float, default=0.97, help="for the worst group")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    """Return 0 if every group reaches the threshold, else 1."""
    options = _options()
    if not _programs_are_right():
        print("the programs that the model is trained to write print the wrong thing")
        return 1
    checks = _checks(random.Random(options.seed), options.payloads)
    worst = _measure(checks, lambda request: request.ask(options.url), options.workers)
    verdict = "reached" if worst >= options.threshold else "MISSED"
    print(f"{len(checks)} requests; worst group {worst:.2%}: {options.threshold:.2%} {verdict}")
    return int(worst < options.threshold)


if __name__ == "__main__":
    sys.exit(main())
