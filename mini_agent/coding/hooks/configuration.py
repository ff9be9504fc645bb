"""Parses the hooks of a settings file: each is understood whole, or is an error that is shown.

The keys are those that Claude Code documents. A key that is left out of a command makes it another
command, so none is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from mini_agent.coding.hooks.commands import DEFAULT_TIMEOUT_S, CommandHook
from mini_agent.coding.hooks.event import EVENT_NAMES, TOOL_EVENTS, EventName
from mini_agent.coding.hooks.interpreters import find_event_reader, runs_event

PLUGIN_VARIABLE: Final = re.compile(r"\$\{?CLAUDE_PLUGIN_")
Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class HookProblem:
    """What is wrong, and the keys of the settings that lead to it."""

    keys: Keys
    message: str


@dataclass(frozen=True, slots=True)
class HookSettings:
    """The hooks, those with an error included, and the problems to show."""

    hooks: tuple[CommandHook, ...] = ()
    problems: tuple[HookProblem, ...] = ()


def parse_hooks(value: object) -> HookSettings:
    """Parse the value of the key `hooks`."""
    found = [*_parse_events(value)]
    return HookSettings(
        tuple(hook for hook, _ in found if hook is not None),
        tuple(problem for _, problem in found if problem is not None),
    )


Parsed = tuple[CommandHook | None, HookProblem | None]


def _parse_events(value: object) -> Iterator[Parsed]:
    if not isinstance(value, dict):
        yield None, HookProblem(("hooks",), "it is no object of events, so no hook is run")
        return
    for name, groups in value.items():
        keys: Keys = ("hooks", name)
        event = next((each for each in EVENT_NAMES if each == name), None)
        if event is None:
            yield None, HookProblem(keys, f"hooks of {name} are not run here")
        elif not isinstance(groups, list):
            yield _build_error(event, "", keys, "it is no list of groups with matcher and hooks")
        else:
            for index, group in enumerate(groups):
                yield from _parse_group(event, group, (*keys, index))


def _parse_group(event: EventName, value: object, keys: Keys) -> Iterator[Parsed]:
    try:
        group = _Group.model_validate(value)
    except ValidationError as invalid:
        matcher = value.get("matcher") if isinstance(value, dict) else ""
        usable = matcher if isinstance(matcher, str) and _is_regex(matcher) else ""
        yield _build_error(event, usable, *_first_error(invalid, keys))
        return
    for index, hook in enumerate(group.hooks):
        try:
            yield _Command.model_validate(hook).build(event, group.matcher), None
        except ValidationError as invalid:
            where = _first_error(invalid, (*keys, "hooks", index))
            yield _build_error(event, group.matcher, *where)


def _build_error(event: EventName, matcher: str, keys: Keys, message: str) -> Parsed:
    problem = HookProblem(keys, message)
    return CommandHook(event, "", matcher, error=f"{'.'.join(map(str, keys))}: {message}"), problem


def _first_error(invalid: ValidationError, keys: Keys) -> tuple[Keys, str]:
    error = invalid.errors(include_url=False, include_input=False)[0]
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "this key is not understood here"
    return (*keys, *error["loc"]), message


def _is_regex(matcher: str) -> bool:
    try:
        _check_matcher(matcher)
    except ValueError:
        return False
    return True


def _check_matcher(matcher: str) -> str:
    try:
        re.compile(matcher if matcher != "*" else "")
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{matcher!r:.80} is no regular expression: {error}") from None
    return matcher


def _check_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a NUL character")
    if PLUGIN_VARIABLE.search(text):
        raise ValueError("it names a folder of a plugin, and there are no plugins here")
    return text


Text = Annotated[str, AfterValidator(_check_text)]


class _HookModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Group(_HookModel):
    matcher: Annotated[str, AfterValidator(_check_matcher)] = Field(
        default="", description="A regular expression for the names of tools; empty or * for all."
    )
    hooks: list[object] = Field(description="The hooks, in order.")
    description: str = Field(default="", description="A remark, without effect.")


class _Command(_HookModel):
    type: Literal["command"] = Field(description="The type of the hook; only commands are run.")
    command: Annotated[str, Field(min_length=1), AfterValidator(_check_text)] = Field(
        description="The command line; with `args` the program alone."
    )
    args: list[Text] | None = Field(
        default=None, description="Arguments of the program, which is then started without a shell."
    )
    timeout: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=DEFAULT_TIMEOUT_S, description="Seconds it may run, at most 86400."
    )
    shell: Literal["bash"] | None = Field(
        default=None, description="The shell of a command line; the system's one by default."
    )
    condition: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, alias="if", description="A permission rule: the calls that it is run for."
    )
    is_async: bool = Field(
        default=False, alias="async", description="Whether nothing waits for it, nor its answer."
    )
    wakes: Literal[False] = Field(
        default=False, alias="asyncRewake", description="Not supported: must be false."
    )
    once: Literal[False] = Field(
        default=False, description="Only of use in a skill: must be false."
    )
    status: str = Field(
        default="", alias="statusMessage", description="Shown by Claude Code while the hook runs."
    )

    @model_validator(mode="before")
    @classmethod
    def _reject_null_arguments(cls, value: object) -> object:
        for key in ("args", "shell", "if"):
            if isinstance(value, dict) and key in value and value[key] is None:
                raise ValueError(f"{key} is null: leave it out or give it a value")
        return value

    @model_validator(mode="after")
    def _reads_no_program(self) -> _Command:
        if self.args is None:
            found = find_event_reader(self.command)
        else:
            words = [self.command, *self.args]
            found = self.command if runs_event(words) else ""
        if found:
            raise ValueError(
                f"{found} would run the event as its program: name a script or use args"
            )
        return self

    def build(self, event: EventName, matcher: str) -> CommandHook:
        """Build the hook for an event."""
        hook = CommandHook(event, self.command, matcher, self.timeout)
        if self.condition is not None and event not in TOOL_EVENTS:
            return replace(hook, error="`if` is for the events of tools")
        return replace(
            hook,
            args=None if self.args is None else tuple(self.args),
            shell=self.shell or "",
            condition=self.condition or "",
            is_async=self.is_async,
        )
