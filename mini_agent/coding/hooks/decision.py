"""The decision of a hook: parsed from its JSON output, and combined with others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from mini_agent.coding.hooks.event import EventName
from mini_agent.coding.unique_json import RepeatedKey, parse_unique_json
from mini_agent.messages import JsonObject

Permission: TypeAlias = Literal["", "allow", "ask", "deny"]
STRICTNESS: Final[tuple[Permission, ...]] = ("deny", "ask", "allow", "")
BYTE_ORDER_MARK: Final = "\ufeff"
# The events in which a hook that fails denies what it was asked about.
CLOSED_EVENTS: Final[tuple[EventName, ...]] = ("PreToolUse",)
# A key that begins so decides something: where it is not known, the answer is not understood.
DECIDING_KEY: Final = re.compile(r"permission|decision|block|den[yi]|allow|approv|continue|stop")
DECODER: Final = json.JSONDecoder()
# What looks like an answer beside the objects that could be read.
UNREAD_ANSWER: Final = re.compile(
    r"^[ \t]*\{|[\"'](?:permissionDecision|decision|continue)[\"']\s*:"
    r"|^[ \t]*(?:permissionDecision|decision)\s*[:=]"
    r"|^[ \t]*\W?(?i:den(?:y|ied)|block(?:ed)?)\W?[ \t]*$",
    re.MULTILINE,
)
# What a key that is not known may say, and must not be passed over.
REFUSING_WORDS: Final = frozenset({"deny", "denied", "block", "blocked", "reject", "rejected"})
LINE_OF_OBJECT: Final = re.compile(r"^[ \t]*\{", re.MULTILINE)
# What the texts of one hook's answer may have together, in characters.
MAX_TEXT_CHARS: Final = 30_000


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


def limit_texts(decision: HookDecision) -> HookDecision:
    """Cut the texts of one hook's answer to `MAX_TEXT_CHARS` together; each cut is said.

    Messages to the user have a bound of their own, of the same size.
    """
    texts = _cut_texts((*decision.reasons, *decision.before, *decision.after))
    first, second = len(decision.reasons), len(decision.reasons) + len(decision.before)
    return replace(
        decision,
        reasons=texts[:first],
        before=texts[first:second],
        after=texts[second:],
        messages=_cut_texts(decision.messages),
    )


def _cut_texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    cut, room = [], MAX_TEXT_CHARS
    for text in texts:
        shown = text[:room]
        note = f"\n(cut: the first {len(shown)} characters are shown)"
        cut.append(text if shown == text else shown + note)
        room -= len(shown)
    return tuple(cut)


def fail_decision(event: EventName, fault: str) -> HookDecision:
    """Build the decision of a hook that failed: of `CLOSED_EVENTS` it denies, aloud."""
    if event in CLOSED_EVENTS:
        return HookDecision(blocked=True, permission="deny", reasons=(fault,), faults=(fault,))
    return HookDecision(faults=(fault,))


def parse_decision(text: str, event: EventName = "UserPromptSubmit") -> HookDecision | None:
    """Parse the JSON output of a hook; None where it is no JSON object."""
    try:
        output = parse_unique_json(text.removeprefix(BYTE_ORDER_MARK))
    except RepeatedKey as repeated:
        return fail_decision(event, f"a hook's answer is not understood: {repeated}")
    except (ValueError, RecursionError):
        return None
    if not isinstance(output, dict):
        return None
    try:
        return _build_decision(_HookOutput.model_validate(output))
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_input=False)[0]
        location = ".".join(str(step) for step in error["loc"])
        message = error["msg"].removeprefix("Value error, ")
        where = f"{location}: {message}" if location else message
        return fail_decision(event, f"a hook's answer is not understood: {where}")


def parse_output(text: str, event: EventName) -> HookDecision | None:
    """Parse what a command hook prints: one JSON object, perhaps among lines of a log.

    None where it is plain text. Among other lines an object restricts only: a line may repeat what
    the event says, and that must not allow or change a call.
    """
    text = text.removeprefix(BYTE_ORDER_MARK).strip()
    if (decision := parse_decision(text, event)) is not None:
        return decision
    objects = [*_find_objects(text)]
    found = [each for each in (parse_decision(one, event) for one in objects) if each]
    for one in objects:
        text = text.replace(one, "", 1)
    if UNREAD_ANSWER.search(text):
        fault = f"a hook's answer is not understood: it is not one JSON object: {text.strip():.80}"
        found.append(fail_decision(event, fault))
    return _restrict(combine_decisions(found), event) if found else None


def _find_objects(text: str) -> Iterator[str]:
    """Yield the JSON objects that begin and end with a line."""
    end = 0
    for start in LINE_OF_OBJECT.finditer(text):
        if start.start() < end:
            continue
        try:
            _, end = DECODER.raw_decode(text, start.end() - 1)
        except (ValueError, RecursionError):
            continue
        if not text[end:].partition("\n")[0].strip():
            yield text[start.end() - 1 : end]


def _restrict(decision: HookDecision, event: EventName) -> HookDecision:
    if decision.permission != "allow" and decision.updated_input is None:
        return decision
    fault = (
        "a hook allows or changes a call among other lines, which does not count: "
        "let it print one JSON object alone"
    )
    restricted = replace(decision, permission="", updated_input=None)
    return combine_decisions([restricted, fail_decision(event, fault)])


def _normalize_texts(value: object) -> object:
    """Convert a text, blocks of text or null to a list of texts."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [each.get("text", "") if isinstance(each, dict) else each for each in value]
    return [value]


