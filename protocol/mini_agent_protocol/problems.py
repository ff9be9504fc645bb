"""The body of every 4xx and 5xx response of the services."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ErrorBody(BaseModel):
    """An error: its code, message and hint."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str = Field(description="The kind of the error; stable, for programs.")
    message: str = Field(description="What happened, with the value; for people.")
    hint: str = Field(default="", description="What to do about it; empty where nothing is known.")
    request_id: str = Field(
        default="",
        description="The id of the request, as in the X-Request-Id header and the log; empty "
        "outside HTTP.",
    )
    retryable: bool = Field(
        default=False, description="Whether the same request may succeed later."
    )


class Problem(BaseModel):
    """The body of every 4xx and 5xx answer of the sidecar and the shim."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    error: ErrorBody = Field(description="What went wrong.")
