"""The languages that a run may use, and the commands that come with each."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from mini_agent.errors import BadRequest
from mini_agent_protocol.languages import LANGUAGES, REGISTRY, Language, parse_language

DEFAULT_LANGUAGES: Final[tuple[str, ...]] = ("python", "rust", "go", "javascript")
LANGUAGE_COMMANDS: Final = MappingProxyType[Language, tuple[str, ...]](
    {spec.name: spec.commands for spec in REGISTRY}
)


def resolve_languages(names: Iterable[str]) -> tuple[Language, ...]:
    """Resolve the users' names of languages, each once; raise `BadRequest` for an unknown one."""
    try:
        meant = {parse_language(name) for name in names}
    except BadRequest as unknown:
        raise BadRequest(unknown.message, field="allowed_languages") from None
    return tuple(language for language in LANGUAGES if language in meant)


def list_commands(languages: Iterable[Language]) -> tuple[str, ...]:
    """List the commands that come with `languages`; echo is always one."""
    return ("echo", *(command for language in languages for command in LANGUAGE_COMMANDS[language]))


def find_command_language(command: str) -> Language | None:
    """Find the language that a command belongs to; None when it belongs to none."""
    return next((language for language, has in LANGUAGE_COMMANDS.items() if command in has), None)
