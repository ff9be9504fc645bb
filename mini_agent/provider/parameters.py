"""Parse the parameters of a LiteLLM call into a request for a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from mini_agent.agent.tool_backends import choose_languages
from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest
from mini_agent.remote.openai_parameters import (
    MODEL_PARAMETERS,
    UNUSED_PARAMETERS,
    refuse_unknown,
    refuse_unsupported,
)
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.settings import Settings

PROVIDER: Final = "mini-agent"
DEFAULT_MODEL: Final = "default"

# Ours, by the names callers use for them; of several names for one thing the first given counts.
PARAMETER_ALIASES: Final = MappingProxyType(
    {
        "model": ("target_model", "mini_agent_target", "mini_agent_model"),
        "tool_backend": ("tool_backend", "mini_agent_backend"),
        "allowed_languages": ("allowed_languages", "mini_agent_allowed_languages"),
        "max_iterations": ("max_iterations", "mini_agent_max_iterations"),
        "max_wallclock_seconds": (
            "max_wallclock_seconds",
            "max_total_seconds",
            "max_seconds",
            "mini_agent_max_seconds",
        ),
        "max_tokens": ("max_tokens", "max_completion_tokens"),
    }
)
EXCLUDED_FIELDS: Final = ("messages", "stream")
PARAMETER_NAMES: Final = MappingProxyType(
    {
        field: PARAMETER_ALIASES.get(field, (field,))
        for field in AgentRunRequest.model_fields
        if field not in EXCLUDED_FIELDS
    }
)
CONTAINER_PARAMETERS: Final = ("docker_container", "mini_agent_docker_container")
PROGRESS_PARAMETERS: Final = ("stream_progress", "mini_agent_progress")
# What the environment says, where the call does not.
ENVIRONMENT_VARIABLES: Final = MappingProxyType(
    {
        "max_iterations": "LITELLM_MINI_AGENT_MAX_ITERATIONS",
        "max_wallclock_seconds": "LITELLM_MINI_AGENT_MAX_SECONDS",
        "tool_backend": "LITELLM_MINI_AGENT_TOOL_BACKEND",
        "allowed_languages": "LITELLM_MINI_AGENT_LANGUAGES",
    }
)
# Of LiteLLM itself: about the call, not about the run.
LITELLM_PARAMETERS: Final = ("drop_params", "extra_body", "litellm_params", "max_retries")
TOOL_PARAMETERS: Final = ("tools", "functions", "tool_choice", "function_call")

# Of OpenAI's API, what LiteLLM is to let through; `n` is refused here where it is not 1.
OPENAI_PARAMETERS: Final = (
    *MODEL_PARAMETERS,
    *UNUSED_PARAMETERS,
    *TOOL_PARAMETERS,
    *EXCLUDED_FIELDS,
    *PARAMETER_ALIASES["max_tokens"],
    "temperature",
    "seed",
    "response_format",
    "stream_options",
    "max_retries",
    "n",
)
# What LiteLLM itself adds to a call; it may add more in a later version.
INTERNAL_PREFIXES: Final = ("_", "litellm_")
KNOWN_NAMES: Final = frozenset(
    (
        *(name for names in PARAMETER_NAMES.values() for name in names),
        *CONTAINER_PARAMETERS,
        *PROGRESS_PARAMETERS,
        *LITELLM_PARAMETERS,
        *TOOL_PARAMETERS,
        *EXCLUDED_FIELDS,
        "stream_options",
    )
)
DEFAULTS: Final = AgentConfig(model="any")


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One call of the provider: the run, and the shim's container, empty when none is named.

    A stream tells what the run does, too, where `shows_progress`.
    """

    request: AgentRunRequest
    container: str
    shows_progress: bool = False


@dataclass(frozen=True, slots=True)
class LiteLLMCall:
    """A call as LiteLLM passes it; `model` is what follows `mini-agent/`.

    With `drops_unknown` (LiteLLM's `drop_params`), a parameter that a run cannot honour is left
    out; else it is refused.
    """

    model: str
    messages: Sequence[object]
    parameters: Mapping[str, object]
    timeout: object = None
    drops_unknown: bool = False


