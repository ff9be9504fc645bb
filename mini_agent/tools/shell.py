"""The policy for shell lines: which commands are allowed, and the image that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.languages import find_command_language, list_commands
from mini_agent.tools.shell_parser import parse_line
from mini_agent_protocol.languages import Language


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
