"""The languages a snippet can be written in, and their other names."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal, get_args

from mini_agent_protocol.errors import BadRequest

Language = Literal["python", "node", "go", "rust", "bash"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

ALIASES: Final = MappingProxyType[str, Language](
    {
        "py": "python",
        "python3": "python",
        "javascript": "node",
        "js": "node",
        "nodejs": "node",
        "golang": "go",
        "rs": "rust",
        "cargo": "rust",
        "shell": "bash",
        "sh": "bash",
    }
)


def parse_language(name: str) -> Language:
    """The language meant by a name or alias; `BadRequest` lists the known ones."""
    wanted = name.strip().lower()
    for language in LANGUAGES:
        if wanted == language:
            return language
    if wanted in ALIASES:
        return ALIASES[wanted]
    known = ", ".join(sorted(LANGUAGES))
    raise BadRequest(f"no image for language {name!r}; known: {known}", field="language")
