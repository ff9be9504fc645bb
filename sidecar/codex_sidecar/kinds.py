"""Which warm sandboxes suit a snippet: the kinds there are, and what is imported in each ahead."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final, Literal, get_args

from mini_agent_protocol.languages import REGISTRY, Language
from mini_agent_protocol.snippet import Snippet

Preload = Literal["plain", "data"]

# A kind is a language, or what the image of one imports ahead.
_PRELOADED: Final = {kind: spec.name for spec in REGISTRY for kind, _ in spec.preloads}

if TYPE_CHECKING:
    SandboxKind = str
else:
    # What pydantic checks: an enumeration of the kinds.
    SandboxKind = Literal[
        tuple(kind for spec in REGISTRY for kind in (spec.name, *dict(spec.preloads)))
    ]

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
    return preload if _PRELOADED.get(preload) == language else language


def kind_language(kind: SandboxKind) -> Language:
    """The language whose image a kind of warm sandbox is of."""
    return _PRELOADED.get(kind, kind)


def kind_preload(kind: SandboxKind) -> Preload:
    """What is imported in a kind of warm sandbox."""
    return "data" if kind == "data" else "plain"
