"""Model servers that are spoken to without LiteLLM: their addresses, keys and parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from mini_agent.errors import NotConfigured
from mini_agent.model import ModelRequest, is_ollama
from mini_agent.settings import parse_ollama_url

DEFAULT_OLLAMA_URL: Final = "http://127.0.0.1:11434"
# Hosts whose models LiteLLM knows: their prices, and what each of them takes in a request.
HOSTED: Final = ("openai.com", "azure.com", "anthropic.com", "googleapis.com", "amazonaws.com")
# Parameters that are sent as they are; others are LiteLLM's business.
OPENAI_PARAMETERS: Final = frozenset(
    ("max_tokens", "parallel_tool_calls", "response_format", "seed", "stop", "tool_choice", "top_p")
)
CONNECTION_OPTIONS: Final = frozenset(("api_base", "base_url", "api_key"))
OPENAI_NAMES: Final = re.compile(r"(gpt-|chatgpt-|o[134](-|$))[\w.:-]*\Z")


@dataclass(frozen=True, slots=True)
class Provider:
    """The variables that name a provider's server and key; `needs_key` where it is required."""

    addresses: tuple[str, ...]
    key: str
    needs_key: bool = False
    default: str = ""


PROVIDERS: Final[Mapping[str, Provider]] = {
    "openai": Provider(("OPENAI_BASE_URL", "OPENAI_API_BASE"), "OPENAI_API_KEY", needs_key=True),
    "hosted_vllm": Provider(("HOSTED_VLLM_API_BASE",), "HOSTED_VLLM_API_KEY"),
    "llamafile": Provider(
        ("LLAMAFILE_API_BASE",), "LLAMAFILE_API_KEY", default="http://127.0.0.1:8080/v1"
    ),
    "lm_studio": Provider(("LM_STUDIO_API_BASE",), "LM_STUDIO_API_KEY"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a request goes, by which name of the model, with which key ("" sends none)."""

    protocol: Literal["openai", "ollama"]
    address: str
    model: str
    api_key: str = ""


def find_server(
    request: ModelRequest, ollama_address: str, variables: Mapping[str, str]
) -> Server | None:
    """Find the server of `request`; None where LiteLLM has to be asked."""
    options = request.options
    named = str(options.get("api_base") or options.get("base_url") or "")
    key = str(options.get("api_key") or "")
    if is_ollama(request.model):
        key = key or variables.get("OLLAMA_API_KEY", "")
        return _find_ollama(request, named or ollama_address, key)
    if set(options) - CONNECTION_OPTIONS - OPENAI_PARAMETERS:
        return None
    prefix, _, model = _split_model(request.model)
    provider = PROVIDERS.get(prefix)
    if provider is None:
        return None
    address = named or _first(variables, provider.addresses) or provider.default
    key = key or variables.get(provider.key, "")
    is_complete = bool(address and (key or not provider.needs_key))
    if not is_complete or not _is_address(address) or _is_hosted(address):
        return None
    return Server("openai", address.rstrip("/"), model, key)


def is_direct(model: str, ollama_address: str, variables: Mapping[str, str]) -> bool:
    """Tell whether `model` is asked without LiteLLM, in a request without further parameters."""
    return find_server(ModelRequest(model, [], [], 0.0), ollama_address, variables) is not None


def _find_ollama(request: ModelRequest, address: str, key: str) -> Server | None:
    if set(request.options) - CONNECTION_OPTIONS or request.temperature is not None:
        return None
    try:
        url = parse_ollama_url(address, "api_base") if address else DEFAULT_OLLAMA_URL
    except NotConfigured:
        return None
    return Server("ollama", url, request.model.partition("/")[2], key)


def _split_model(model: str) -> tuple[str, str, str]:
    if OPENAI_NAMES.match(model):
        return "openai", "/", model
    return model.partition("/")


def _first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return has_port and parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_hosted(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return any(host == known or host.endswith(f".{known}") for known in HOSTED)
