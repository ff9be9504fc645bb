"""The todo list of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Todo(BaseModel):
    """One thing to be done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: Annotated[str, Field(min_length=1, description="What is to be done.")]
    status: Literal["pending", "in_progress", "completed"] = Field(description="How far it is.")
    priority: Literal["high", "medium", "low"] = Field(
        default="medium", description="How urgent it is."
    )
    id: str = Field(default="", description="An id of your own, if you want one.")
    active_form: Annotated[
        str, Field(alias="activeForm", description="What it is called while it is being done.")
    ] = ""


@dataclass(slots=True)
class TodoList:
    """The todos as the model last wrote them."""

    todos: tuple[Todo, ...] = ()
