"""What a tool gives beside its text: an image, a sound, a file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Attachment(BaseModel):
    """Bytes with a name, base64-encoded; the model is told of them, the caller gets them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The name of the file.")
    media_type: str = Field(description="The media type of the content, such as image/png.")
    base64: str = Field(description="The content, base64-encoded.")

    @property
    def bytes(self) -> int:
        """How many they are."""
        return len(self.base64) * 3 // 4 - self.base64[-2:].count("=")
