"""Checks of the model server, the model and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.cli.doctor.check import (
    Check,
    DoctorContext,
    fail,
    ok,
    skipped,
    warn,
)
from mini_agent.cli.doctor.stack import read_stack_model
from mini_agent.coding.doctor_checks import API_KEY_VARIABLES
from mini_agent.errors import NotConfigured
from mini_agent.model import OLLAMA_PREFIXES, context_tokens, is_ollama

TIMEOUT_S: Final = 5.0
DEFAULT_OLLAMA_URL: Final = "http://127.0.0.1:11434"
NAME_MODEL_FIX: Final = "export LITELLM_DEFAULT_CODE_MODEL=ollama/qwen2.5-coder:3b"
SECRETS: Final = (
    *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "PPLX_API_KEY", "C7_API_KEY"),
    *("MINI_AGENT_SHIM_TOKEN", "MINI_AGENT_SIDECAR_TOKEN", "MINI_AGENT_GATEWAY_TOKEN"),
)
MIN_MASKED_CHARS: Final = 20


class _OllamaModel(BaseModel):
    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    capabilities: list[str] | None = Field(
        default=None,
        description="What the model can do, such as tools; null from an Ollama that does not say.",
    )
    model_info: dict[str, object] | None = Field(
        default=None, description="Facts about the model, the length of its context among them."
    )

    @property
    def context(self) -> int | None:
        """Return the length of the model's context in tokens."""
        found = [v for k, v in (self.model_info or {}).items() if k.endswith(".context_length")]
        return found[0] if found and isinstance(found[0], int) else None


async def check_model(context: DoctorContext) -> Sequence[Check]:
    """Check the model of a run that names none."""
    name = context.settings.default_model or await read_stack_model(context)
    if not name:
        return [skipped("model", "no model is named", NAME_MODEL_FIX)]
    if is_ollama(name):
        return await _check_ollama(
            name.removeprefix(OLLAMA_PREFIXES[1]).removeprefix(OLLAMA_PREFIXES[0]), name, context
        )
    return [_check_hosted(name, context)]


async def check_keys(context: DoctorContext) -> Sequence[Check]:
    """Report which secrets are set, masked."""
    given = {name: context.variables.get(name, "") for name in SECRETS}
    told = [f"{name}={mask_secret(value)}" for name, value in given.items() if value]
    return [ok("keys", ", ".join(told) or "none is set")]


def mask_secret(secret: str) -> str:
    """Mask all but the last four characters; short secrets entirely."""
    return f"...{secret[-4:]}" if len(secret) >= MIN_MASKED_CHARS else "(set)"


def _check_hosted(name: str, context: DoctorContext) -> Check:
    key = next((key for begin, key in API_KEY_VARIABLES.items() if name.startswith(begin)), "")
    if key and not context.variables.get(key):
        return fail("model", f"{name} needs {key}, which is not set", f"export {key}=...")
    return ok("model", f"{name}{f', {key} is set' if key else ''}; not asked, which may cost")


async def _check_ollama(name: str, asked_as: str, context: DoctorContext) -> Sequence[Check]:
    try:
        url = context.settings.ollama_address or DEFAULT_OLLAMA_URL
    except NotConfigured as wrong:
        return [fail("model server", wrong.message, wrong.hint)]
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=TIMEOUT_S) as ollama:
            version = await ollama.get("/api/version")
            version.raise_for_status()
            shown = await ollama.post("/api/show", json={"model": name})
            server = ok("model server", f"Ollama {version.json()['version']} at {url}")
    except (httpx.HTTPError, ValueError, KeyError) as away:
        what = str(away) or type(away).__name__
        detail = f"no Ollama answers at {url}: {what:.200}"
        fix = "ollama serve, or make up; OLLAMA_API_BASE names another address"
        return [fail("model server", detail, fix), skipped("model", "its server is away")]
    return [server, *_check_ollama_model(name, asked_as, shown)]


def _check_ollama_model(name: str, asked_as: str, shown: httpx.Response) -> list[Check]:
    if shown.status_code != httpx.codes.OK:
        fix = f"ollama pull {name}; in the stack: docker exec ollama ollama pull {name}"
        return [fail("model", f"{name} is not pulled", fix)]
    try:
        about = _OllamaModel.model_validate_json(shown.content)
    except ValidationError:
        return [warn("model", f"{name} is there, what it can do is not said", "update Ollama")]
    return [ok("model", f"{name} is pulled"), _check_tools(about), _check_context(about, asked_as)]


def _check_tools(about: _OllamaModel) -> Check:
    if about.capabilities is None:
        return warn("tools", "this Ollama does not say whether the model calls them", "update it")
    if "tools" in about.capabilities:
        return ok("tools", "the model calls them")
    return warn(
        "tools",
        "the model has no calls of its own; it is asked to write them as text",
        "a model that has: ollama pull qwen2.5-coder:3b",
    )


def _check_context(about: _OllamaModel, name: str) -> Check:
    given, most = context_tokens(name, None) or 0, about.context
    if most is None:
        return ok("num_ctx", f"{given} tokens; how many the model was made for is not said")
    if most < given:
        fix = f"pass num_ctx={most}, so that we know what it forgets"
        return warn("num_ctx", f"{given} tokens are asked for, the model was made for {most}", fix)
    return ok("num_ctx", f"{given} of {most} tokens; num_ctx asks for more, and for the memory")
