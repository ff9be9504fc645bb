"""Images as attachments, and the text of PDFs, by pypdfium2 (an extra) or else pdftotext."""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mini_agent.coding.tools.coding_tool import text_output
from mini_agent.coding.tools.paging import FilePage, Pager
from mini_agent.messages import Attachment
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput
from mini_agent_protocol.media_types import IMAGE_TYPES, MAX_MAGIC_BYTES, sniff_media_type

TIMEOUT_S: Final = 60.0
PDF_PACKAGE: Final = "pypdfium2"
NO_PDF_READER: Final = (
    "Error: {path} is a PDF, and there is nothing here that reads it. Install it: "
    "pip install 'mini-agent[pdf]', or sudo apt-get install poppler-utils, or brew install poppler."
)
# In a process of its own: a malicious file may crash the reader, which is C++.
PDF_PROGRAM: Final = """
import sys
import pypdfium2
source, target = sys.argv[1:]
try:
    pages = pypdfium2.PdfDocument(source)
    with open(target, "w", encoding="utf-8", errors="replace", newline="") as text:
        for page in pages:
            text.write(page.get_textpage().get_text_bounded().replace("\\r\\n", "\\n") + "\\n\\f")
            page.close()
except pypdfium2.PdfiumError as broken:
    sys.exit(str(broken))
"""
# 5 MB in base64, the limit of model servers.
MAX_IMAGE_BYTES: Final = 3_750_000


def is_pdf(path: Path) -> bool:
    """Return whether the file begins as a PDF."""
    with path.open("rb") as file:
        return sniff_media_type(file.read(MAX_MAGIC_BYTES)) == "application/pdf"


async def read_pdf_page(path: Path, pager: Pager, environment: Mapping[str, str]) -> FilePage:
    """Return lines of the PDF's text; raise `RejectedCall` if it cannot be read."""
    with TemporaryDirectory(prefix="mini-agent-") as folder:
        text = Path(folder, "text")
        name, *command = _pdf_command(path, text, environment)
        await _run_reader(name, command, path)
        return await asyncio.to_thread(pager.read_page, text)


def is_image(path: Path) -> bool:
    """Return whether the file begins as an image that models can see."""
    with path.open("rb") as file:
        return sniff_media_type(file.read(MAX_MAGIC_BYTES)) in IMAGE_TYPES


def read_image(path: Path) -> ToolOutput:
    """Return the image as an attachment; raise `RejectedCall` if it is too large."""
    size = path.stat().st_size
    if size > MAX_IMAGE_BYTES:
        raise RejectedCall(
            f"Error: the picture {path} has {size / 1e6:.1f} MB; at most {MAX_IMAGE_BYTES / 1e6:g} "
            "can be shown. Make a smaller copy of it first."
        )
    content = path.read_bytes()
    kind = sniff_media_type(content)
    attached = image_attachment(path.name, kind, base64.b64encode(content).decode())
    output = text_output(f"{path.name}: a picture ({kind}, {size} bytes)")
    return add_attachments(output, (attached,))


def image_attachment(name: str, kind: str, content: str) -> Attachment:
    """Return an image, in base64, as an attachment."""
    return Attachment(name=name, media_type=kind, base64=content)


def add_attachments(output: ToolOutput, attachments: tuple[Attachment, ...]) -> ToolOutput:
    """Return the output with these attachments."""
    return replace(output, attachments=attachments)


def _pdf_command(path: Path, text: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the name of the PDF reader, and the command that writes the text to `text`."""
    if find_spec(PDF_PACKAGE):
        return (PDF_PACKAGE, sys.executable, "-P", "-c", PDF_PROGRAM, str(path), str(text))
    program = shutil.which("pdftotext", path=environment.get("PATH"))
    if program is None:
        raise RejectedCall(NO_PDF_READER.format(path=path))
    return ("pdftotext", program, "-layout", "-enc", "UTF-8", str(path), str(text))


async def _run_reader(name: str, command: list[str], path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, error_text = await process.communicate()
    except TimeoutError:
        raise RejectedCall(f"Error: {path} was not read within {TIMEOUT_S:g} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        message = error_text.decode("utf-8", "replace").strip()
        raise RejectedCall(f"Error: {name} cannot read {path}: {message:.500}")
