"""Compaction: replaces a long conversation by a summary that the model writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.agent.normalize import normalize_messages
from mini_agent.agent.prompted_tools import write_calls_as_text
from mini_agent.coding.transcript.session import Session
from mini_agent.errors import BadRequest, ModelUnavailable
from mini_agent.messages import Message, user
from mini_agent.model import Model, ModelRequest
from mini_agent.result import Usage

TIMEOUT_S: Final = 600.0
MAX_FILL_RATIO: Final = 0.8
SUMMARY_PROMPT: Final = """\
This conversation is about to be cut off; only what you write now is kept. Write down, for whoever \
goes on with the work: what the user wants, in their own words where these matter; what was found \
out; which files were read, changed or made, and how; what failed and why; what is done; what is \
to be done next, and how far it has got. Leave nothing out that would have to be found out again. \
Call no tool."""
FOCUS_PROMPT: Final = "\n\nAbove all: {focus}"
SUMMARY_MESSAGE: Final = """\
The conversation before this was too long and has been put into these words:

{summary}

Go on from here; do not ask the user what they have said already."""


@dataclass(frozen=True, slots=True)
class ContextLimit:
    """The context size of the model in tokens; None where it is unknown."""

    tokens: int | None

    def is_full(self, usage: Usage) -> bool:
        """Tell whether a conversation of `usage` should be compacted before the next request."""
        return self.tokens is not None and usage.total_tokens > self.tokens * MAX_FILL_RATIO


NO_LIMIT: Final = ContextLimit(None)


@dataclass(frozen=True, slots=True)
class CompactionRequest:
    """What the summary must keep, and who asked for it: "manual" or "auto"."""

    focus: str = ""
    trigger: str = "manual"


async def compact(
    session: Session,
    model: Model,
    model_name: str,
    system: Sequence[Message],
    request: CompactionRequest,
) -> None:
    """Replace the conversation by a summary; raises `BadRequest` where it is empty."""
    messages = session.messages
    if not messages:
        raise BadRequest("there is nothing to compact: nothing has been said yet")
    prompt = SUMMARY_PROMPT + (FOCUS_PROMPT.format(focus=request.focus) if request.focus else "")
    # Calls become text, as some servers refuse them in requests without tools.
    messages_in_words = write_calls_as_text(normalize_messages([*system, *messages, user(prompt)]))
    model_request = ModelRequest(model_name, messages_in_words, [], TIMEOUT_S)
    reply = await model.reply(model_request)
    summary = reply.text.strip()
    if not summary:
        raise ModelUnavailable("the model gave no summary, so nothing was compacted")
    session.add_summary(
        SUMMARY_MESSAGE.format(summary=summary),
        tokens=reply.usage.prompt_tokens,
        trigger=request.trigger,
    )