Texts = Annotated[list[str], BeforeValidator(_normalize_texts)]


def _normalize_word(value: object) -> object:
    """Convert a decision to lower case and Claude Code's newer word."""
    word = value.strip().lower() if isinstance(value, str) else value
    return {"approve": "allow", "block": "deny"}.get(word, word) if isinstance(word, str) else word


Word = Annotated[Literal["allow", "ask", "deny"] | None, BeforeValidator(_normalize_word)]


def _decides(key: object) -> bool:
    return DECIDING_KEY.match(re.sub(r"[_-]", "", str(key)).lower()) is not None


def _refuses(value: object) -> bool:
    """Return whether the value of an unknown key may be a decision itself."""
    if isinstance(value, dict):
        return any(_decides(key) or _refuses(each) for key, each in value.items())
    return isinstance(value, str) and value.strip().lower() in REFUSING_WORDS


class _HookModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown_decisions(cls, output: object) -> object:
        """Refuse unknown keys that decide something; other unknown keys have no effect."""
        known = {name for field in cls.model_fields.values() for name in _names(field)}
        for key, value in output.items() if isinstance(output, dict) else ():
            if key not in known and (_decides(key) or _refuses(value)):
                raise ValueError(f"{str(key)!r:.60} is no key of a hook's answer")
        return output


class _Specific(_HookModel):
    context: Texts = Field(
        default=[], alias="additionalContext", description="Texts for the model, behind the prompt."
    )
    context_before: Texts = Field(
        default=[],
        alias="additionalContextPre",
        description="Texts for the model, before the prompt.",
    )
    decision: Word = Field(
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


class _HookOutput(_Specific):
    """The whole answer; Claude Code's older form has the keys of `specific` beside the others."""

    goes_on: bool = Field(
        default=True,
        validation_alias=AliasChoices("continue", "continue_"),
        description="Whether the assistant goes on; Claude Code writes `continue`, the seed "
        "`continue_`.",
    )
    stop_reason: str | None = Field(
        default=None, alias="stopReason", description="Why it does not go on, for the user."
    )
    verdict: Word = Field(
        default=None, alias="decision", description="Whether the prompt or call is let through."
    )
    verdict_reason: str | None = Field(
        default=None, alias="reason", description="Why it is not let through, for the model."
    )
    message: str | None = Field(
        default=None, alias="systemMessage", description="A message for the user."
    )
    specific: _Specific | None = Field(
        default=None,
        alias="hookSpecificOutput",
        description="What the hook says in the words of its own event.",
    )


def _names(field: FieldInfo) -> tuple[str, ...]:
    if isinstance(field.validation_alias, AliasChoices):
        return tuple(str(choice) for choice in field.validation_alias.choices)
    return (field.alias or "",)


def _build_decision(output: _HookOutput) -> HookDecision:
    parts: list[_Specific] = [output] if output.specific is None else [output.specific, output]
    words = (output.verdict, *(part.decision for part in parts))
    strictest: Permission = next((each for each in STRICTNESS if each in words), "")
    blocked = strictest == "deny"
    objects = blocked or not output.goes_on or strictest == "ask"
    own_reason = next((part.reason for part in parts if part.reason), output.verdict_reason)
    reasons = (own_reason, None if output.goes_on else output.stop_reason)
    return HookDecision(
        blocked=blocked,
        stops=not output.goes_on,
        reasons=tuple(text for text in reasons if text) if objects else (),
        permission=strictest,
        updated_input=next((p.updated_input for p in parts if p.updated_input is not None), None),
        before=tuple(text for part in parts for text in part.context_before if text),
        after=tuple(text for part in parts for text in part.context if text),
        messages=(output.message,) if output.message else (),
    )
