"""What one run may spend and how the loop behaves."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
)

LOOPS_OWN: Final = ("messages", "model", "response_format", "stream", "timeout", "tools")
FORMATS: Final = ("text", "json_object", "json_schema")


class AgentConfig(BaseModel):
    """The settings of a run; every field but `model` has a default that suits small models.

    `max_iterations` bounds the turns that may call tools; one last turn without tools may follow,
    so that the run ends with words. `max_wallclock_seconds` (aliases `max_total_seconds`,
    `max_seconds`) bounds the whole run, model calls and tools included. `max_tools_per_iter` calls
    of a turn are carried out, `tool_concurrency` of them at a time.

    A block of code in place of a call is run, unless `auto_run_code_on_code_block` is off; without
    `use_tools` nothing is. Without `salvage` a call is only what the server lists as one, and any
    text is an answer.

    After `stagnation_window` turns of the same calls with the same results, or of the same words,
    the model is told so once, and then the run stops; 0 lets it repeat itself.
    `escalate_model` takes over, once, where the run would stop for stagnation; with
    `escalate_on_budget_exceeded` also when its turns or its time are nearly spent.

    A failure is shown with a directive to repair it (`enable_repair`). The model is sent to the
    tools that have "research" in their name, or else "search", when it answers that it is not sure
    (`research_on_unsure`) and after `max_failures_before_research` turns of failures
    (`research_after_failures`), at most `max_research_hops` times.

    Of the conversation the model is shown its instructions, the first message of the user, the
    task, and the newest `max_history_messages` others, as far as they fit into
    `hard_char_budget` characters and into `num_ctx` tokens, by an estimate. Every
    `summarize_every` turns (0: never) what is older is replaced by a digest.

    With `response_format` (OpenAI's json_object or json_schema) the answer is that JSON.
    `completion_kwargs` goes to the model as it is (max_tokens, seed, api_base, api_key, ...).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)]
    max_iterations: Annotated[int, Field(ge=1, le=1000)] = 8
    max_wallclock_seconds: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=300.0,
        validation_alias=AliasChoices("max_wallclock_seconds", "max_total_seconds", "max_seconds"),
    )
    max_tools_per_iter: Annotated[int, Field(ge=1, le=100)] = 4
    tool_concurrency: Annotated[int, Field(ge=1, le=32)] = 1
    stagnation_window: Annotated[int, Field(ge=0, le=100)] = 3
    use_tools: bool = True
    auto_run_code_on_code_block: bool = True
    salvage: bool = True
    enable_repair: bool = True
    research_on_unsure: bool = True
    max_research_hops: Annotated[int, Field(ge=0, le=100)] = 2
    research_after_failures: bool = True
    max_failures_before_research: Annotated[int, Field(ge=1, le=100)] = 2
    max_history_messages: Annotated[int, Field(ge=4, le=10_000)] = 50
    hard_char_budget: Annotated[int, Field(ge=1000)] | None = None
    summarize_every: Annotated[int, Field(ge=0, le=1000)] = 0
    escalate_model: Annotated[str, Field(min_length=1)] | None = None
    escalate_on_budget_exceeded: bool = False
    response_format: dict[str, JsonValue] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    num_ctx: Annotated[int, Field(ge=256)] | None = None
    completion_kwargs: dict[str, JsonValue] = Field(default={}, repr=False)

    @field_validator("stagnation_window")
    @classmethod
    def _leaves_room_for_a_repetition(cls, given: int) -> int:
        if given == 1:
            raise ValueError("must be 0 (off) or at least 2: one turn repeats nothing")
        return given

    @field_validator("escalate_on_budget_exceeded")
    @classmethod
    def _has_whom_to_escalate_to(cls, given: bool, others: ValidationInfo) -> bool:
        if given and not others.data.get("escalate_model"):
            raise ValueError("needs escalate_model")
        return given

    @field_validator("response_format")
    @classmethod
    def _is_a_known_format(cls, given: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        kind = given.get("type") if given else "text"
        if given is None or kind == "text":
            return None
        if kind not in FORMATS:
            raise ValueError(f"type is {kind!r:.80}; known types: {', '.join(FORMATS)}")
        named = given.get("json_schema")
        if kind == "json_schema" and not (
            isinstance(named, dict) and isinstance(named.get("schema"), dict)
        ):
            raise ValueError("json_schema must be an object with a schema")
        return given

    @field_validator("completion_kwargs")
    @classmethod
    def _leaves_the_loop_its_own(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        taken = sorted(set(given) & set(LOOPS_OWN))
        if taken:
            raise ValueError(f"the loop sets {', '.join(taken)} itself")
        return given
