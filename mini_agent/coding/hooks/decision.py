"""The decision of a hook: parsed from its JSON output, and combined with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mini_agent.messages import JsonObject, parse_json_object

Permission: TypeAlias = Literal["", "allow", "ask", "deny"]
STRICTNESS: Final[tuple[Permission, ...]] = ("deny", "ask", "allow", "")


@dataclass(frozen=True, slots=True)
class HookDecision:
    """What a hook decides; by default nothing.

    `blocked` refuses the prompt, denies the call, or keeps the run from ending. `stops` ends the
    run. `before` and `after` are texts for the model around a prompt. `messages` are for the user,
    `faults` are failures of the hooks themselves, for the user.
    """

    blocked: bool = False
    stops: bool = False
    reasons: tuple[str, ...] = ()
    permission: Permission = ""
    updated_input: JsonObject | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """All reasons, one a line."""
        return "\n".join(self.reasons)


NO_DECISION: Final = HookDecision()


def combine_decisions(decisions: Sequence[HookDecision]) -> HookDecision:
    """Combine decisions: the strictest permission, all reasons, the last updated input."""
    output = {decision.permission for decision in decisions}
    strictest: Permission = next((each for each in STRICTNESS if each in output), "")
    updated = [v.updated_input for v in decisions if v.updated_input is not None]
    return HookDecision(
        blocked=any(v.blocked for v in decisions),
        stops=any(v.stops for v in decisions),
        reasons=tuple(text for v in decisions for text in v.reasons),
        permission=strictest,
        updated_input=updated[-1] if updated else None,
        before=tuple(text for v in decisions for text in v.before),
        after=tuple(text for v in decisions for text in v.after),
        messages=tuple(text for v in decisions for text in v.messages),
        faults=tuple(text for v in decisions for text in v.faults),
    )


def parse_decision(text: str) -> HookDecision | None:
    """Parse the JSON output of a hook; None where it is no JSON object."""
    try:
        output = parse_json_object(text)
    except ValueError:
        return None
    try:
        return _build_decision(_HookOutput.model_validate(output))
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_input=False)[0]
        location = ".".join(str(step) for step in error["loc"])
        return HookDecision(
            faults=(f"a hook's answer is not understood: {location}: {error['msg']}",)
        )


def _normalize_texts(value: object) -> object:
    """Convert a text, blocks of text or null to a list of texts."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [each.get("text", "") if isinstance(each, dict) else each for each in value]
    return [value]


Texts = Annotated[list[str], BeforeValidator(_normalize_texts)]


class _HookModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Specific(_HookModel):
    context: Texts = Field(
        default=[], alias="additionalContext", description="Texts for the model, behind the prompt."
    )
    context_before: Texts = Field(
        default=[],
        alias="additionalContextPre",
        description="Texts for the model, before the prompt.",
    )
    decision: Literal["allow", "ask", "deny"] | None = Field(
        default=None, alias="permissionDecision", description="The permission for the call."
    )
    reason: str | None = Field(
        default=None,
        alias="permissionDecisionReason",
        description="Why the permission is as it is.",
    )
    updated_input: JsonObject | None = Field(
        default=None, alias="updatedInput", description="Arguments in place of those of the call."
    )


class _HookOutput(_HookModel):
    goes_on: bool = Field(
        default=True,
        validation_alias=AliasChoices("continue", "continue_"),
        description="Whether the assistant goes on; Claude Code writes `continue`, the seed "
        "`continue_`.",
    )
    stop_reason: str | None = Field(
        default=None, alias="stopReason", description="Why it does not go on, for the user."
    )
    decision: Literal["approve", "allow", "block", "deny"] | None = Field(
        default=None, description="Whether the prompt or call is let through."
    )
    reason: str | None = Field(
        default=None, description="Why it is not let through, for the model."
    )
    message: str | None = Field(
        default=None, alias="systemMessage", description="A message for the user."
    )
    specific: _Specific | None = Field(
        default=None,
        alias="hookSpecificOutput",
        description="What the hook says in the words of its own event.",
    )


def _build_decision(output: _HookOutput) -> HookDecision:
    specific = output.specific or _Specific()
    blocked = output.decision in ("block", "deny") or specific.decision == "deny"
    permission: Permission = specific.decision or ""
    if not permission and output.decision:
        permission = "deny" if blocked else "allow"
    objects = blocked or not output.goes_on or permission == "ask"
    reasons = (specific.reason or output.reason, None if output.goes_on else output.stop_reason)
    return HookDecision(
        blocked=blocked,
        stops=not output.goes_on,
        reasons=tuple(text for text in reasons if text) if objects else (),
        permission=permission,
        updated_input=specific.updated_input,
        before=tuple(text for text in specific.context_before if text),
        after=tuple(text for text in specific.context if text),
        messages=(output.message,) if output.message else (),
    )
