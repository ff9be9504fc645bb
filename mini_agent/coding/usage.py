"""The outcome of a turn with its exit code, and the token usage of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.transcript.session import NO_USAGE
from mini_agent.model import INCOMPLETE
from mini_agent.result import AgentResult, StoppedReason, Usage

TurnStatus: TypeAlias = Literal[
    "done", "failed", "cut", "max_turns", "withheld", "full", "interrupted"
]
EXIT_DONE, EXIT_FAILED, EXIT_WITHHELD, EXIT_INTERRUPTED = 0, 1, 2, 130
EXIT_CODES: Final[dict[TurnStatus, int]] = {
    "done": EXIT_DONE,
    "failed": EXIT_FAILED,
    "cut": EXIT_FAILED,
    "max_turns": EXIT_FAILED,
    "withheld": EXIT_WITHHELD,
    "full": EXIT_FAILED,
    "interrupted": EXIT_INTERRUPTED,
}

STATUS_BY_REASON: Final[dict[StoppedReason, TurnStatus]] = {
    "success": "done",
    "max_iterations": "max_turns",
}
# Why an answer is no whole one, by the finish reason of its reply.
CUT_ANSWERS: Final = {
    "length": "the answer was cut off at the token limit of the model or its server",
    "content_filter": "the model's server withheld the answer, or the rest of it (content filter)",
    INCOMPLETE: "the answer was not completed: its server closed the connection before the end",
}
STOPPED: Final[dict[str, str]] = {
    "stagnation": "stopped, as the model repeated itself and came to no answer",
    "budget": "stopped at the time limit before there was an answer",
}


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """How a turn ended; the status "full" means that the conversation must be compacted first.

    `answer` is the model's last text, `error` what went wrong, `withheld` are the calls that were
    not executed because of --no-execute-tools. An answer that is "cut" is no whole one, but
    `may_continue` where the model can go on with it. `model_ms` is in milliseconds.
    """

    status: TurnStatus
    answer: str = ""
    error: str = ""
    withheld: tuple[ToolUse, ...] = ()
    usage: Usage = NO_USAGE
    turns: int = 0
    model_ms: float = 0.0
    may_continue: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code of the process."""
        return EXIT_CODES[self.status]


def build_outcome(result: AgentResult, words: str, finish: str, max_turns: int) -> TurnOutcome:
    """Build the outcome of a run from its result.

    `words` are the model's last ones, `finish` is the finish reason of its last reply.
    """
    status = STATUS_BY_REASON.get(result.stopped_reason, "failed")
    if result.stopped_reason == "stagnation" and result.answer_source == "model":
        status = "done"
    cut = CUT_ANSWERS.get(finish, "") if status == "done" else ""
    answer = result.final_answer if result.answer_source == "model" else ""
    return TurnOutcome(
        status="cut" if cut else status,
        # INVARIANT: only the model's own words are an answer, never what a tool printed.
        answer=words if status == "max_turns" else answer,
        error=cut or ("" if status == "done" else _describe_stop(result, max_turns)),
        usage=result.usage,
        turns=len(result.iterations),
        model_ms=result.model_ms,
        may_continue=finish in ("length", INCOMPLETE),
    )


def _describe_stop(result: AgentResult, max_turns: int) -> str:
    stopped = STOPPED.get(result.stopped_reason, "")
    if result.stopped_reason == "max_iterations":
        stopped = describe_turn_limit(max_turns)
    return "; ".join(part for part in (stopped, result.error) if part) or "the run failed"


def describe_turn_limit(turns: int) -> str:
    """Say that a run ended at its limit."""
    return f"stopped at the limit of {turns} turns (--max-turns); the task may not be done"


@dataclass
class UsageTracker:
    """Adds up tokens and price of a session; `newest` is the conversation's last reply alone."""

    total: Usage = NO_USAGE
    newest: Usage = NO_USAGE

    def add(self, usage: Usage) -> None:
        """Add a reply of the conversation."""
        self.newest = usage
        self.add_side_reply(usage)

    def add_side_reply(self, usage: Usage) -> None:
        """Add a reply outside of it: to a subagent, about a web page, or a summary."""
        self.total = self.total.plus(usage)


def format_usage(usage: Usage) -> str:
    """Format the tokens of one reply, cached ones apart, with the price where it is known."""
    uncached = usage.prompt_tokens - usage.cached_tokens
    input_tokens = (
        f"{usage.cached_tokens} cached input tokens, {uncached} further input tokens"
        if usage.cached_tokens
        else f"{usage.prompt_tokens} input tokens"
    )
    price = f", ${usage.cost:.4f}" if usage.cost else ""
    return f"[{input_tokens}, {usage.completion_tokens} response tokens{price}]"
