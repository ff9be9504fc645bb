"""What a call of a tool came to, as the gateway tells it over HTTP."""

from __future__ import annotations

import json

from mcp.types import CallToolResult
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.attachment import Attachment
from mini_agent.mcp.client.convert import output_without_data


class Answer(BaseModel):
    """The result of a tool call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = Field(default=None, description="What the tool said; null where it failed.")
    error: str | None = Field(
        default=None, description="Why the tool failed; null where it did not."
    )
    data: JsonValue = Field(default=None, description="The structured content; null for none.")
    attachments: tuple[Attachment, ...] = Field(
        default=(), description="Images and files, which the text names."
    )


def answer_of(result: CallToolResult) -> Answer:
    """The answer for a result of the protocol."""
    output = output_without_data(result)
    data: JsonValue = json.loads(json.dumps(result.structured_content))
    if output.error is not None:
        return Answer(error=output.error, data=data, attachments=output.attachments)
    return Answer(text=output.stdout, data=data, attachments=output.attachments)
