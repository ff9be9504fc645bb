"""What all tools of the assistant are: arguments that are checked, and what is done with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mini_agent.coding.tools.change import Change
from mini_agent.coding.tools.context import ToolContext
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import Listener, ToolOutput


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call: its id, where it is carried out, and who hears what a program prints."""

    id: str
    context: ToolContext
    listener: Listener


class CodingTool(BaseModel):
    """The arguments of one tool, which is named as its class.

    One that `only_reads` leaves everything as it is; one that `reaches_out` tells strangers of it.
    """

    # Each is built when it is first called: a prompt must not wait for tools that nobody needs.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)

    tool_description: ClassVar[str]
    is_read_only: ClassVar[bool] = False
    is_open_world: ClassVar[bool] = False

    @classmethod
    def is_available(cls, context: ToolContext) -> bool:
        """Whether everything is there that the tool needs."""
        del context
        return True

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """The files and folders that it reads or writes."""
        del context
        return ()

    async def run(self, invocation: Invocation) -> ToolOutput:
        """What came of it; `NotRun` says why nothing did."""
        raise NotImplementedError


class FileEditTool(CodingTool):
    """The arguments of a tool that changes one file."""

    def path(self, context: ToolContext) -> Path:
        """The file."""
        raise NotImplementedError

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """The file."""
        return (self.path(context),)

    def propose_change(self, context: ToolContext) -> Change:
        """What it would do; `NotRun` says why it cannot."""
        raise NotImplementedError

    def apply(self, context: ToolContext) -> Change:
        """Does it, as the user was shown it; the model then knows the file."""
        # INVARIANT: where the user was asked, no other change is made than the one in the question.
        change = context.approved_changes.take(self)
        if change is None:
            change = self.propose_change(context)
        else:
            change.require_current(self.path(context))
        change.apply()
        context.files.mark_seen(change.path)
        return change


def text_output(text: str) -> ToolOutput:
    """An answer that the model reads as it is."""
    return ToolOutput(ok=True, rc=0, stdout=text, told=text)


def error_output(why: str) -> ToolOutput:
    """A call that was not carried out, in words that the model reads as they are."""
    return ToolOutput(ok=False, error=why, told=why)


def format_validation_error(wrong: ValidationError) -> str:
    """What is wrong with the arguments, one line each."""
    return "\n".join(
        f"Error: the argument `{'.'.join(map(str, each['loc'])) or 'arguments'}`: "
        f"{each['msg'].removeprefix('Value error, ')}"
        for each in wrong.errors(include_url=False)
    )


def convert_os_error(broken: OSError) -> NotRun:
    """What the system objects to, as the answer to a call."""
    where = f": {broken.filename}" if broken.filename else ""
    return NotRun(f"Error: {broken.strerror or broken}{where}")
