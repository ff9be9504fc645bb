"""`POST /agent/run` as values: what a caller sends, and what comes back."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest
from mini_agent.messages import Message
from mini_agent.result import (
    AgentResult,
    AnswerSource,
    Iteration,
    StoppedReason,
    ToolInvocation,
    Usage,
)
from mini_agent.sandbox import Language, language_named
from mini_agent.tool_backend import ToolBackend

ServerName: TypeAlias = Annotated[str, Field(min_length=1)]
FOR_THE_MODEL: Final = ("max_tokens", "seed", "api_base", "api_key")


class AgentRunRequest(AgentConfig):
    """One run: the messages, where its snippets run, and every field of `AgentConfig` beside them.

    No `model` means the default of whoever runs it; no `allowed_languages` means all. `max_tokens`,
    `seed`, `api_base` and `api_key` go to the model server. With `stream` the answer is the run's
    events as they happen (server-sent, `mini_agent.events`), with `background` it is there at once
    and says where the run can be followed. `tool_http_base_url` is the address of
    the tools gateway that `tool_backend` http calls, with `tool_http_headers`; `tool_mcp_servers`
    are the names of those servers that `tool_backend` mcp is to use, of whoever runs it.
    """

    model: str = ""
    messages: Annotated[list[Message], Field(min_length=1)]
    tool_backend: ToolBackend = "auto"
    tool_http_base_url: str | None = None
    tool_http_headers: dict[str, str] | None = Field(default=None, repr=False)
    tool_mcp_servers: Annotated[tuple[ServerName, ...], Field(min_length=1)] | None = None
    allowed_languages: Annotated[tuple[Language, ...], Field(min_length=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    seed: int | None = None
    api_base: str | None = None
    api_key: str | None = Field(default=None, repr=False)
    stream: bool = False
    background: bool = False

    @field_validator("allowed_languages", mode="before")
    @classmethod
    def _languages(cls, given: object) -> object:
        names = given.split(",") if isinstance(given, str) else given
        if not isinstance(names, list | tuple):
            return given
        try:
            known = [language_named(name) if isinstance(name, str) else name for name in names]
        except BadRequest as unknown:
            raise ValueError(unknown.message) from None
        return tuple(dict.fromkeys(known))

    def config(self, model: str) -> AgentConfig:
        """The loop's settings for a run with `model`; `BadRequest` where they cannot be."""
        for_the_model = self.model_dump(include=set(FOR_THE_MODEL), exclude_none=True)
        own = self.model_dump(include=set(AgentConfig.model_fields))
        kwargs = {**self.completion_kwargs, **for_the_model}
        try:
            return AgentConfig.model_validate({**own, "model": model, "completion_kwargs": kwargs})
        except ValidationError as wrong:
            first = wrong.errors()[0]
            field = ".".join(str(step) for step in first["loc"])
            raise BadRequest(f"{field}: {first['msg']}", field=field) from None


class RunMetrics(BaseModel):
    """What a run cost; times are milliseconds."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    iterations: int
    ttotal_ms: float
    model_ms: float
    tool_ms: float
    used_model: str
    usage: Usage
    escalated: bool = False


class AgentRunResponse(BaseModel):
    """A finished run. `ok` says that the run took place; `stopped_reason` how it went."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ok: Literal[True] = True
    final_answer: str
    answer_source: AnswerSource
    stopped_reason: StoppedReason
    messages: list[Message]
    iterations: tuple[Iteration, ...]
    metrics: RunMetrics
    last_tool_invocation: ToolInvocation | None = None
    error: str | None = None

    @classmethod
    def of_result(cls, result: AgentResult) -> Self:
        """The loop's result in the words of the wire."""
        return cls(
            final_answer=result.final_answer,
            answer_source=result.answer_source,
            stopped_reason=result.stopped_reason,
            messages=result.messages,
            iterations=result.iterations,
            metrics=_metrics(result),
            last_tool_invocation=result.last_tool_invocation,
            error=result.error,
        )

    def result(self) -> AgentResult:
        """The loop's result again, on the other side of the wire."""
        return AgentResult(
            final_answer=self.final_answer,
            answer_source=self.answer_source,
            stopped_reason=self.stopped_reason,
            messages=self.messages,
            iterations=self.iterations,
            used_model=self.metrics.used_model,
            usage=self.metrics.usage,
            error=self.error,
            escalated=self.metrics.escalated,
            total_ms=self.metrics.ttotal_ms,
        )


def _metrics(result: AgentResult) -> RunMetrics:
    return RunMetrics(
        iterations=len(result.iterations),
        ttotal_ms=result.total_ms,
        model_ms=result.model_ms,
        tool_ms=result.tool_ms,
        used_model=result.used_model,
        usage=result.usage,
        escalated=result.escalated,
    )
