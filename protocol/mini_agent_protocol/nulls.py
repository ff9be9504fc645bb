"""A null where a field is optional means that the field is not there, as clients write it."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, model_validator
from pydantic.fields import FieldInfo


def without_nulls(read: object, kind: type[BaseModel]) -> object:
    """Return what was read from JSON for a model without the nulls of its optional fields.

    Models inside it are treated alike; a null of a field that is required stays.
    """
    if not isinstance(read, dict):
        return read
    fields = {field.alias or name: field for name, field in kind.model_fields.items()}
    kept: dict[object, object] = {}
    for name, value in read.items():
        field = fields.get(name)
        if field is None or (value is None and _means_something(field)):
            kept[name] = value
        elif value is not None:
            inner = _model_in(field.annotation)
            kept[name] = without_nulls(value, inner) if inner else value
    return kept


def _means_something(field: FieldInfo) -> bool:
    return field.is_required() or type(None) in get_args(field.annotation)


def _model_in(annotation: object) -> type[BaseModel] | None:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


class NullIsAbsent(BaseModel):
    """A model that is read from Python values and takes a null as a field that is not there."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, read: object) -> object:
        return without_nulls(read, cls)
