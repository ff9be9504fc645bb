"""Named tuples as `typing` has them, without its import: half a megabyte in each idle sandbox."""

from operator import itemgetter

# A type checker takes it as true, wherever it is defined.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:

    class Record(tuple):
        """A frozen value: its fields are the annotations of its class, with their defaults."""

        __slots__ = ()

        def __init_subclass__(cls) -> None:
            """Makes the annotations fields."""
            cls._fields = tuple(cls.__annotations__)
            cls._field_defaults = {
                name: vars(cls)[name] for name in cls._fields if name in vars(cls)
            }
            for place, name in enumerate(cls._fields):
                setattr(cls, name, property(itemgetter(place)))

        def __new__(cls, *values: object, **named: object) -> "Record":  # noqa: PYI034
            """Takes values as a function with these parameters would."""
            given = cls._field_defaults | dict(zip(cls._fields, values, strict=False)) | named
            if len(values) > len(cls._fields) or given.keys() != set(cls._fields):
                raise TypeError(f"{cls.__name__} has the fields {cls._fields}")
            return tuple.__new__(cls, [given[name] for name in cls._fields])

        def __repr__(self) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({fields})"

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes: object) -> "Record":
            return type(self)(**self._asdict() | changes)


__all__ = ["Record"]
