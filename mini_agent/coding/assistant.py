"""The assistant of one session: passes prompts through hooks and runs the inner loop on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from mini_agent.coding.compaction import NO_LIMIT, CompactionRequest, ContextLimit, Summarizer
from mini_agent.coding.hooks.commands import HookSource
from mini_agent.coding.hooks.decision import HookDecision
from mini_agent.coding.hooks.event import EventName, HookContext
from mini_agent.coding.inner_loop import MAX_STOP_RETRIES, InnerLoop
from mini_agent.coding.observer import Observer
from mini_agent.coding.prompts.server import PromptServer, read_system_prompt
from mini_agent.coding.transcript.log import Block
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import TurnOutcome, describe_turn_limit
from mini_agent.errors import BadRequest, MiniAgentError
from mini_agent.messages import JsonObject, Message
from mini_agent.model import Model, context_tokens

FULL: Final = "the conversation is nearly too long for the model: compacting it"
NO_SHORTER: Final = "a summary would be no shorter than the conversation, so it stays as it is"
RESULTS_CUT: Final = (
    "the largest results of tools were cut by {count} characters, to fit the model's context"
)
CONTINUE_PROMPT: Final = (
    "Your last answer was cut off. Go on exactly where it ends, and repeat nothing of it."
)
ContextLimitLookup: TypeAlias = Callable[[str], Awaitable[int | None]]


def text_block(text: str) -> Block:
    """Build a content block of `text`."""
    return {"type": "text", "text": text}


@dataclass
class Assistant:
    """One session with its loop, hooks and prompt servers; `side_model` writes the summaries."""

    inner: InnerLoop
    side_model: Model
    hooks: HookSource
    servers: Sequence[PromptServer]
    hook_context: Callable[[], HookContext]
    observer: Observer
    find_context_limit: ContextLimitLookup
    _system: list[Message] | None = None
    _pending_context: tuple[str, ...] = ()
    _has_compacted: bool = False

    @property
    def session(self) -> Session:
        """The session's transcript."""
        return self.inner.session

    async def begin(self, source: str) -> None:
        """Run the SessionStart hooks; `source` is startup, resume, clear or compact."""
        decision = await self._ask("SessionStart", source, {"source": source})
        self._warn(decision.reasons)
        self._pending_context = decision.after

    async def end(self, reason: str) -> None:
        """Run the SessionEnd hooks."""
        self._warn((await self._ask("SessionEnd", reason, {"reason": reason})).reasons)

    async def prompt(self, text: str) -> TurnOutcome:
        """Answer `text`, unless a UserPromptSubmit hook blocks it."""
        unfinished = await self.inner.execute_pending()
        if unfinished is not None:
            return unfinished
        decision = await self._ask("UserPromptSubmit", "", {"prompt": text})
        if decision.blocked or decision.stops:
            reason = decision.reason or "a hook gave no reason"
            return TurnOutcome("failed", error=f"the prompt was blocked by a hook: {reason}")
        return await self.say([*map(text_block, (*decision.before, text, *decision.after))])

    async def say(self, blocks: Sequence[Block]) -> TurnOutcome:
        """Append `blocks` to the session as they are, and answer them."""
        unfinished = await self.inner.execute_pending()
        if unfinished is not None:
            return unfinished
        self._add_pending_context()
        self.session.add_user_message(blocks)
        return await self.answer()

    async def answer(self) -> TurnOutcome:
        """Let the model answer what is in the session; Stop hooks may make it go on."""
        unfinished = await self.inner.execute_pending()
        if unfinished is not None:
            return unfinished
        self._add_pending_context()
        self._has_compacted = False
        outcome = await self._run(TurnOutcome("done"))
        for times in range(MAX_STOP_RETRIES):
            if outcome.status != "done" or not await self._is_stop_blocked(
                outcome, was_blocked=bool(times)
            ):
                break
            outcome = await self._run(outcome)
        return outcome

    async def compact(self, request: CompactionRequest) -> bool:
        """Replace the conversation by a summary; raises `BadRequest` where a hook forbids it.

        Returns False where an automatic summary would have been no shorter.
        """
        own: JsonObject = {"trigger": request.trigger, "custom_instructions": request.focus}
        decision = await self._ask("PreCompact", request.trigger, own)
        if decision.blocked or decision.stops:
            reason = decision.reason or "it gave no reason"
            raise BadRequest(f"a hook does not want the conversation compacted: {reason}")
        config = self.inner.config
        system = await self._system_messages()
        summarizer = Summarizer(self.side_model, config.model, config.num_ctx)
        if not await summarizer.compact(self.session, system, request):
            return False
        await self.begin("compact")
        return True

    async def _run(self, before: TurnOutcome) -> TurnOutcome:
        """Run the inner loop to its end, with the turns that `before` has left.

        Whenever the context is full there is made room in it, and a cut answer is continued, once.
        """
        await self._set_context_limit()
        outcome, has_continued = await self._run_inner(before), False
        while True:
            if outcome.status == "full":
                problem = await self._make_room(outcome)
                if problem:
                    return replace(outcome, status="failed", error=problem)
            elif outcome.status == "cut" and outcome.may_continue and not has_continued:
                has_continued = True
                self.observer.on_warning(f"{outcome.error}: asking the model to go on")
                self.session.add_user_message([text_block(CONTINUE_PROMPT)], is_meta=True)
            else:
                return outcome
            outcome = await self._run_inner(outcome)

    async def _run_inner(self, before: TurnOutcome) -> TurnOutcome:
        """Run the inner loop after `before`, and add both up."""
        limit = self.inner.config.max_iterations
        left = limit - before.turns
        if left <= 0:
            error = describe_turn_limit(limit)
            return replace(before, status="max_turns", error=error)
        return _merge_outcomes(before, await self.inner.run(await self._system_messages(), left))

    async def _set_context_limit(self) -> None:
        config = self.inner.config
        known = context_tokens(config.model, config.num_ctx)
        tokens = known or await self.find_context_limit(config.model)
        self.inner.context_limit, self.inner.ends_at_overflow = ContextLimit(tokens), True

    async def _make_room(self, outcome: TurnOutcome) -> str:
        """Shorten the conversation; returns why the run cannot go on, else "".

        It is summarized once a turn; then, or where that does not help, results of tools are cut.
        """
        if not self._has_compacted:
            self._has_compacted = True
            self.observer.on_warning(FULL)
            if await self._compact_when_full():
                return ""
        left_out = self.session.halve_results()
        if left_out:
            self.observer.on_warning(RESULTS_CUT.format(count=left_out))
        elif outcome.error:
            return outcome.error
        else:
            # By the count alone it may be full: the server has the last word.
            self.inner.context_limit = NO_LIMIT
        return ""

    async def _compact_when_full(self) -> bool:
        """Compact the conversation; returns whether it got shorter."""
        try:
            if await self.compact(CompactionRequest(trigger="auto")):
                self._add_pending_context()
                return True
            self.observer.on_warning(NO_SHORTER)
        except MiniAgentError as problem:
            self.observer.on_warning(str(problem))
        return False

    def _add_pending_context(self) -> None:
        """Append the SessionStart hooks' context as meta, lest it pass for the user's words."""
        if self._pending_context:
            self.session.add_user_message([*map(text_block, self._pending_context)], is_meta=True)
            self._pending_context = ()

    async def _is_stop_blocked(self, outcome: TurnOutcome, *, was_blocked: bool) -> bool:
        own: JsonObject = {
            "stop_hook_active": was_blocked,
            "last_assistant_message": outcome.answer,
        }
        decision = await self._ask("Stop", "", own)
        if decision.stops or not decision.blocked:
            return False
        self.session.add_user_message([text_block(decision.reason)], is_meta=True)
        return True

    async def _system_messages(self) -> list[Message]:
        if self._system is None:
            blocks = [text_block(block) for block in await read_system_prompt(self.servers)]
            self._system = [{"role": "system", "content": list(blocks)}] if blocks else []
        return self._system

    async def _ask(self, name: EventName, about: str, own: JsonObject) -> HookDecision:
        decision = await self.hooks.decide(self.hook_context().event(name, about, own))
        self._warn((*decision.messages, *decision.faults))
        return decision

    def _warn(self, messages: Sequence[str]) -> None:
        for warning in messages:
            self.observer.on_warning(warning)


def _merge_outcomes(before: TurnOutcome, after: TurnOutcome) -> TurnOutcome:
    # The rest of a cut answer follows it.
    begun = before.answer if before.status == "cut" else ""
    return replace(
        after,
        answer=begun + after.answer,
        usage=before.usage.plus(after.usage),
        turns=before.turns + after.turns,
        model_ms=before.model_ms + after.model_ms,
    )
