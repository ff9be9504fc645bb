"""One line of a transcript, as far as it is read; what it says beyond that stays in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mini_agent.messages import JsonObject, json_object

Block: TypeAlias = JsonObject
SPEAKING: Final = ("user", "assistant")
BOUNDARY: Final = "compact_boundary"
SYNTHETIC: Final = "<synthetic>"


def _blocks(content: object) -> object:
    """Some write a text or a single block where Claude Code writes a list."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [content] if isinstance(content, dict) else content


def _off_unless_true(flag: object) -> bool:
    return flag is True


def _text_or_empty(text: object) -> str:
    return text if isinstance(text, str) else ""


Flag = Annotated[bool, BeforeValidator(_off_unless_true)]
Text = Annotated[str, BeforeValidator(_text_or_empty)]


class Said(BaseModel):
    """The message of a line that is one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Text = Field(
        default="", description="The id of the model's reply; empty for the user's messages."
    )
    model: Text = Field(
        default="", description="The model that replied; empty for the user's messages."
    )
    content: Annotated[list[Block], BeforeValidator(_blocks)] = Field(
        default=[], description="The blocks of the message, in order."
    )


class Entry(BaseModel):
    """A line. One that says nothing to a model (a summary, a snapshot, ...) has no `message`."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    type: Text = Field(
        default="", description="The type of the line: user, assistant, system, summary and others."
    )
    subtype: Text = Field(
        default="", description="The subtype of a system line, such as compact_boundary."
    )
    uuid: Text = Field(default="", description="The id of the line.")
    parent: Text = Field(
        default="",
        alias="parentUuid",
        description="The id of the line before it; empty for the first.",
    )
    session: Text = Field(default="", alias="sessionId", description="The id of the session.")
    is_sidechain: Flag = Field(
        default=False,
        alias="isSidechain",
        description="Whether it belongs to a subagent's conversation.",
    )
    is_error: Flag = Field(
        default=False,
        alias="isApiErrorMessage",
        description="Whether it reports an error of the model's API.",
    )
    is_meta: Flag = Field(
        default=False,
        alias="isMeta",
        description="Whether it was written by the program and not by the user.",
    )
    is_summary: Flag = Field(
        default=False,
        alias="isCompactSummary",
        description="Whether it is the summary that replaces what was before.",
    )
    message: Said | None = Field(
        default=None, description="The message; null for a line without one."
    )

    @property
    def speaks(self) -> bool:
        """Whether it is a part of the conversation with the model."""
        is_ours = self.type in SPEAKING and not self.is_sidechain and not self.is_error
        return is_ours and self.message is not None and self.message.model != SYNTHETIC

    @property
    def blocks(self) -> list[Block]:
        """What it says, block by block."""
        return self.message.content if self.message else []

    def of_type(self, kind: str) -> Iterator[Block]:
        """Its blocks of one type."""
        return (block for block in self.blocks if block.get("type") == kind)

    @property
    def text(self) -> str:
        """Its words, in one."""
        return "\n".join(str(block.get("text") or "") for block in self.of_type("text"))


def entry_of(value: JsonObject) -> Entry:
    """The line that `value` is; one of a shape that nobody knows says nothing."""
    try:
        return Entry.model_validate(value)
    except ValidationError:
        return Entry.model_validate({**value, "type": "unknown", "message": None})


def entry_in(line: str) -> Entry | None:
    """The line that is written in `line`; None where it is broken."""
    try:
        return entry_of(json_object(line))
    except ValueError:
        return None
