"""The assistant's tools in a project of their own, called as the loop calls them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.coding.tools.context import ToolContext
from mini_agent.messages import JsonObject, function_call
from mini_agent.tools.invoker import ToolOutput, discard_output


@dataclass(frozen=True)
class ToolFixture:
    """The tools of a context, with helpers for its project folder."""

    context: ToolContext

    @property
    def folder(self) -> Path:
        return self.context.project

    async def call(self, name: str, **arguments: JsonValue) -> ToolOutput:
        """Execute a call."""
        return await coding_tools(self.context).call_openai_tool(
            function_call("c1", name, arguments)
        )

    async def body(self, name: str, **arguments: JsonValue) -> str:
        """Return the text of a call that succeeds, without what is said about it."""
        output = await self._without_remark(name, arguments)
        assert output.ok, output.model_text
        return output.model_text

    async def remark(self, name: str, **arguments: JsonValue) -> str:
        """Return what is said about the text of a call that succeeds."""
        output = await self._without_remark(name, arguments)
        assert output.ok, output.model_text
        return output.note

    async def _without_remark(self, name: str, arguments: JsonObject) -> ToolOutput:
        call = function_call("c1", name, arguments)
        return await coding_tools(self.context).call(call, discard_output)

    async def text(self, name: str, **arguments: JsonValue) -> str:
        """Return what the model reads of a call that succeeds."""
        output = await self.call(name, **arguments)
        assert output.ok, output.model_text
        return output.model_text

    async def error(self, name: str, **arguments: JsonValue) -> str:
        """Return what the model reads of a call that fails."""
        output = await self.call(name, **arguments)
        assert not output.ok, output.model_text
        assert output.model_text
        return output.model_text

    def file(self, name: str, content: str | bytes) -> str:
        """Write a file; return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    async def read_file(self, name: str, content: str | bytes) -> str:
        """Write a file and read it with the tool; return its path."""
        path = self.file(name, content)
        await self.text("Read", file_path=path)
        return path

    def content(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def without_program(self, program: str, folder: Path) -> ToolFixture:
        """Return the same tools in an environment where `program` is not installed."""
        folder.mkdir()
        for each in ("bash", "sh", "ls", "rg", "cat"):
            found = next(
                Path(place, each) for place in ("/bin", "/usr/bin") if Path(place, each).exists()
            )
            if each != program:
                (folder / each).symlink_to(found)
        return ToolFixture(replace(self.context, environment={**os.environ, "PATH": str(folder)}))


def install_script(folder: Path, script: str, program: str = "rg") -> dict[str, str]:
    """Install a script under the name `program`; return the environment that finds it."""
    folder.mkdir()
    (folder / program).write_text(f"#!/bin/sh\n{script}\n")
    (folder / program).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[ToolFixture]:
    project = tmp_path / "project"
    project.mkdir()
    context = ToolContext.create(project, dict(os.environ))
    yield ToolFixture(context)
    await context.shell.aclose()
