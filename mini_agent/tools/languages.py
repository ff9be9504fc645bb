"""The languages that a run may use, the shell commands of each, and which image runs a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mini_agent.errors import BadRequest
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.shell_parser import parse_line
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


@dataclass(frozen=True, slots=True)
class ShellPolicy:
    """Lets through the commands of `languages`, and everything where bash is one of them."""

    languages: tuple[Language, ...]

    @property
    def rule(self) -> str:
        """What is allowed, in one sentence for the model."""
        if "bash" in self.languages:
            return "Any shell command is allowed."
        return f"Allowed commands: {', '.join(list_commands(self.languages))}."

    def toolchain(self, line: str) -> Language | None:
        """The language whose image runs `line`, None for plain shell; `RejectedCall` if refused."""
        if "bash" in self.languages:
            return self._first(_split_commands(line))
        parsed = parse_line(line.strip())
        if parsed.unreadable:
            raise RejectedCall(f"this line is not run, because {parsed.unreadable}. {self.rule}")
        commands = [command.texts for command in parsed.commands]
        self._require_allowed(commands)
        self._require_one_language(commands)
        return self._first(commands)

    def _require_allowed(self, commands: Sequence[Sequence[str]]) -> None:
        allowed = list_commands(self.languages)
        for command in commands:
            if command[0] not in allowed:
                raise RejectedCall(f"the command {command[0]!r:.80} is not allowed. {self.rule}")
        if not commands:
            raise RejectedCall(f"there is no command in this line. {self.rule}")

    def _require_one_language(self, commands: Sequence[Sequence[str]]) -> None:
        used = {language for command in commands if (language := find_command_language(command[0]))}
        if len(used) > 1:
            raise RejectedCall(
                f"one line can use one language; this one uses {', '.join(sorted(used))}"
            )

    def _first(self, commands: Sequence[Sequence[str]]) -> Language | None:
        languages = (find_command_language(command[0]) for command in commands)
        usable = (each for each in languages if each in self.languages and each != "bash")
        return next(usable, None)


def _split_commands(line: str) -> list[tuple[str, ...]]:
    parsed = parse_line(line.strip())
    return [command.texts for command in parsed.commands] if parsed.is_static else []
