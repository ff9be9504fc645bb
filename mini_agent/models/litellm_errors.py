"""Maps an error of LiteLLM to ours: a sentence that says what happened, a hint what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from mini_agent.errors import (
    ContextTooLong,
    ModelError,
    ModelUnavailable,
    NoImageSupport,
    NoToolSupport,
)
from mini_agent.models.error_patterns import NO_PICTURES, ODD_CONTENT, TOO_LONG
from mini_agent.models.http_clients import is_local_host
from mini_agent.net.backoff import parse_retry_after_header

MAX_REASON_CHARS: Final = 300
ERROR_PREFIX: Final = re.compile(
    r"^((litellm\.)?(\w+(Error|Timeout)|Timeout( Error)?): |\w+(Exception|Error) - )+"
)
SSL_OBJECT: Final = re.compile(r" ssl:(default|<[^>]*>)")
MIN_SECRET_CHARS: Final = 8  # servers without keys are given dummies such as "x"
DEFAULT_ADDRESSES: Final = {
    "ollama": "http://localhost:11434",
    "llamafile": "http://127.0.0.1:8080/v1",
}


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A failed model call: its model, address and timeout, and the status and text of the error.

    `code` is the server's own name of the error, such as context_length_exceeded.
    """

    model: str
    address: str
    api_key: str
    timeout_s: float
    status: int
    text: str
    retry_after_s: float | None = None
    code: str = ""
    has_images: bool = False

    @property
    def provider(self) -> str:
        """`ollama` for `ollama_chat/qwen`; empty when the model names none."""
        provider, slash, _ = self.model.partition("/")
        return provider.removesuffix("_chat") if slash else ""

    @property
    def name(self) -> str:
        """`qwen` for `ollama_chat/qwen`."""
        return self.model.rpartition(f"{self.provider}/")[2].removeprefix("ollama_chat/")

    @property
    def where(self) -> str:
        """The address of the server, as far as it is known."""
        address = self.address or DEFAULT_ADDRESSES.get(self.provider, "")
        return address or f"the address of {self.provider or 'the provider'}"

    @property
    def has_invalid_address(self) -> bool:
        """Whether the configured address is invalid."""
        try:
            parts = urlsplit(self.address)
        except ValueError:
            return True
        return bool(self.address) and (parts.scheme not in ("http", "https") or not parts.netloc)

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine or in its network, as far as is known."""
        address = self.address or DEFAULT_ADDRESSES.get(self.provider, "")
        return bool(address) and is_local_host(urlsplit(address).hostname or "")

    @property
    def reason(self) -> str:
        """The server's message: one short line, without LiteLLM's prefix or the key."""
        line = " ".join(self.text.split("\nTraceback", 1)[0].split())
        line = SSL_OBJECT.sub("", ERROR_PREFIX.sub("", line))
        quoted = re.search(r'\{"error": ?"(.*)"\}', line)
        message = quoted.group(1) if quoted else line
        hide = len(self.api_key) >= MIN_SECRET_CHARS
        return (message.replace(self.api_key, "***") if hide else message)[:MAX_REASON_CHARS]


def parse_retry_after(error: Exception) -> float | None:
    """Parses the `Retry-After` header of `error` to seconds from now; None without a valid one."""
    response = getattr(error, "response", None)
    headers_of_error = (
        getattr(response, "headers", None),
        getattr(error, "litellm_response_headers", None),
        getattr(error, "headers", None),
    )
    values = (
        _find_retry_after(headers) for headers in headers_of_error if isinstance(headers, Mapping)
    )
    return next(
        (seconds for text in values if (seconds := parse_retry_after_header(text)) is not None),
        None,
    )


def _find_retry_after(headers: Mapping[object, object]) -> str:
    named = (str(value) for name, value in headers.items() if str(name).lower() == "retry-after")
    return next(named, "")


def create_model_error(call: FailedCall) -> ModelError:
    """Creates the error for a failed call, by patterns in its text, else by its status."""
    if call.has_invalid_address:
        return _invalid_address(call)
    words = f"{call.text} {call.code}"
    for pattern, create in ERROR_PATTERNS:
        if pattern.search(words):
            return create(call)
    if call.has_images and call.status in REFUSAL_STATUSES and ODD_CONTENT.search(words):
        return _no_pictures(call)
    return ERRORS_BY_STATUS.get(call.status, _failed)(call)


def timeout_error(call: FailedCall) -> ModelError:
    """Creates the error for a model that did not reply in time."""
    return ModelError(
        f"{call.model} did not answer within {call.timeout_s:.3g} s",
        hint="give the run more time with max_wallclock_seconds, or take a smaller model",
    )


def _server_timeout(call: FailedCall) -> ModelError:
    return ModelUnavailable(
        f"the model server at {call.where} gave up on {call.model}: {call.reason}",
        hint="it may still be loading the model: try again, or take a smaller one",
    )


def _invalid_address(call: FailedCall) -> ModelError:
    return ModelError(
        f"api_base {call.address!r} is no address", hint="write it as http://host:port/v1"
    )


def _no_provider(call: FailedCall) -> ModelError:
    return ModelError(
        f"model {call.model!r} does not say which provider serves it",
        hint="write provider/model, such as ollama/qwen2.5-coder:3b or openai/gpt-4o-mini",
    )


def _key_missing(call: FailedCall) -> ModelError:
    return ModelError(
        f"{call.model} needs a key",
        hint=f"set {call.provider.upper()}_API_KEY, or pass api_key",
    )


def _key_refused(call: FailedCall) -> ModelError:
    return ModelError(
        f"{call.provider} did not accept the key for {call.model}: {call.reason}",
        hint=f"set {call.provider.upper()}_API_KEY, or pass api_key",
    )


def _no_credit(call: FailedCall) -> ModelError:
    return ModelError(
        f"{call.provider} wants to be paid for {call.model}: {call.reason}",
        hint="look at the account that api_key belongs to, or take a local model",
    )


def _no_tls(call: FailedCall) -> ModelError:
    return ModelError(
        f"no secure connection to {call.where}: {call.reason}",
        hint="a server without TLS is http://, not https://; SSL_CERT_FILE names certificates "
        "to trust",
    )


def _not_reachable(call: FailedCall) -> ModelError:
    return ModelUnavailable(
        f"no model server answers at {call.where}",
        hint=_reachability_hint(call),
        # A local server may still be starting, and loading its model.
        cause="unreachable" if call.is_local else "failed",
    )


def _reachability_hint(call: FailedCall) -> str:
    if call.provider == "ollama":
        return (
            "start it with `ollama serve`, or the whole stack with `make up`; "
            "OLLAMA_API_BASE names another address"
        )
    if call.provider == "llamafile":
        return (
            "start the demo model with `make up MODEL=demo`; "
            "LLAMAFILE_API_BASE names another address"
        )
    tls = ", does it speak TLS" if call.where.startswith("https:") else ""
    return f"is it up{tls}, and is {call.provider.upper()}_API_BASE or api_base right?"


def _no_api(call: FailedCall) -> ModelError:
    path = "no path, such as" if call.provider == "ollama" else "the path of the API, mostly /v1:"
    example = "http://localhost:11434" if call.provider == "ollama" else "http://host:port/v1"
    return ModelError(
        f"what answers at {call.where} has no chat completions there: {call.reason}",
        hint=f"check api_base: it takes {path} {example}",
    )


def _not_found(call: FailedCall) -> ModelError:
    if call.provider == "ollama":
        return ModelError(
            f"Ollama at {call.where} does not have the model {call.name}",
            hint=f"ollama pull {call.name} (in the compose stack: "
            f"docker exec ollama ollama pull {call.name})",
        )
    return ModelError(
        f"{call.provider} does not know the model {call.name}: {call.reason}",
        hint="check the model's name, and that api_base is the server you mean",
    )


def _too_long(call: FailedCall) -> ModelError:
    return ContextTooLong(
        f"the conversation is longer than the context of {call.model}: {call.reason}",
        hint="lower max_history_messages or hard_char_budget, or give the model a larger num_ctx",
    )


def _no_tools(call: FailedCall) -> ModelError:
    return NoToolSupport(
        f"{call.model} cannot call tools: {call.reason}",
        hint="take a model that can, such as ollama/qwen2.5-coder:3b",
    )


def _no_pictures(call: FailedCall) -> ModelError:
    return NoImageSupport(
        f"{call.model} takes no pictures: {call.reason}",
        hint="take a model that does, such as ollama/qwen2.5vl:3b, or leave the pictures out",
    )


def _out_of_memory(call: FailedCall) -> ModelError:
    return ModelUnavailable(
        f"{call.provider} could not run {call.name}: {call.reason}",
        hint="mostly a lack of memory: take a smaller model or a smaller num_ctx",
    )


def _not_a_completion(call: FailedCall) -> ModelError:
    return ModelUnavailable(
        f"what answers at {call.where} is not a model server: its answer is no chat completion",
        hint="check api_base, and what stands between: a proxy may answer for the server",
    )


def _busy(call: FailedCall) -> ModelError:
    return ModelUnavailable(
        f"{call.provider} cannot take {call.model} right now: {call.reason}",
        hint="try again in a moment",
        retry_after_s=call.retry_after_s,
        cause="busy",
    )


def _refused(call: FailedCall) -> ModelError:
    return ModelError(
        f"{call.provider} refused the request for {call.model}: {call.reason}",
        hint="change what it names: the model, a parameter, or completion_kwargs",
    )


def _failed(call: FailedCall) -> ModelError:
    return ModelUnavailable(
        f"the model server at {call.where} failed on {call.model}: {call.reason}",
        hint="its own log says more (`make logs` for the stack)",
    )


ErrorFactory = Callable[[FailedCall], ModelError]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# LiteLLM gives several faults one type and one status; only their texts differ.
ERROR_PATTERNS: Final[tuple[tuple[re.Pattern[str], ErrorFactory], ...]] = (
    (_words(r"LLM Provider NOT provided"), _no_provider),
    (
        _words(r"Missing credentials|Missing \w+ API Key|API[_ ]key.*(not set|required)"),
        _key_missing,
    ),
    (_words(r"certificate verify|wrong[ _]version[ _]number|SSLError|\[SSL"), _no_tls),
    (
        _words(r"Cannot connect to host|Connection error|Connection refused|Name or service"),
        _not_reachable,
    ),
    (_words(r'404 page not found|"detail": ?"Not Found"'), _no_api),
    (
        _words(r"does not support tools|tool use is not supported|tools? (is|are) not supported"),
        _no_tools,
    ),
    # Said with the status of a busy server, but no wait helps.
    (_words(r"insufficient_quota|exceeded your current quota"), _no_credit),
    (NO_PICTURES, _no_pictures),
    (TOO_LONG, _too_long),
    (_words(r"runner (process )?(has )?(terminated|no longer running)"), _out_of_memory),
    (_words(r"more system memory|out of memory"), _out_of_memory),
    (
        _words(r"Expecting value|must be a mapping|invalid response|provider returned"),
        _not_a_completion,
    ),
    (_words(r"KeyError: 'message'|Error in response object"), _not_a_completion),
)
# Of requests that a server does not take as they are.
REFUSAL_STATUSES: Final = (400, 404, 415, 422, 501)

ERRORS_BY_STATUS: Final[dict[int, ErrorFactory]] = {
    301: _no_api,
    302: _no_api,
    307: _no_api,
    308: _no_api,
    400: _refused,
    401: _key_refused,
    402: _no_credit,
    403: _key_refused,
    404: _not_found,
    405: _no_api,
    408: _server_timeout,
    413: _too_long,
    422: _refused,
    429: _busy,
    503: _busy,
    504: _server_timeout,
    529: _busy,
}