def parse_provider_call(given: LiteLLMCall, settings: Settings) -> ProviderCall:
    """Parse a LiteLLM call; raise `BadRequest` that names an invalid parameter."""
    named = _merge_parameters(given)
    if not given.drops_unknown:
        _refuse_what_cannot_be(named)
    fields = {field: _find_first(named, names) for field, names in PARAMETER_NAMES.items()}
    usual = _default_values(given, settings)
    fields |= {field: usual[field] for field in usual if fields[field] in (None, "")}
    fields["client_tools"] = named.get("tools") or fields["client_tools"]
    fields["completion_kwargs"] = _merge_sampling(named, fields["completion_kwargs"])
    request = _build_request(given, fields, named)
    if request.model.split("/")[0] == PROVIDER:
        raise BadRequest(
            f"target_model {request.model!r} is mini-agent itself",
            field="target_model",
            hint="name the model that does the work, such as ollama/qwen2.5-coder:3b",
        )
    container = str(_find_first(named, CONTAINER_PARAMETERS) or settings.shim_container)
    return ProviderCall(request, container, _read_progress(named))


def _merge_parameters(given: LiteLLMCall) -> dict[str, object]:
    merged: dict[str, object] = {}
    for nested in (given.parameters.get("extra_body"), given.parameters):
        merged |= nested if isinstance(nested, Mapping) else {}
    nested = given.parameters.get("litellm_params")
    return merged | (dict(nested) if isinstance(nested, Mapping) else {})


def _refuse_what_cannot_be(named: Mapping[str, object]) -> None:
    refuse_unsupported(named)
    refuse_unknown((name for name in named if not name.startswith(INTERNAL_PREFIXES)), KNOWN_NAMES)


def _default_values(given: LiteLLMCall, settings: Settings) -> dict[str, object]:
    return {
        "model": _model_from_path(given.model) or settings.default_model,
        "allowed_languages": choose_languages(None, settings),
        "max_iterations": settings.max_iterations or None,
        "max_wallclock_seconds": _choose_max_seconds(given.timeout, settings.max_seconds),
        "tool_backend": settings.tool_backend or None,
    }


def _read_progress(named: Mapping[str, object]) -> bool:
    asked = _find_first(named, PROGRESS_PARAMETERS)
    if asked is None or isinstance(asked, bool):
        return bool(asked)
    name = next(name for name in PROGRESS_PARAMETERS if named.get(name) is not None)
    raise BadRequest(f"{name}: must be true or false, not {asked!r:.80}", field=name)


def _find_first(named: Mapping[str, object], names: Sequence[str]) -> object:
    return next((named[name] for name in names if named.get(name) is not None), None)


# `mini-agent/gpt-4o` and `mini-agent/ollama/qwen3` name a model, `mini-agent/default` names none.
def _model_from_path(model: str) -> str:
    return "" if model in (DEFAULT_MODEL, PROVIDER) else model


# LiteLLM's own timeout is mostly a default that nobody chose: it can only make a run shorter.
def _choose_max_seconds(timeout: object, variable: str) -> float | str | None:
    try:
        usual = float(variable or DEFAULTS.max_wallclock_seconds)
    except ValueError:
        return variable
    if isinstance(timeout, int | float) and 0 < timeout < usual:
        return float(timeout)
    return variable or None


def _merge_sampling(named: Mapping[str, object], kwargs: object) -> object:
    passed = (*MODEL_PARAMETERS, "tool_choice")
    sampling = {name: named[name] for name in passed if named.get(name) is not None}
    if kwargs is None:
        return sampling
    return {**sampling, **kwargs} if isinstance(kwargs, Mapping) else kwargs


def _build_request(
    given: LiteLLMCall, fields: Mapping[str, object], named: Mapping[str, object]
) -> AgentRunRequest:
    present = {field: value for field, value in fields.items() if value is not None}
    try:
        return AgentRunRequest.model_validate({**present, "messages": list(given.messages)})
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = _find_callers_name(str(first["loc"][0]), named)
        why = first["msg"].removeprefix("Value error, ")
        raise BadRequest(f"{field}: {why}", field=field) from None


def _find_callers_name(field: str, named: Mapping[str, object]) -> str:
    names = PARAMETER_NAMES.get(field, (field,))
    usual = ENVIRONMENT_VARIABLES.get(field, names[0])
    return next((name for name in names if named.get(name) is not None), usual)
