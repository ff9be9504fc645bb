"""The base of the assistant's tools: a tool is the pydantic model of its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.context import ToolContext
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import OutputListener, ToolOutput


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

    @classmethod
    def is_available(cls, context: ToolContext) -> bool:
        """Return whether the context has all that the tool needs."""
        del context
        return True

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


def text_output(text: str) -> ToolOutput:
    """Return a successful output whose text the model reads unchanged."""
    return ToolOutput(ok=True, rc=0, stdout=text, model_text=text)


def error_output(why: str) -> ToolOutput:
    """Return a failed output whose text the model reads unchanged."""
    return ToolOutput(ok=False, error=why, model_text=why)


def format_validation_error(error: ValidationError) -> str:
    """Return one line for each invalid argument."""
    return "\n".join(
        f"Error: the argument `{'.'.join(map(str, each['loc'])) or 'arguments'}`: "
        f"{each['msg'].removeprefix('Value error, ')}"
        for each in error.errors(include_url=False)
    )


def convert_os_error(error: OSError) -> RejectedCall:
    """Return the system's complaint as the answer to a call."""
    where = f": {error.filename}" if error.filename else ""
    return RejectedCall(f"Error: {error.strerror or error}{where}")
