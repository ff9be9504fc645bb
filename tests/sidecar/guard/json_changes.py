"""Every place in a JSON value, and the value with another thing, or nothing, in one of them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

Place = tuple[str, ...]


def leaves(value: JsonValue) -> Iterator[Place]:
    """The places of what is neither an object nor an array."""
    inner = _inner(value)
    if inner is None:
        yield ()
    for name, part in (inner or {}).items():
        yield from ((name, *place) for place in leaves(part))


def objects(value: JsonValue) -> Iterator[Place]:
    """The places of objects."""
    if isinstance(value, dict):
        yield ()
    for name, part in (_inner(value) or {}).items():
        yield from ((name, *place) for place in objects(part))


def at(value: JsonValue, place: Place) -> JsonValue:
    """What is there."""
    for name in place:
        value = (_inner(value) or {})[name]
    return value


def put(value: JsonValue, place: Place, new: JsonValue) -> JsonValue:
    """The value with something else there, whether there was anything or not."""
    if not place:
        return new
    inner = dict(_inner(value) or {})
    inner[place[0]] = put(inner.get(place[0]), place[1:], new)
    return _like(value, inner)


def without(value: JsonValue, place: Place) -> JsonValue:
    """The value with nothing there."""
    inner = dict(_inner(value) or {})
    if len(place) == 1:
        del inner[place[0]]
    else:
        inner[place[0]] = without(inner[place[0]], place[1:])
    return _like(value, inner)


def _inner(value: JsonValue) -> dict[str, JsonValue] | None:
    if isinstance(value, list):
        return {str(index): part for index, part in enumerate(value)}
    return value if isinstance(value, dict) else None


def _like(value: JsonValue, inner: dict[str, JsonValue]) -> JsonValue:
    return list(inner.values()) if isinstance(value, list) else inner
