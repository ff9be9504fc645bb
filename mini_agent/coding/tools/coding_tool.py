"""The base of the assistant's tools: a tool is the pydantic model of its arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.context import ToolContext
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import OutputListener, ToolOutput

# The names of JSON Schema's types, by the first word of pydantic's error.
TYPE_NAMES: Final = {
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "string": "string",
    "tuple": "array",
    "list": "array",
    "dict": "object",
    "model": "object",
}


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a tool: its id, the context, and the listener for output while it comes."""

    id: str
    context: ToolContext
    listener: OutputListener


class CodingTool(BaseModel):
    """The arguments of one tool; the class name is the tool's name.

    `tool_description` is what the model reads. A read-only tool changes nothing; an open-world tool
    sends something to hosts outside.
    """

    # `defer_build`: start-up does not wait for the validators of tools that are never called.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)

    tool_description: ClassVar[str]
    is_read_only: ClassVar[bool] = False
    is_open_world: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, arguments: object) -> object:
        """Read null as "not given" where an argument may be left out."""
        if not isinstance(arguments, dict):
            return arguments
        needed = {
            name
            for key, field in cls.model_fields.items()
            if field.is_required()
            for name in (key, field.alias)
        }
        return {
            key: value for key, value in arguments.items() if value is not None or key in needed
        }

    @classmethod
    def is_available(cls, context: ToolContext) -> bool:
        """Return whether the context has all that the tool needs."""
        del context
        return True

    @classmethod
    def explain_invalid(cls, error: ValidationError) -> str:
        """Return what the model reads about invalid arguments."""
        return format_validation_error(error)

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the files and folders that the call reads or writes."""
        del context
        return ()

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Execute the call; raise `RejectedCall` with the reason if it cannot be executed."""
        raise NotImplementedError


class FileEditTool(CodingTool):
    """The arguments of a tool that changes one file."""

    def path(self, context: ToolContext) -> Path:
        """Return the file."""
        raise NotImplementedError

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the file, as the only path."""
        return (self.path(context),)

    def propose_change(self, context: ToolContext) -> Change:
        """Return the change the call would make; raise `RejectedCall` if it can make none."""
        raise NotImplementedError

    def apply(self, context: ToolContext) -> Change:
        """Write the change that the user was shown, else a new one, and mark the file as seen."""
        # INVARIANT: a change that the user approved is written exactly as it was shown.
        change = context.approved_changes.take(self)
        if change is None:
            change = self.propose_change(context)
        else:
            change.require_current(self.path(context))
        change.apply()
        context.files.mark_seen(change.path)
        return change


def text_output(text: str, remark: str = "") -> ToolOutput:
    """Return a successful output whose text the model reads unchanged.

    `remark` says what the text does not show, such as that it was cut.
    """
    return ToolOutput(ok=True, rc=0, stdout=text, model_text=text, note=remark)


def error_output(why: str) -> ToolOutput:
    """Return a failed output whose text the model reads unchanged."""
    return ToolOutput(ok=False, error=why, model_text=why)


def format_remark(remark: str) -> str:
    """Return a remark as the model reads it; empty for an empty one."""
    return remark and f"<system-reminder>{remark}</system-reminder>"


def shorten(text: str, max_chars: int) -> str:
    """Return the beginning of a text that is too long, and how much follows."""
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]}[... {len(text) - max_chars} more characters]"


def with_remark(output: ToolOutput) -> ToolOutput:
    """Return the output with its remark behind its text."""
    if not output.note or output.execution is not None:
        return output
    text = output.model_text
    between = "" if not text or text.endswith("\n") else "\n"
    joined = f"{text}{between}{format_remark(output.note)}\n"
    return replace(output, model_text=joined, note="")


def format_validation_error(error: ValidationError) -> str:
    """Return one line for each invalid argument; of unknown arguments for the first alone."""
    details = error.errors(include_url=False)
    unknown = sorted(_name(each) for each in details if each["type"] == "extra_forbidden")
    lines = [_explain(each) for each in details if each["type"] != "extra_forbidden"]
    if unknown:
        lines.append(f"Error: an unexpected parameter `{unknown[0]}` was provided.\n")
    return "".join(lines)


def convert_os_error(error: OSError) -> RejectedCall:
    """Return the system's complaint as the answer to a call."""
    where = f": {error.filename}" if error.filename else ""
    return RejectedCall(f"Error: {error.strerror or error}{where}")


def _explain(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return f"Error: The required parameter `{_name(detail)}` is missing.\n"
    first, _, rest = detail["type"].partition("_")
    if first in TYPE_NAMES and rest in ("type", "parsing", "from_float"):
        given = type(detail["input"]).__name__
        return (
            f"Error: the parameter `{_name(detail)}` type is expected as `{TYPE_NAMES[first]}` "
            f"but provided as `{given}`\n"
        )
    said = detail["msg"].removeprefix("Value error, ")
    return f"Error: the parameter `{_name(detail)}`: {said}\n"


def _name(detail: ErrorDetails) -> str:
    return ".".join(map(str, detail["loc"])) or "arguments"
