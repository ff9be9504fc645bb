"""Which warm sandboxes suit a snippet: the kinds there are, and what is imported in each ahead."""

from __future__ import annotations

import base64
import re
from typing import Final, Literal, get_args

from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Snippet

Preload = Literal["plain", "data"]
SandboxKind = Literal["python", "data", "node", "go", "rust", "bash"]

SANDBOX_KINDS: Final[tuple[SandboxKind, ...]] = get_args(SandboxKind)

# A wrong guess costs time and nothing else, so this reads lines and not Python.
_DATA: Final = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*"
    rb"(?:numpy|pandas|matplotlib|scipy|seaborn|sklearn)\b",
    re.MULTILINE,
)


def detect_preload(snippet: Snippet) -> Preload:
    """What the snippet would import first of all."""
    if snippet.language != "python" or snippet.isolation != "fork":
        return "plain"
    modules = (
        base64.b64decode(content) for name, content in snippet.files.items() if name[-3:] == ".py"
    )
    sources = (snippet.code.encode(), *modules)
    return "data" if any(map(_DATA.search, sources)) else "plain"


def select_kind(language: Language, preload: Preload) -> SandboxKind:
    """The kind of warm sandbox for an image and what is imported in it."""
    return "data" if (language, preload) == ("python", "data") else language


def kind_language(kind: SandboxKind) -> Language:
    """The language whose image a kind of warm sandbox is of."""
    return "python" if kind == "data" else kind


def kind_preload(kind: SandboxKind) -> Preload:
    """What is imported in a kind of warm sandbox."""
    return "data" if kind == "data" else "plain"
