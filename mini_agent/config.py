"""What one run may spend and how the loop behaves."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue, field_validator

LOOPS_OWN: Final = ("messages", "model", "stream", "timeout", "tools")


class AgentConfig(BaseModel):
    """The settings of a run; every field but `model` has a default that suits small models.

    `max_iterations` bounds the turns that may call tools; one last turn without tools may follow,
    so that the run ends with words. `max_wallclock_seconds` (alias `max_total_seconds`) bounds the
    whole run, model calls and tools included. `completion_kwargs` goes to the model as it is
    (max_tokens, seed, api_base, api_key, ...).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)]
    max_iterations: Annotated[int, Field(ge=1, le=1000)] = 8
    max_wallclock_seconds: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=300.0,
        validation_alias=AliasChoices("max_wallclock_seconds", "max_total_seconds"),
    )
    max_tools_per_iter: Annotated[int, Field(ge=1, le=100)] = 4
    use_tools: bool = True
    enable_repair: bool = True
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    num_ctx: Annotated[int, Field(ge=256)] | None = None
    completion_kwargs: dict[str, JsonValue] = Field(default={}, repr=False)

    @field_validator("completion_kwargs")
    @classmethod
    def _leaves_the_loop_its_own(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        taken = sorted(set(given) & set(LOOPS_OWN))
        if taken:
            raise ValueError(f"the loop sets {', '.join(taken)} itself")
        return given
