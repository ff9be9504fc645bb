"""What a file is by its first bytes, for all who ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex_sidecar.runner.media_types import detect_media_type
from mini_agent.coding.tools.media import is_image, is_pdf
from mini_agent.mcp.sandbox_server.results import file_result
from mini_agent.sandbox import IMAGE_TYPES, MAX_MAGIC_BYTES, sniff_media_type
from mini_agent_protocol.media_types import MAGIC

WEBP = (b"RIFF\0\0\0\0WEBP", "image/webp")
NO_TEXT = b"\xff\0"


@pytest.mark.parametrize(("beginning", "kind"), [*MAGIC, WEBP])
def test_sidecar_assistant_and_mcp_server_tell_a_file_alike(
    tmp_path: Path, beginning: bytes, kind: str
) -> None:
    content, path = beginning + NO_TEXT, tmp_path / "a.txt"
    path.write_bytes(content)
    assert sniff_media_type(content[:MAX_MAGIC_BYTES]) == kind
    assert detect_media_type("a.txt", content) == kind
    assert is_image(path) == (kind in IMAGE_TYPES)
    assert is_pdf(path) == (kind == "application/pdf")
    assert (file_result("a.txt", content).content[1].type == "image") == (kind in IMAGE_TYPES)


@pytest.mark.parametrize("beginning", [b"", b"GIF88a", b"RIFF\0\0\0\0RMID", b"\x89PNG", b"text"])
def test_bytes_that_tell_nothing_are_of_no_type(beginning: bytes) -> None:
    assert sniff_media_type(beginning) == ""
