"""The judge: what an answer leaves to be desired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mini_agent.errors import ErrorBody
from mini_agent.sandbox import Execution
from tests.cases.case import Outcome, Recorded, Step

SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an execution, or a problem with its HTTP status."""

    status: int
    seconds: float
    execution: Execution | None = None
    problem: ErrorBody | None = None

    def text(self) -> str:
        """All that was printed."""
        ran = self.execution
        return f"{ran.stdout}\n{ran.stderr}" if ran else ""

    def told(self) -> str:
        """The answer in a line, for people."""
        if self.execution is None:
            said = self.problem.message if self.problem else "no problem of ours"
            return f"HTTP {self.status}: {said[:SHOWN]}"
        ran = self.execution
        told = f"{ran.status}, exit code {ran.exit_code}"
        told += f", stdout {_short(ran.stdout)!r}, stderr {_short(ran.stderr)!r}"
        return told + (f", value {_short(ran.result_repr)!r}" if ran.result_repr else "")


def faults(step: Step, answer: Answer, patience: float = 1.0) -> tuple[str, ...]:
    """What is wrong with the answer; nothing where the sandbox is sound.

    It may take `patience` times as long as the step says.
    """
    late_s = None if step.within_s is None else step.within_s * patience
    late = () if late_s is None or answer.seconds <= late_s else (_too_late(answer, late_s),)
    return (*_faults(step, answer), *late)


def outcomes(answer: Answer) -> frozenset[Outcome]:
    """Every word that is true of the answer."""
    ran = answer.execution
    if ran is None:
        refused = 400 <= answer.status < 500 and answer.status != 429 and answer.problem
        return frozenset({"refused"}) if refused else frozenset()
    true: set[Outcome] = {ran.status}
    text = answer.text()
    if ran.oom_events and ran.status in {"nonzero", "killed"}:
        true.add("oom")
    if ran.truncated.stdout or ran.truncated.stderr or "LIMITED" in text:
        true.add("limited")
    if ran.status in {"ok", "nonzero"} and ("BLOCKED" in text or _died_of_a_refusal(ran)):
        true.add("blocked")
    return frozenset(true)


def _died_of_a_refusal(ran: Execution) -> bool:
    """The kernel said no before the snippet expected it."""
    last = ran.stderr.strip().rpartition("\n")[2]
    return ran.status == "nonzero" and last.startswith("PermissionError: ")


def _too_late(answer: Answer, late_s: float) -> str:
    return f"it took {answer.seconds:.1f} s, more than {late_s:g} s"


def _faults(step: Step, answer: Answer) -> Iterator[str]:
    if step.expect and not outcomes(answer) & set(step.expect):
        yield f"expected {' or '.join(step.expect)}, got {answer.told()}"
    if answer.execution is not None:
        yield from _faults_of(step, answer.execution, answer.text())
        if step.unlike is not None and _record(answer.execution) == step.unlike:
            yield f"it is what it was when it was wrong: {answer.told()}"
        yield from _faults_in_changes(step.normalized, answer.execution.normalized)
    yield from (
        f"the message does not say {wanted!r}: {answer.told()}"
        for wanted in step.in_message
        if not answer.problem or wanted not in answer.problem.message
    )


def _record(ran: Execution) -> Recorded:
    return Recorded(
        status=ran.status,
        exit_code=ran.exit_code,
        stdout=ran.stdout,
        stderr=ran.stderr,
        result=ran.result_repr,
        rich=len(ran.rich),
        files=len(ran.artifacts) + len(ran.artifacts_skipped),
    )


def _faults_in_changes(wanted: tuple[str, ...] | None, changes: tuple[str, ...]) -> Iterator[str]:
    if wanted is None:
        return
    if len(changes) != len(wanted):
        yield f"changed before it ran: {changes}, not {wanted}"
    for words, change in zip(wanted, changes, strict=False):
        if words not in change:
            yield f"{change!r} does not say {words!r}"


def _faults_of(step: Step, ran: Execution, text: str) -> Iterator[str]:
    yield from _faults_in_text(step, ran, text)
    if step.exit_code is not None and ran.exit_code != step.exit_code:
        yield f"exit code {ran.exit_code}, not {step.exit_code}"
    if step.result is not None and ran.result_repr != step.result:
        yield f"its value is {ran.result_repr!r}, not {step.result!r}"
    yield from _faults_in_shown(step, tuple(rich.media_type for rich in ran.rich))
    paths = tuple(sorted(file.path for file in ran.artifacts))
    if step.fetched is not None and paths != tuple(sorted(step.fetched)):
        yield f"brought back {paths}, not {step.fetched}"
    for reason in step.skipped:
        if not any(reason in told for told in ran.artifacts_skipped):
            yield f"no file was skipped for {reason!r}: {ran.artifacts_skipped}"


def _faults_in_shown(step: Step, shown: tuple[str, ...]) -> Iterator[str]:
    if step.rich and step.rich not in shown:
        yield f"shown as {sorted(shown)}, not as {step.rich}"
    if step.shown is not None and shown != step.shown:
        yield f"shown as {shown}, not as {step.shown}"


def _faults_in_text(step: Step, ran: Execution, text: str) -> Iterator[str]:
    if "ESCAPED" in text:
        yield f"ESCAPED: {_short(text)!r}"
    if step.stdout is not None and not _same(step, ran.stdout):
        yield f"stdout is {_short(ran.stdout)!r}, not {_short(step.stdout)!r}"
    if step.stderr is not None and ran.stderr != step.stderr:
        yield f"stderr is {_short(ran.stderr)!r}, not {_short(step.stderr)!r}"
    yield from (
        f"{wanted!r} is not in {where}: {_short(there)!r}"
        for wanted, where, there in _wanted(step, ran, text)
        if wanted not in there
    )
    yield from (
        f"{unwanted!r} is in the output: {_short(text)!r}"
        for unwanted in step.lacks
        if unwanted in text
    )


def _wanted(step: Step, ran: Execution, text: str) -> Iterator[tuple[str, str, str]]:
    yield from ((wanted, "the output", text) for wanted in step.contains)
    yield from ((wanted, "stderr", ran.stderr) for wanted in step.in_stderr)


def _same(step: Step, stdout: str) -> bool:
    wanted = step.stdout or ""
    return stdout.strip() == wanted.strip() if step.strips else stdout == wanted


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]} ... {text[-SHOWN // 2 :]}"
