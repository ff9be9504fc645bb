"""Request and response of `POST /agent/run`, and the names of tool backends.

A streamed run sends the events of `mini_agent.events` instead of the response.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self, TypeAlias, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, Message
from mini_agent.result import (
    AgentResult,
    AnswerSource,
    Iteration,
    StoppedReason,
    ToolInvocation,
    Usage,
)
from mini_agent.sandbox import Language, parse_language
from mini_agent_protocol.nulls import NullIsAbsent

Backend: TypeAlias = Literal[
    "auto", "docker", "sidecar", "local", "http", "mcp", "research", "echo"
]

BACKENDS: Final[tuple[Backend, ...]] = get_args(Backend)
# Each of them runs programs, and with the same tools.
PROGRAM_BACKENDS: Final[tuple[Backend, ...]] = ("auto", "docker", "sidecar", "local")
SEPARATOR: Final = "+"
_BACKEND_PATTERN: Final = f"({'|'.join(BACKENDS)})"


def parse_tool_backend(given: object) -> object:
    """Parse backends joined with +, or a list of them, to such a text; each is in it once.

    Raises `ValueError` for a place there is not, and for two that run programs.
    """
    parts = given.split(SEPARATOR) if isinstance(given, str) else given
    if not isinstance(parts, list | tuple):
        return given
    named = dict.fromkeys(_parse_backend(part) for part in parts)
    running = [place for place in named if place in PROGRAM_BACKENDS]
    if len(running) > 1:
        raise ValueError(f"{' and '.join(running)} both run the programs; name one of them")
    if not named:
        raise ValueError(f"names no place; there are {', '.join(BACKENDS)}")
    return SEPARATOR.join(named)


def split_tool_backend(backend: str) -> tuple[Backend, ...]:
    """Split a parsed `tool_backend` into its backends, in its order."""
    return tuple(_parse_backend(part) for part in backend.split(SEPARATOR))


def _parse_backend(part: object) -> Backend:
    wanted = part.strip() if isinstance(part, str) else part
    for place in BACKENDS:
        if place == wanted:
            return place
    raise ValueError(
        f"{part!r:.80} is none of {', '.join(BACKENDS)}; several are joined with {SEPARATOR}, "
        "such as auto+research"
    )


ToolBackend: TypeAlias = Annotated[
    str,
    BeforeValidator(parse_tool_backend),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": rf"^{_BACKEND_PATTERN}(\+{_BACKEND_PATTERN})*$"},
                {"type": "array", "items": {"type": "string", "enum": BACKENDS}, "minItems": 1},
            ]
        }
    ),
]


ServerName: TypeAlias = Annotated[str, Field(min_length=1)]
MODEL_PARAMETERS: Final = ("max_tokens", "seed", "api_base", "api_key")


class AgentRunRequest(AgentConfig, NullIsAbsent):
    """One run: its messages, where its snippets run, and every field of `AgentConfig`."""

    model: str = Field(
        default="",
        description="The model, by the name LiteLLM knows it under; empty means the service's "
        "default.",
    )
    messages: Annotated[
        list[Message],
        Field(
            min_length=1, description="The conversation, in OpenAI's form; at least one message."
        ),
    ]
    tool_backend: ToolBackend = Field(
        default="auto", description="Where tools are and snippets run; several are joined with +."
    )
    tool_http_base_url: str | None = Field(
        default=None,
        description="The address of the tools gateway that the backend http calls; null takes "
        "the service's own.",
    )
    tool_http_headers: dict[str, str] | None = Field(
        default=None,
        repr=False,
        description="Headers for the tools gateway; the service's own go to its own gateway alone.",
    )
    tool_mcp_servers: Annotated[tuple[ServerName, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Names of those of the service's MCP servers that the backend mcp uses; "
        "null means all.",
    )
    allowed_languages: Annotated[tuple[Language, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Languages that snippets may be written in, a list or a text with commas; "
        "null takes the service's default.",
    )
    max_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Tokens that a reply of the model may have; null leaves it to the model "
        "server.",
    )
    seed: int | None = Field(
        default=None,
        description="The seed of the model's sampling; null leaves it to the model server.",
    )
    api_base: str | None = Field(
        default=None, description="The address of the model server; null takes LiteLLM's own."
    )
    api_key: str | None = Field(
        default=None,
        repr=False,
        description="The key for the model server; null takes the service's own.",
    )
    stream: bool = Field(
        default=False,
        description="Whether the answer is the run's events as they happen, as server-sent events.",
    )
    background: bool = Field(
        default=False,
        description="Whether the answer comes at once and says where the run can be followed.",
    )

    @field_validator("allowed_languages", mode="before")
    @classmethod
    def _languages(cls, given: object) -> object:
        names = given.split(",") if isinstance(given, str) else given
        if not isinstance(names, list | tuple):
            return given
        try:
            known = [parse_language(name) if isinstance(name, str) else name for name in names]
        except BadRequest as unknown:
            raise ValueError(unknown.message) from None
        return tuple(dict.fromkeys(known))

    def config(self, model: str) -> AgentConfig:
        """Build the loop's settings for a run with `model`; raise `BadRequest` for invalid ones."""
        for_the_model = self.model_dump(include=set(MODEL_PARAMETERS), exclude_none=True)
        own = self.model_dump(include=set(AgentConfig.model_fields))
        kwargs = {**self.completion_kwargs, **for_the_model}
        try:
            return AgentConfig.model_validate({**own, "model": model, "completion_kwargs": kwargs})
        except ValidationError as wrong:
            first = wrong.errors()[0]
            field = ".".join(str(step) for step in first["loc"])
            raise BadRequest(f"{field}: {first['msg']}", field=field) from None


