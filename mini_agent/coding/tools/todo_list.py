"""The list of what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Todo(BaseModel):
    """One thing to be done; `active_form` is how it is called while it is being done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: Annotated[str, Field(min_length=1)]
    status: Literal["pending", "in_progress", "completed"]
    priority: Literal["high", "medium", "low"] = "medium"
    id: str = ""
    active_form: Annotated[str, Field(alias="activeForm")] = ""


@dataclass(slots=True)
class TodoList:
    """What the model last wrote down."""

    todos: tuple[Todo, ...] = ()
