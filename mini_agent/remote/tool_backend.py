"""`tool_backend`: the places where a run finds its tools, one or several joined with +."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, WithJsonSchema

Place: TypeAlias = Literal["auto", "docker", "sidecar", "local", "http", "mcp", "research", "echo"]

PLACES: Final[tuple[Place, ...]] = get_args(Place)
# Each of them runs programs, and with the same tools.
FOR_PROGRAMS: Final[tuple[Place, ...]] = ("auto", "docker", "sidecar", "local")
JOINT: Final = "+"
_ONE: Final = f"({'|'.join(PLACES)})"


def backend_named(given: object) -> object:
    """A text of places joined with +, from such a text or a list; each place is there once.

    Raises `ValueError` for a place there is not, and for two that run programs.
    """
    parts = given.split(JOINT) if isinstance(given, str) else given
    if not isinstance(parts, list | tuple):
        return given
    named = dict.fromkeys(_place(part) for part in parts)
    running = [place for place in named if place in FOR_PROGRAMS]
    if len(running) > 1:
        raise ValueError(f"{' and '.join(running)} both run the programs; name one of them")
    if not named:
        raise ValueError(f"names no place; there are {', '.join(PLACES)}")
    return JOINT.join(named)


def places_in(backend: str) -> tuple[Place, ...]:
    """The places of a `tool_backend` that was read with `backend_named`, in its order."""
    return tuple(_place(part) for part in backend.split(JOINT))


def _place(part: object) -> Place:
    wanted = part.strip() if isinstance(part, str) else part
    for place in PLACES:
        if place == wanted:
            return place
    raise ValueError(
        f"{part!r:.80} is none of {', '.join(PLACES)}; several are joined with {JOINT}, "
        "such as auto+research"
    )


ToolBackend: TypeAlias = Annotated[
    str,
    BeforeValidator(backend_named),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": rf"^{_ONE}(\+{_ONE})*$"},
                {"type": "array", "items": {"type": "string", "enum": PLACES}, "minItems": 1},
            ]
        }
    ),
]
