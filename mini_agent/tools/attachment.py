"""What a tool gives beside its text: an image, a sound, a file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Attachment(BaseModel):
    """Bytes with a name, base64-encoded; the model is told of them, the caller gets them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    media_type: str
    base64: str

    @property
    def bytes(self) -> int:
        """How many they are."""
        return len(self.base64) * 3 // 4 - self.base64[-2:].count("=")
