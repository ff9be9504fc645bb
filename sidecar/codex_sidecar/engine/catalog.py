"""The languages that run here: image, limits where a snippet names none, what the image holds."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mini_agent_protocol.languages import LANGUAGES, Language

COMPILE_TIMEOUT_S: Final = 45.0


@dataclass(frozen=True, slots=True)
class Defaults:
    """Limits of a snippet that asks for none; units as in `Limits`."""

    timeout_s: float = 10.0
    memory_mb: int = 256
    cpus: float = 1.0
    pids: int = 128
    output_bytes: int = 65_536
    workspace_mb: int = 64


_COMPILED: Final = Defaults(timeout_s=30.0, memory_mb=768, pids=256, workspace_mb=300)

DEFAULTS: Final = MappingProxyType[Language, Defaults](
    {
        "python": Defaults(),
        "node": Defaults(),
        "go": _COMPILED,
        "rust": _COMPILED,
        "bash": Defaults(),
    }
)

_IMAGES: Final = MappingProxyType[Language, str]({"bash": "shell"})


@dataclass(frozen=True, slots=True)
class Catalog:
    """Where the images are: `prefix` + name + ":" + `tag`."""

    prefix: str
    tag: str

    def image(self, language: Language) -> str:
        """The image whose compilers and interpreters a language needs."""
        return f"{self.prefix}{_IMAGES.get(language, language)}:{self.tag}"

    def images(self) -> tuple[str, ...]:
        """Every image that has to be there, in the order of the languages."""
        return tuple(self.image(language) for language in LANGUAGES)
