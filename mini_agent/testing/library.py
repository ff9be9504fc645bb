"""The models a scripted server has: which are pulled, which could be, and what each can do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.testing.replies_ import JsonObject

ANY_MODEL: Final = "scripted:latest"
MANIFESTS: Final = Path("manifests/registry.ollama.ai/library")
BLOB_BYTES: Final = 1_000_000
VALID_NAME: Final = re.compile(r"[\w.-]+(/[\w.-]+)*(:[\w.-]+)?", re.ASCII)
UNKNOWN: Final = "pull model manifest: file does not exist"


@dataclass(frozen=True, slots=True)
class Models:
    """Which models there are.

    `pulled`: on the disk from the start; None means that every name is.
    `known`: what `/api/pull` finds; None means that it finds every name.
    `capabilities`: without "tools", a request that offers tools is refused with Ollama's 400.
    `folder`: where pulled models are remembered, so that they outlive the server.
    `pull_every_s`: the pause between two lines of a pull's progress.
    """

    pulled: Collection[str] | None = None
    known: Collection[str] | None = None
    capabilities: tuple[str, ...] = ("completion", "tools")
    folder: Path | None = None
    pull_every_s: float = 0.0


EVERY_MODEL: Final = Models()


class Library:
    """The models on the disk right now."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self._pulled = {full_name(name) for name in models.pulled or ()} | _remembered(models)

    def names(self) -> list[str]:
        """The pulled models; where every name is one, a stand-in for them all."""
        return [ANY_MODEL] if self.models.pulled is None else sorted(self._pulled)

    def has(self, name: str) -> bool:
        """Whether the model can be used without a pull."""
        return self.models.pulled is None or full_name(name) in self._pulled

    def pull(self, name: str) -> str:
        """Takes the model onto the disk; what Ollama would say if there is no such model."""
        if self.models.known is not None and full_name(name) not in map(
            full_name, self.models.known
        ):
            return UNKNOWN
        if self.models.folder is not None:
            _remember(self.models.folder, full_name(name))
        self._pulled.add(full_name(name))
        return ""


def full_name(name: str) -> str:
    """The name with its tag, `latest` if it has none."""
    return name if ":" in name else f"{name}:latest"


def is_valid(name: str) -> bool:
    """Whether this could be a model's name."""
    return VALID_NAME.fullmatch(name) is not None and ".." not in name


def digest(name: str) -> str:
    """A digest that is the model's own and stays the same."""
    return hashlib.sha256(full_name(name).encode()).hexdigest()


def details() -> JsonObject:
    """What Ollama says about a model's file."""
    return {
        "parent_model": "",
        "format": "gguf",
        "family": "scripted",
        "families": ["scripted"],
        "parameter_size": "1K",
        "quantization_level": "F16",
    }


def _remembered(models: Models) -> set[str]:
    if models.folder is None:
        return set()
    top = models.folder / MANIFESTS
    found = (path.relative_to(top) for path in top.rglob("*") if path.is_file())
    return {f"{path.parent.as_posix()}:{path.name}" for path in found}


def _remember(folder: Path, name: str) -> None:
    model, _, tag = name.partition(":")
    manifest = folder / MANIFESTS / model / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(f'{{"digest": "sha256:{digest(name)}"}}\n')