class RunMetrics(BaseModel):
    """What a run cost."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    iterations: int = Field(description="How many turns it had.")
    ttotal_ms: float = Field(description="Duration of the whole run, in milliseconds.")
    model_ms: float = Field(description="Time spent waiting for the model, in milliseconds.")
    tool_ms: float = Field(description="Time spent in tools, in milliseconds.")
    used_model: str = Field(description="The model that answered last.")
    usage: Usage = Field(description="Tokens and price of all model calls together.")
    escalated: bool = Field(default=False, description="Whether `escalate_model` took over.")


class AgentRunResponse(BaseModel):
    """A finished run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ok: Literal[True] = Field(
        default=True, description="That the run took place; `stopped_reason` says how it went."
    )
    final_answer: str = Field(description="The answer; never blank.")
    answer_source: AnswerSource = Field(
        description="Whose words the answer is: the model's, a tool's output, or a notice of "
        "the loop."
    )
    stopped_reason: StoppedReason = Field(description="Why the run ended.")
    messages: list[Message] = Field(
        description="The whole transcript, the caller's messages first."
    )
    iterations: tuple[Iteration, ...] = Field(description="Every turn, in order.")
    metrics: RunMetrics = Field(description="What the run cost.")
    last_tool_invocation: ToolInvocation | None = Field(
        default=None, description="The newest tool call; null where there was none."
    )
    error: str | None = Field(
        default=None,
        description='What went wrong, as a sentence, where `stopped_reason` is "error"; else null.',
    )
    tool_calls: tuple[JsonObject, ...] = Field(
        default=(),
        description="Calls of the caller's own tools, in OpenAI's form, which the caller is to "
        'carry out, where `stopped_reason` is "tool_calls"; else empty.',
    )

    @classmethod
    def from_result(cls, result: AgentResult) -> Self:
        """Convert the loop's result to the wire format."""
        return cls(
            final_answer=result.final_answer,
            answer_source=result.answer_source,
            stopped_reason=result.stopped_reason,
            messages=result.messages,
            iterations=result.iterations,
            metrics=_build_metrics(result),
            last_tool_invocation=result.last_tool_invocation,
            error=result.error,
            tool_calls=result.tool_calls,
        )

    def result(self) -> AgentResult:
        """Convert back to the loop's result."""
        return AgentResult(
            final_answer=self.final_answer,
            answer_source=self.answer_source,
            stopped_reason=self.stopped_reason,
            messages=self.messages,
            iterations=self.iterations,
            used_model=self.metrics.used_model,
            usage=self.metrics.usage,
            error=self.error,
            tool_calls=self.tool_calls,
            escalated=self.metrics.escalated,
            total_ms=self.metrics.ttotal_ms,
        )


def _build_metrics(result: AgentResult) -> RunMetrics:
    return RunMetrics(
        iterations=len(result.iterations),
        ttotal_ms=result.total_ms,
        model_ms=result.model_ms,
        tool_ms=result.tool_ms,
        used_model=result.used_model,
        usage=result.usage,
        escalated=result.escalated,
    )
