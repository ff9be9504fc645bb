"""The text of a PDF, by the program pdftotext where it is installed."""

from __future__ import annotations

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mini_agent.coding.tools.pager import Pager, Part
from mini_agent.sandbox.media_types import BEGINNING_BYTES, media_type_of
from mini_agent.tools.arguments import NotRun

SECONDS: Final = 60.0
MISSING: Final = (
    "Error: {path} is a PDF, which is read by pdftotext, which is not installed. Install it: "
    "sudo apt-get install poppler-utils, or brew install poppler."
)


def is_pdf(path: Path) -> bool:
    """Whether the file begins as a PDF."""
    with path.open("rb") as file:
        return media_type_of(file.read(BEGINNING_BYTES)) == "application/pdf"


async def pdf_part(path: Path, pager: Pager, environment: Mapping[str, str]) -> Part:
    """Lines of its text; `NotRun` where it cannot be read."""
    program = shutil.which("pdftotext", path=environment.get("PATH"))
    if program is None:
        raise NotRun(MISSING.format(path=path))
    with TemporaryDirectory(prefix="mini-agent-") as folder:
        text = Path(folder, "text")
        process = await asyncio.create_subprocess_exec(
            *(program, "-layout", "-enc", "UTF-8", str(path), str(text)),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
        )
        try:
            async with asyncio.timeout(SECONDS):
                _, complaint = await process.communicate()
        except TimeoutError:
            raise NotRun(f"Error: {path} was not read within {SECONDS:g} s.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said = complaint.decode("utf-8", "replace").strip()
            raise NotRun(f"Error: pdftotext cannot read {path}: {said:.500}")
        return await asyncio.to_thread(pager.part, text)
