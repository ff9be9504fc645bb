"""What a call of a tool came to, as the gateway tells it over HTTP."""

from __future__ import annotations

import json

from mcp.types import CallToolResult
from pydantic import BaseModel, ConfigDict, JsonValue

from mini_agent.tools.attachment import Attachment
from mini_agent.tools.mcp_result import output_without_data


class Answer(BaseModel):
    """`text` for what the tool said, `error` in its place where it failed, `data` for structured
    content, `attachments` for images and files, which the text names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = None
    error: str | None = None
    data: JsonValue = None
    attachments: tuple[Attachment, ...] = ()


def answer_of(result: CallToolResult) -> Answer:
    """The answer for a result of the protocol."""
    output = output_without_data(result)
    data: JsonValue = json.loads(json.dumps(result.structured_content))
    if output.error is not None:
        return Answer(error=output.error, data=data, attachments=output.attachments)
    return Answer(text=output.stdout, data=data, attachments=output.attachments)
