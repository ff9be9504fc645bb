"""Sessions and the files of their workspaces, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from mini_agent_protocol.snippet import Limits

DEFAULT_TTL_S: Final = 600.0
MAX_TTL_S: Final = 3600.0


class SessionRequest(BaseModel):
    """A request to open a session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttl_s: Annotated[
        float,
        Field(
            ge=1,
            le=MAX_TTL_S,
            description="Seconds without a call after which the session ends, 1 to 3600.",
        ),
    ] = DEFAULT_TTL_S
    limits: Limits = Field(
        default=Limits(), description="Limits of snippets that name none themselves."
    )


class SessionOpened(BaseModel):
    """A session that was opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="The id of the session, a part of its addresses.")
    expires_at: datetime = Field(description="When the session ends unless it is used before.")


class WorkspaceFile(BaseModel):
    """A regular file in a workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="The path, relative to the workspace.")
    bytes: int = Field(description="The size, in bytes.")
    modified: datetime = Field(description="When the file was last changed, in UTC.")
