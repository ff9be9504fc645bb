"""The tools Bash, BashOutput and KillBash."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field, WithJsonSchema

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.non_interactive import describe_prompt
from mini_agent.coding.tools.shell import TIMEOUT_EXIT_CODE, BackgroundJob, CommandResult
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

DEFAULT_TIMEOUT_MS: Final = 120_000
MAX_TIMEOUT_MS: Final = 600_000
Milliseconds = Annotated[float, WithJsonSchema({"type": "number"})]
JobId = Annotated[str, Field(description="What Bash called the command, such as bash_1.")]


class Bash(CodingTool):
    """Run a command line in the user's shell."""

    tool_description: ClassVar[str] = (
        "Run a command line in the user's shell. The folder it ends in is where the next one "
        "starts. It has nothing to read on its standard input. Of long output the middle is left "
        "out. With run_in_background you get an id at once, for BashOutput and KillBash. Use "
        "Read, Edit, Grep and Glob for files, not cat, sed, grep and find."
    )
    command: Annotated[str, Field(min_length=1, description="The command line.")]
    description: Annotated[str, Field(description="What it does, in five to ten words.")] = ""
    timeout: Annotated[
        Milliseconds,
        Field(gt=0, description="Milliseconds it may run: 120000, and at most 600000."),
    ] = DEFAULT_TIMEOUT_MS
    run_in_background: Annotated[bool, Field(description="Do not wait for its end.")] = False

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Run the command, or start it in the background."""
        shell = invocation.context.shell
        if self.run_in_background:
            job = await shell.start(self.command)
            return text_output(
                f"Command running in background with ID: {job.id}\n"
                f"Get what it prints with BashOutput, end it with KillBash."
            )
        seconds = min(self.timeout, MAX_TIMEOUT_MS) / 1000
        return _shell_output(await shell.run(self.command, seconds, invocation.listener), seconds)


class BashOutput(CodingTool):
    """Read the new output of a background command."""

    tool_description: ClassVar[str] = (
        "Get what a command in the background has printed since you last asked, and how it stands."
    )
    is_read_only: ClassVar[bool] = True
    bash_id: JobId

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Take the output since the last call, and the command's status."""
        job = _job(invocation.context, self.bash_id)
        prompt = job.group.find_prompt() if job.rc is None else ""
        lines = [f"<status>{job.status}</status>"]
        if job.rc is not None:
            lines.append(f"<exit_code>{job.rc}</exit_code>")
        for name, text in (
            ("stdout", job.group.stdout.take()),
            ("stderr", job.group.stderr.take()),
        ):
            if text:
                lines.append(f"<{name}>\n{text.rstrip()}\n</{name}>")
        return text_output("\n".join(lines), describe_prompt(prompt) if prompt else "")


class KillBash(CodingTool):
    """Stop a background command."""

    tool_description: ClassVar[str] = (
        "End a command in the background, and all that it has started."
    )
    is_read_only: ClassVar[bool] = True
    bash_id: JobId

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Stop the process group; one that has ended already is reported."""
        job = _job(invocation.context, self.bash_id)
        if job.rc is not None:
            return text_output(f"{job.id} has ended already, with exit code {job.rc}.")
        await invocation.context.shell.stop(job)
        return text_output(f"{job.id} is stopped: {job.command}")


def _shell_output(result: CommandResult, seconds: float) -> ToolOutput:
    rc = TIMEOUT_EXIT_CODE if result.rc is None else result.rc
    status = "timeout" if result.rc is None else ""
    streams = (result.stdout, result.stderr) if rc == 0 else (result.stderr, result.stdout)
    head = [] if rc == 0 else [f"Exit code {rc}"]
    if result.rc is None:
        head = [f"Command timed out after {seconds:g}s"]
    if result.is_waiting:
        head = ["Command was stopped: it waits for input"]
    texts = (text.removesuffix("\n") for text in streams)
    remarks = (f"<system-reminder>{remark}</system-reminder>" for remark in result.remarks)
    text = "\n".join([*head, *(text for text in texts if text), *remarks])
    return ToolOutput(
        ok=rc == 0,
        rc=rc,
        stdout=result.stdout,
        stderr=result.stderr,
        status=status,
        model_text=text or "(no output)",
    )


def _job(context: ToolContext, name: str) -> BackgroundJob:
    if name not in context.shell.jobs:
        known = ", ".join(context.shell.jobs) or "none"
        raise RejectedCall(
            f"Error: there is no command {name!r:.80} in the background; there are: {known}"
        )
    return context.shell.jobs[name]
