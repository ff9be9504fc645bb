"""Kinds of warm sandboxes: an image together with what is imported in it beforehand."""

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

# A wrong guess only costs time, so lines are matched and Python is not parsed.
_DATA: Final = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*"
    rb"(?:numpy|pandas|matplotlib|scipy|seaborn|sklearn)\b",
    re.MULTILINE,
)


def detect_preload(snippet: Snippet) -> Preload:
    """Guess which packages the snippet imports first."""
    if snippet.language != "python" or snippet.isolation != "fork":
        return "plain"
    modules = (
        base64.b64decode(content) for name, content in snippet.files.items() if name[-3:] == ".py"
    )
    sources = (snippet.code.encode(), *modules)
    return "data" if any(map(_DATA.search, sources)) else "plain"


def select_kind(language: Language, preload: Preload) -> SandboxKind:
    """Return the kind of sandbox for a language's image and a preload."""
    return preload if _PRELOADED.get(preload) == language else language


def kind_language(kind: SandboxKind) -> Language:
    """Return the language whose image a kind uses."""
    return _PRELOADED.get(kind, kind)


def kind_preload(kind: SandboxKind) -> Preload:
    """Return what is imported beforehand in a kind."""
    return "data" if kind == "data" else "plain"
