"""The assistant: what the user says goes through hooks, into the session, and through the loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from mini_agent.coding.compaction import NO_LIMIT, CompactionRequest, ContextLimit, compact
from mini_agent.coding.hooks.commands import HookSource
from mini_agent.coding.hooks.decision import HookDecision
from mini_agent.coding.hooks.event import EventName, HookContext
from mini_agent.coding.inner_loop import InnerLoop
from mini_agent.coding.observer import Observer
from mini_agent.coding.prompts.server import PromptServer, read_system_prompt
from mini_agent.coding.transcript.log import Block
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import TurnOutcome
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message
from mini_agent.model import Model, context_tokens

# A Stop hook that never agrees must not keep the model at work for ever.
MAX_STOP_RETRIES: Final = 10
ContextLimitLookup: TypeAlias = Callable[[str], Awaitable[int | None]]


def text_block(text: str) -> Block:
    """Words, as a block."""
    return {"type": "text", "text": text}


@dataclass
class Assistant:
    """One session with everything that belongs to it; `aside` is asked beside the conversation."""

    inner: InnerLoop
    side_model: Model
    hooks: HookSource
    servers: Sequence[PromptServer]
    hook_context: Callable[[], HookContext]
    observer: Observer
    find_context_limit: ContextLimitLookup
    _system: list[Message] | None = None
    _pending_context: tuple[str, ...] = ()

    @property
    def session(self) -> Session:
        """The conversation so far."""
        return self.inner.session

    async def begin(self, source: str) -> None:
        """Tells hooks that the session starts; `source` is startup, resume, clear or compact."""
        decision = await self._ask("SessionStart", source, {"source": source})
        self._warn(decision.reasons)
        self._pending_context = decision.after

    async def end(self, reason: str) -> None:
        """Tells hooks that the session is over."""
        self._warn((await self._ask("SessionEnd", reason, {"reason": reason})).reasons)

    async def prompt(self, text: str) -> TurnOutcome:
        """An answer to `text`, unless a hook refuses it."""
        unfinished = await self.inner.execute_pending()
        if unfinished is not None:
            return unfinished
        decision = await self._ask("UserPromptSubmit", "", {"prompt": text})
        if decision.blocked or decision.stops:
            reason = decision.reason or "a hook gave no reason"
            return TurnOutcome("failed", error=f"the prompt was blocked by a hook: {reason}")
        return await self.say([*map(text_block, (*decision.before, text, *decision.after))])

    async def say(self, blocks: Sequence[Block]) -> TurnOutcome:
        """An answer to `blocks`, which go into the session as they are."""
        unfinished = await self.inner.execute_pending()
        if unfinished is not None:
            return unfinished
        self._add_pending_context()
        self.session.add_user_message(blocks)
        return await self.answer()

    async def answer(self) -> TurnOutcome:
        """The model's answer to what is said already; hooks may put the end off."""
        unfinished = await self.inner.execute_pending()
        if unfinished is not None:
            return unfinished
        self._add_pending_context()
        outcome = await self._run()
        for times in range(MAX_STOP_RETRIES):
            if outcome.status != "done" or not await self._is_stop_blocked(
                outcome, was_blocked=bool(times)
            ):
                break
            outcome = _merge_outcomes(outcome, await self._run())
        return outcome

    async def compact(self, request: CompactionRequest) -> None:
        """Puts a summary in the place of all that was said."""
        own: JsonObject = {"trigger": request.trigger, "custom_instructions": request.focus}
        decision = await self._ask("PreCompact", request.trigger, own)
        if decision.blocked or decision.stops:
            reason = decision.reason or "it gave no reason"
            raise BadRequest(f"a hook does not want the conversation compacted: {reason}")
        config = self.inner.config
        system = await self._system_messages()
        await compact(self.session, self.side_model, config.model, system, request)
        await self.begin("compact")

    async def _run(self) -> TurnOutcome:
        """The inner loop to its end, the conversation told anew wherever it gets too long."""
        config = self.inner.config
        known = context_tokens(config.model, config.num_ctx)
        self.inner.context_limit = ContextLimit(
            known or await self.find_context_limit(config.model)
        )
        outcome = await self.inner.run(await self._system_messages())
        while outcome.status == "full":
            await self._compact_when_full()
            outcome = _merge_outcomes(outcome, await self.inner.run(await self._system_messages()))
        return outcome

    async def _compact_when_full(self) -> None:
        self.observer.on_warning("the conversation is nearly too long for the model: compacting it")
        try:
            await self.compact(CompactionRequest(trigger="auto"))
            self._add_pending_context()
        except BadRequest as objection:
            self.observer.on_warning(str(objection))
            self.inner.context_limit = NO_LIMIT

    def _add_pending_context(self) -> None:
        """What hooks said at the start; before the user spoke, it would pass for their words."""
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

    def _warn(self, said: Sequence[str]) -> None:
        for warning in said:
            self.observer.on_warning(warning)


def _merge_outcomes(before: TurnOutcome, after: TurnOutcome) -> TurnOutcome:
    return replace(
        after,
        usage=before.usage.plus(after.usage),
        turns=before.turns + after.turns,
        model_ms=before.model_ms + after.model_ms,
    )
