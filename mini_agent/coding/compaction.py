"""Compaction: replaces a long conversation by a summary that the model writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.agent.context_window import count_chars, summarize_messages
from mini_agent.agent.normalize import CONTINUE, normalize_messages
from mini_agent.agent.prompted_tools import write_calls_as_text
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.transcript.shortening import shorten_messages
from mini_agent.errors import BadRequest, ContextTooLong, ModelUnavailable
from mini_agent.messages import Message, user
from mini_agent.model import Model, ModelReply, ModelRequest
from mini_agent.result import Usage

TIMEOUT_S: Final = 600.0
MAX_FILL_RATIO: Final = 0.8
# How often the conversation is halved until its summary can be asked for.
MAX_HALVINGS: Final = 8
MIN_CHARS: Final = 2000
# Rather too few for a token, lest the request for the summary be too long as well.
CHARS_PER_TOKEN: Final = 2
MAX_PROMPT_CHARS: Final = 4000
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
LAST_PROMPT: Final = "\n\nWhat the user asked for last, in their own words:\n\n{prompt}"


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


@dataclass(frozen=True, slots=True)
class Summarizer:
    """Asks a model for a summary; `num_ctx` is the context size that Ollama is asked for."""

    model: Model
    name: str
    num_ctx: int | None = None

    async def compact(
        self, session: Session, system: Sequence[Message], request: CompactionRequest
    ) -> bool:
        """Replace the conversation by a summary; raises `BadRequest` where it is empty.

        Returns False where an automatic summary was no shorter than the conversation, which then
        stays as it is.
        """
        messages = session.messages
        if not messages:
            raise BadRequest("there is nothing to compact: nothing has been said yet")
        reply = await self._summarize(system, messages, request.focus)
        text = SUMMARY_MESSAGE.format(summary=reply.text.strip())
        is_auto = request.trigger == "auto"
        if is_auto and len(text) >= sum(map(count_chars, messages)):
            return False
        if is_auto and session.awaits_model:
            text += LAST_PROMPT.format(prompt=session.last_prompt[-MAX_PROMPT_CHARS:])
        tokens = reply.usage.prompt_tokens
        session.add_summary(text, tokens=tokens, trigger=request.trigger)
        return True

    async def _summarize(
        self, system: Sequence[Message], messages: Sequence[Message], focus: str
    ) -> ModelReply:
        """Ask for the summary, of less and less of the conversation while it is too long."""
        prompt = SUMMARY_PROMPT + (FOCUS_PROMPT.format(focus=focus) if focus else "")
        # Calls become text, as some servers refuse them in requests without tools.
        whole = write_calls_as_text(normalize_messages([*system, *messages]))
        shown = self._fit(whole)
        for _ in range(MAX_HALVINGS):
            try:
                return await self._ask(_append_prompt(shown, prompt))
            except ContextTooLong:
                half = sum(map(count_chars, shown)) // 2
                if half < MIN_CHARS:
                    break
                shown = shorten_messages(whole[len(system) :], half)
        # Not even a part of it fits: without a model, the first words of each message are kept.
        return ModelReply(text=summarize_messages(messages))

    def _fit(self, messages: list[Message]) -> list[Message]:
        """Shorten what Ollama would cut by itself, without a word."""
        if self.num_ctx is None:
            return messages
        return shorten_messages(messages, self.num_ctx * CHARS_PER_TOKEN)

    async def _ask(self, messages: list[Message]) -> ModelReply:
        request = ModelRequest(self.name, messages, [], TIMEOUT_S, num_ctx=self.num_ctx)
        reply = await self.model.reply(request)
        if not reply.text.strip():
            raise ModelUnavailable("the model gave no summary, so nothing was compacted")
        return reply


def _append_prompt(messages: Sequence[Message], prompt: str) -> list[Message]:
    """Add the prompt, to the last message where that is the user's: some servers take no two."""
    *earlier, last = messages
    content = last.get("content")
    if last == user(CONTINUE):
        return [*earlier, user(prompt)]
    if last["role"] != "user":
        return [*messages, user(prompt)]
    if isinstance(content, list):
        return [*earlier, {**last, "content": [*content, {"type": "text", "text": prompt}]}]
    return [*earlier, user(f"{content}\n\n{prompt}")]
