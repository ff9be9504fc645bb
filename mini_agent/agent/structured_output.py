"""Structured output: the instruction for an answer in JSON, and the check of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from pydantic_core import from_json

from mini_agent.errors import BadRequest

FENCED_BLOCK: Final = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
OPENING_BRACKET: Final = re.compile(r"[{\[]")
MAX_REASON_CHARS: Final = 300


class InvalidJsonAnswer(Exception):
    """The text has no JSON in the format asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """The format asked for: any object, or a value that fits `schema`."""

    schema: dict[str, JsonValue] | None

    @property
    def instruction(self) -> str:
        """The instruction for the model."""
        form = f" that fits this JSON schema: {json.dumps(self.schema)}" if self.schema else ""
        return (
            "Once you have the result, give your final answer as JSON alone, without any other "
            f"words: {'one value' if self.schema else 'one object'}{form}"
        )

    def extract(self, text: str) -> str:
        """Extracts the JSON in `text`, bare, fenced or between words.

        Raises `InvalidJsonAnswer` when there is none in the format.
        """
        complaint = "it holds no JSON"
        for candidate in _candidates(text):
            try:
                self._check_format(from_json(candidate, allow_inf_nan=False))
            except InvalidJsonAnswer as wrong:
                complaint = str(wrong)
            except ValueError as broken:
                complaint = f"it is no valid JSON: {broken}"[:MAX_REASON_CHARS]
            else:
                return candidate
        raise InvalidJsonAnswer(complaint)

    def _check_format(self, value: JsonValue) -> None:
        if self.schema is not None:
            _validate(value, self.schema)
        elif not isinstance(value, dict):
            raise InvalidJsonAnswer(f"an object is needed, not {json.dumps(value)[:60]}")


def parse_response_format(response_format: dict[str, JsonValue] | None) -> JsonFormat | None:
    """Parses OpenAI's `response_format`; returns None when it is None.

    Raises `BadRequest` for an invalid schema.
    """
    if response_format is None:
        return None
    named = response_format.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    if not isinstance(schema, dict):
        return JsonFormat(None)
    # Its import takes a tenth of a second, and most runs do not need it.
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as wrong:
        what = f"response_format: the schema is none: {wrong.message}"
        raise BadRequest(what, field="response_format") from None
    return JsonFormat(schema)


def _validate(value: JsonValue, schema: dict[str, JsonValue]) -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # INVARIANT: with an empty registry no schema makes us fetch another one.
    validator = Draft202012Validator(schema, registry=Registry())
    try:
        wrong = next(validator.iter_errors(value), None)
    except Unresolvable as elsewhere:
        raise InvalidJsonAnswer(f"the schema refers to what is not in it: {elsewhere}") from None
    if wrong is not None:
        where = "".join(f"[{step!r}]" for step in wrong.absolute_path)
        raise InvalidJsonAnswer(f"{where} {wrong.message}".strip()[:MAX_REASON_CHARS])


# Longest first: an object inside the one that is meant would be a wrong answer.
def _candidates(text: str) -> Iterator[str]:
    whole = text.strip()
    yield whole
    yield from (block.strip() for block in FENCED_BLOCK.findall(whole))
    for opening in OPENING_BRACKET.finditer(whole):
        closing = whole.rfind("}" if opening.group() == "{" else "]")
        if closing > opening.start():
            yield whole[opening.start() : closing + 1]
