"""The kinds of subagents: the builtin one, and those of `.claude/agents`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.coding.front_matter import Document, documents_in

DEFAULT: Final = "default-agent"
INHERITED: Final = ("", "inherit", "sonnet", "opus", "haiku")


@dataclass(frozen=True, slots=True)
class Kind:
    """An agent: when to use it, what it is told, and what it may use (None: everything)."""

    name: str
    description: str
    prompt: str
    tools: tuple[str, ...] | None = None
    denied: tuple[str, ...] = ()
    model: str = ""


BUILTIN: Final = Kind(
    DEFAULT,
    "for any task that takes several steps and whose details the main conversation does not need: "
    "searching a large project, looking into a question, a change that stands for itself",
    "You carry out one task for another agent, who sees nothing but your last answer. Answer with "
    "what was asked for, whole and exact, with paths and lines where they matter.",
)


def kinds_in(folders: Iterable[Path]) -> Mapping[str, Kind]:
    """All kinds by name; an agent of a file may replace the builtin one."""
    own = {name: _kind(document) for name, document in documents_in(folders).items()}
    return {DEFAULT: BUILTIN, **own}


def _kind(document: Document) -> Kind:
    model = document.keys.get("model", "")
    return Kind(
        document.name,
        document.keys.get("description", ""),
        document.text,
        document.listed("tools"),
        document.listed("disallowedTools") or (),
        # What Claude Code calls "sonnet" is no name of LiteLLM's: the main model does it.
        "" if model in INHERITED else model,
    )
