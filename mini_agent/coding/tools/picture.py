"""Pictures as a tool gives them: as they are, beside a line of text."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from mini_agent.attachment import Attachment
from mini_agent.coding.tools.base import said
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput
from mini_agent_protocol.media_types import BEGINNING_BYTES, IMAGE_TYPES, media_type_of

# Written in base64 it is the 5 MB that model servers take.
MOST_BYTES: Final = 3_750_000


def is_picture(path: Path) -> bool:
    """Whether the file begins as a picture that models can see."""
    with path.open("rb") as file:
        return media_type_of(file.read(BEGINNING_BYTES)) in IMAGE_TYPES


def read_picture(path: Path) -> ToolOutput:
    """The picture; `NotRun` for one that is too large."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise NotRun(
            f"Error: the picture {path} has {size / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:g} can "
            "be shown. Make a smaller copy of it first."
        )
    content = path.read_bytes()
    kind = media_type_of(content)
    attached = attachment(path.name, kind, base64.b64encode(content).decode())
    output = said(f"{path.name}: a picture ({kind}, {size} bytes)")
    return with_attachments(output, (attached,))


def attachment(name: str, kind: str, content: str) -> Attachment:
    """A picture in base64."""
    return Attachment(name=name, media_type=kind, base64=content)


def with_attachments(output: ToolOutput, attachments: tuple[Attachment, ...]) -> ToolOutput:
    """The output with pictures beside it."""
    return ToolOutput(
        ok=output.ok,
        rc=output.rc,
        stdout=output.stdout,
        told=output.told,
        attachments=attachments,
    )
