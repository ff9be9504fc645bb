"""The settings of a run: its budget, its guardrails, its model."""

from __future__ import annotations

import re
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

RESERVED_PARAMETERS: Final = ("messages", "model", "response_format", "stream", "timeout", "tools")
TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESPONSE_FORMATS: Final = ("text", "json_object", "json_schema")


class AgentConfig(BaseModel):
    """The settings of a run; every field but `model` has a default that suits small models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[
        str,
        Field(
            min_length=1,
            description="The model, by the name LiteLLM knows it under, such as "
            "ollama/qwen2.5-coder:3b.",
        ),
    ]
    max_iterations: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Turns that may call tools, 1 to 1000; one last turn without tools may "
            "follow, so that the run ends with words.",
        ),
    ] = 8
    max_wallclock_seconds: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=300.0,
        validation_alias=AliasChoices("max_wallclock_seconds", "max_total_seconds", "max_seconds"),
        description="Seconds the whole run may take, model and tool calls included, at most "
        "86400; also taken as max_total_seconds and max_seconds.",
    )
    max_tools_per_iter: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Calls of one turn that are run, 1 to 100; the model is told that the "
            "others were not.",
        ),
    ] = 4
    max_result_chars: Annotated[
        int,
        Field(
            ge=200,
            le=65_536,
            description="Characters of each stream of a tool's result that the model is shown, 200 "
            "to 65536; of a longer one its head and its tail.",
        ),
    ] = 2000
    tool_concurrency: Annotated[
        int,
        Field(
            ge=1,
            le=32,
            description="Calls of one turn that run at the same time, 1 to 32; 1 runs them one by "
            "one.",
        ),
    ] = 1
    stagnation_window: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="After this many turns of the same calls with the same results, or of the "
            "same words, the model is told so once, and then the run stops; 0 lets it repeat "
            "itself.",
        ),
    ] = 3
    use_tools: bool = Field(
        default=True, description="Whether the model is offered tools; without them nothing is run."
    )
    auto_run_code_on_code_block: bool = Field(
        default=True, description="Whether a block of code in place of a call is run."
    )
    salvage: bool = Field(
        default=True,
        description="Whether calls are also found in the text of a reply; if not, a call is "
        "only what the server lists as one, and any text is an answer.",
    )
    enable_repair: bool = Field(
        default=True,
        description="Whether a failed call is shown to the model with a directive to repair it.",
    )
    research_on_unsure: bool = Field(
        default=True,
        description='Whether the model is sent to the tools that have "research" (or else '
        '"search") in their name when it answers that it is not sure.',
    )
    max_research_hops: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="How often the model is sent to research in one run, at most; 0 to 100.",
        ),
    ] = 2
    research_after_failures: bool = Field(
        default=True, description="Whether the model is sent to research after turns of failures."
    )
    max_failures_before_research: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Turns of failures after which the model is sent to research, 1 to 100.",
        ),
    ] = 2
    max_history_messages: Annotated[
        int,
        Field(
            ge=4,
            le=10_000,
            description="Newest messages that the model is shown, beside its instructions, the "
            "user's first message and the task; 4 to 10000.",
        ),
    ] = 50
    hard_char_budget: Annotated[int, Field(ge=1000)] | None = Field(
        default=None,
        description="Characters that the messages shown to the model may have together, 1000 or "
        "more; null sets no such bound.",
    )
    summarize_every: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="Turns after which older messages are replaced by a digest; 0 never does.",
        ),
    ] = 0
    escalate_model: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="A model that takes over, once, where the run would stop for stagnation; "
        "null for none.",
    )
    escalate_on_budget_exceeded: bool = Field(
        default=False,
        description="Whether `escalate_model` also takes over when turns or time are nearly spent.",
    )
    response_format: dict[str, JsonValue] | None = Field(
        default=None,
        description="OpenAI's json_object or json_schema: the answer is then that JSON; null "
        "leaves it free.",
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=None,
        description="The model's sampling temperature, 0 to 2; null leaves it to the model server.",
    )
    num_ctx: Annotated[int, Field(ge=256)] | None = Field(
        default=None,
        description="The model's context window in tokens, 256 or more, into which what it is "
        "shown has to fit, by an estimate; null takes the window known for the model.",
    )
    client_tools: tuple[dict[str, JsonValue], ...] = Field(
        default=(),
        description="The caller's own tools, in OpenAI's form, offered beside those of the run. "
        'A call of one ends the run with `stopped_reason` "tool_calls"; the caller carries it '
        "out and sends the conversation again, with the result as a tool message.",
    )
    completion_kwargs: dict[str, JsonValue] = Field(
        default={},
        repr=False,
        description="Passed to the model as it is: max_tokens, seed, api_base, api_key and the "
        "like.",
    )

    @field_validator("stagnation_window")
    @classmethod
    def _check_stagnation_window(cls, value: int) -> int:
        if value == 1:
            raise ValueError("must be 0 (off) or at least 2: one turn repeats nothing")
        return value

    @field_validator("escalate_on_budget_exceeded")
    @classmethod
    def _check_escalation(cls, value: bool, others: ValidationInfo) -> bool:
        if value and not others.data.get("escalate_model"):
            raise ValueError("needs escalate_model")
        return value

    @field_validator("response_format")
    @classmethod
    def _check_response_format(
        cls, value: dict[str, JsonValue] | None
    ) -> dict[str, JsonValue] | None:
        kind = value.get("type") if value else "text"
        if value is None or kind == "text":
            return None
        if kind not in RESPONSE_FORMATS:
            raise ValueError(f"type is {kind!r:.80}; known types: {', '.join(RESPONSE_FORMATS)}")
        named = value.get("json_schema")
        if kind == "json_schema" and not (
            isinstance(named, dict) and isinstance(named.get("schema"), dict)
        ):
            raise ValueError("json_schema must be an object with a schema")
        return value

    @field_validator("client_tools")
    @classmethod
    def _check_client_tools(
        cls, value: tuple[dict[str, JsonValue], ...]
    ) -> tuple[dict[str, JsonValue], ...]:
        for index, tool in enumerate(value):
            function = tool.get("function")
            name = function.get("name") if isinstance(function, dict) else None
            if not isinstance(name, str) or not TOOL_NAME.fullmatch(name):
                raise ValueError(
                    f"tool {index} needs a function with a name of 1 to 64 letters, digits, _ "
                    f"and -, not {name!r:.80}"
                )
        return value

    @field_validator("completion_kwargs")
    @classmethod
    def _check_completion_kwargs(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        reserved = sorted(set(value) & set(RESERVED_PARAMETERS))
        if reserved:
            raise ValueError(f"the loop sets {', '.join(reserved)} itself")
        return value
