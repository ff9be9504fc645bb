"""The change that the question shows is the one that is written, or nothing is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mini_agent.coding.approval import PolicyApprover, UserAnswer
from mini_agent.coding.permissions.policy import Ask, PermissionPolicy
from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.coding.tools.change import CHANGED_SINCE_SHOWN, Change
from mini_agent.coding.tools.context import ToolContext
from mini_agent.messages import JsonObject, function_call
from mini_agent.tools.invoker import ToolOutput

NOTEBOOK = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@dataclass
class RecordingPrompter:
    """Agrees to every change, and records it."""

    shown: list[Change] = field(default_factory=list)

    async def ask_permission(self, asked: Ask) -> UserAnswer:
        assert isinstance(asked.change, Change)
        self.shown.append(asked.change)
        return UserAnswer("once")


async def call_tool(context: ToolContext, name: str, arguments: JsonObject) -> ToolOutput:
    return await coding_tools(context).call_openai_tool(function_call("c", name, arguments))


async def test_the_new_cell_of_the_question_is_the_one_that_is_written(
    context: ToolContext, project: Path
) -> None:
    path, reader = project / "n.ipynb", RecordingPrompter()
    path.write_text(NOTEBOOK)
    await call_tool(context, "Read", {"file_path": str(path)})
    insert: JsonObject = {"notebook_path": str(path), "new_source": "1", "edit_mode": "insert"}
    assert (
        await PolicyApprover(PermissionPolicy(context), reader).find_objection(
            "NotebookEdit", insert, ""
        )
        == ""
    )
    assert (await call_tool(context, "NotebookEdit", insert)).ok
    # Each time it is computed, a cell gets an id of its own.
    assert path.read_bytes() == reader.shown[0].after.encode()


CALLS: dict[str, JsonObject] = {
    "Edit": {"file_path": "src/new.py", "old_string": "", "new_string": "x = 3\n"},
    "Write": {"file_path": "src/new.py", "content": "x = 3\n"},
}


@pytest.mark.parametrize("tool", CALLS)
async def test_a_file_that_is_there_by_now_is_not_written_over(
    context: ToolContext, project: Path, tool: str
) -> None:
    path = project / "src" / "new.py"
    assert (
        await PolicyApprover(PermissionPolicy(context), RecordingPrompter()).find_objection(
            tool, CALLS[tool], ""
        )
        == ""
    )
    path.write_text("mine")
    context.files.mark_seen(path)
    output = await call_tool(context, tool, CALLS[tool])
    assert (output.model_text, path.read_text()) == (CHANGED_SINCE_SHOWN, "mine")


async def test_a_file_that_is_gone_by_now_is_not_made_again(
    context: ToolContext, project: Path
) -> None:
    path = project / "src" / "a.py"
    await call_tool(context, "Read", {"file_path": str(path)})
    edit: JsonObject = {"file_path": str(path), "old_string": "x = 1", "new_string": "x = 3"}
    assert (
        await PolicyApprover(PermissionPolicy(context), RecordingPrompter()).find_objection(
            "Edit", edit, ""
        )
        == ""
    )
    path.unlink()
    output = await call_tool(context, "Edit", edit)
    assert (output.model_text, path.exists()) == (CHANGED_SINCE_SHOWN, False)


async def test_a_word_of_the_user_is_for_one_call(context: ToolContext, project: Path) -> None:
    path = project / "src" / "a.py"
    await call_tool(context, "Read", {"file_path": str(path)})
    edit: JsonObject = {"file_path": str(path), "old_string": "1", "new_string": "11"}
    assert (
        await PolicyApprover(PermissionPolicy(context), RecordingPrompter()).find_objection(
            "Edit", edit, ""
        )
        == ""
    )
    assert (await call_tool(context, "Edit", edit)).ok
    path.write_text("z = 1\n")
    context.files.mark_seen(path)
    assert (await call_tool(context, "Edit", edit)).ok
    assert path.read_text() == "z = 11\n"


async def test_a_call_that_waits_is_shown_what_the_one_before_it_has_left(
    context: ToolContext, project: Path
) -> None:
    path = project / "src" / "a.py"

    @dataclass
    class Writer(RecordingPrompter):
        """Changes the file with each of its answers."""

        async def ask_permission(self, asked: Ask) -> UserAnswer:
            path.write_text(f"z = 0\n{path.read_text()}")
            await asyncio.sleep(0)
            return await super().ask_permission(asked)

    reader = Writer()
    approval = PolicyApprover(PermissionPolicy(context), reader)
    async with asyncio.TaskGroup() as asking:
        for new in ("x = 3", "x = 4"):
            edit: JsonObject = {"file_path": str(path), "old_string": "x = 1", "new_string": new}
            asking.create_task(approval.find_objection("Edit", edit, ""))
    befores = [change.before.text for change in reader.shown if change.before is not None]
    assert befores == ["x = 1\ny = 2\n", "z = 0\nx = 1\ny = 2\n"]
