"""Detects a run that goes in circles: the same calls with the same results, or the same text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal, TypeAlias

from mini_agent.messages import JsonObject
from mini_agent.result import ToolInvocation

MAX_CYCLE_TURNS: Final = 3
# Two programs that fail with the same result and are at least this similar are one attempt.
MIN_SIMILARITY: Final = 0.95
MAX_COMPARED_CHARS: Final = 4000

COMMENT: Final = re.compile(r"(?m)(?:^|(?<=\s))(?:#|//)[^\n]*$")
# Addresses, times, durations and temporary paths, which differ from run to run.
VOLATILE: Final = re.compile(
    r"0x[0-9a-fA-F]+"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?"
    r"|\b\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|sec|seconds)\b"
    r"|/tmp/[\w./-]+"
)

Verdict: TypeAlias = Literal["", "nudge", "stop"]


@dataclass(frozen=True, slots=True)
class TurnSummary:
    """One turn, as far as it is compared; `description` names the action for the model."""

    action: str
    outcome: str
    failed: bool
    description: str

    def repeats(self, earlier: TurnSummary) -> bool:
        """Tells whether this turn is `earlier` again, or nearly so where both failed."""
        if self.outcome != earlier.outcome or self.failed != earlier.failed:
            return False
        return self.action == earlier.action or (
            self.failed and _are_similar(self.action, earlier.action)
        )


class StagnationDetector:
    """Watches the turns of a run; the first `window` repetitions are a nudge, the next a stop."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._turns: list[TurnSummary] = []
        self._has_nudged = False

    def observe(self, turn: TurnSummary) -> Verdict:
        """Adds the turn that has just ended, and judges the run."""
        self._turns.append(turn)
        if not self._window or not self._goes_in_circles():
            return ""
        verdict: Verdict = "stop" if self._has_nudged else "nudge"
        self._has_nudged = True
        return verdict

    def reset(self) -> None:
        """Forgets all turns, as for another model."""
        self._turns.clear()
        self._has_nudged = False

    def _goes_in_circles(self) -> bool:
        return any(self._repeats_every(length) for length in range(1, MAX_CYCLE_TURNS + 1))

    def _repeats_every(self, length: int) -> bool:
        last = self._turns[-length * self._window :]
        if len(last) < length * self._window:
            return False
        return all(again.repeats(once) for once, again in zip(last, last[length:], strict=False))


def summarize_calls(invocations: Sequence[ToolInvocation]) -> TurnSummary:
    """Summarizes a turn of calls."""
    names = ", ".join(dict.fromkeys(call.name for call in invocations))
    return TurnSummary(
        action="\n".join(
            f"{call.name}({_normalize_arguments(call.arguments)})" for call in invocations
        ),
        outcome="\n".join(_normalize_result(call) for call in invocations),
        failed=not any(call.ok for call in invocations),
        description=f"called {names} in the same way",
    )


def summarize_answer(text: str) -> TurnSummary:
    """Summarizes a turn of text alone."""
    return TurnSummary(
        " ".join(text.casefold().split()), "", failed=False, description="said the same"
    )


def _normalize_arguments(arguments: JsonObject) -> str:
    texts = {
        name: " ".join(COMMENT.sub("", value).split()) if isinstance(value, str) else value
        for name, value in arguments.items()
    }
    return json.dumps(texts, sort_keys=True)


def _normalize_result(call: ToolInvocation) -> str:
    # A traceback's line numbers move with every comment in the program: its last line counts.
    complaint = call.stderr.strip().rpartition("\n")[2] if call.stderr.strip() else ""
    stderr = call.stderr if call.ok else complaint
    text = f"{call.rc} {call.stdout} {stderr} {call.error or ''}"
    return " ".join(VOLATILE.sub("~", text).split())


def _are_similar(one: str, other: str) -> bool:
    if max(len(one), len(other)) > MAX_COMPARED_CHARS:
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= MIN_SIMILARITY and matcher.ratio() >= MIN_SIMILARITY
