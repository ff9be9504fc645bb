"""Redaction of the run log: secrets of the environment and of requests are replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, JsonValue

from mini_agent.remote.schema import AgentRunRequest

# Shorter values are no secrets ("none", "test"), and replacing them would garble the log.
MIN_SECRET_CHARS: Final = 8
REPLACEMENT: Final = "[secret]"
SECRET_NAMES: Final = re.compile(
    r"(?i)(^|_)(api_?key|token|secret|password|passwd|authorization|credentials?)$|^api_key$"
)
Value = TypeVar("Value", bound=BaseModel)
OMITTED_FIELDS: Final = frozenset({"api_key", "tool_http_headers"})


class Redactor:
    """Replaces `secrets` in JSON texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        written = {json.dumps(each, ensure_ascii=False)[1:-1] for each in secrets}
        longest_first = sorted(
            (each for each in written if len(each) >= MIN_SECRET_CHARS), key=len
        )[::-1]
        self._any = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def redact(self, text: str) -> str:
        """Return `text` with the secrets replaced."""
        return self._any.sub(REPLACEMENT, text) if self._any else text

    def redact_model(self, value: Value) -> Value:
        """Return `value` with the secrets replaced."""
        if self._any is None:
            return value
        text = value.model_dump_json()
        clean = self.redact(text)
        return value if clean == text else value.model_validate_json(clean)


def find_environment_secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of variables that are named like secrets, such as OPENAI_API_KEY."""
    for name, value in environment.items():
        if SECRET_NAMES.search(name):
            yield value
        elif name.endswith("_HEADERS"):
            yield from _values(_parse_json(value))
        elif password := _url_password(value):
            yield password


def find_request_secrets(request: AgentRunRequest) -> Iterator[str]:
    """Yield the key, the header values and the secret fields of a request."""
    yield request.api_key or ""
    yield from (request.tool_http_headers or {}).values()
    yield from _secret_fields(request.completion_kwargs)


def dump_request(request: AgentRunRequest) -> dict[str, JsonValue]:
    """Return what the log keeps of a request: enough to repeat it with another key."""
    kept: dict[str, JsonValue] = request.model_dump(
        mode="json", exclude_defaults=True, exclude=set(OMITTED_FIELDS)
    )
    return kept


def _secret_fields(fields: Mapping[str, JsonValue]) -> Iterator[str]:
    for name, value in fields.items():
        if SECRET_NAMES.search(name) or name.endswith("headers"):
            yield from _values(value)
        elif isinstance(value, dict):
            yield from _secret_fields(value)


def _values(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _values(each)


def _url_password(value: str) -> str | None:
    try:
        return urlsplit(value).password if "://" in value else None
    except ValueError:
        return None


def _parse_json(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    return value
