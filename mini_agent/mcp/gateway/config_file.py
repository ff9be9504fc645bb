"""One server of a configuration file, with the keys that Codex and `.mcp.json` have."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

STARTUP_S: Final = 30.0
TOOL_S: Final = 60.0
LONGEST_S: Final = 86_400.0
# Keys of Codex that say nothing to a gateway.
PASSED_OVER: Final = frozenset(
    {
        "auth",
        "default_tools_approval_mode",
        "description",
        "environment_id",
        "experimental_environment",
        "name",
        "oauth",
        "oauth_client_id",
        "oauth_resource",
        "scopes",
        "supports_parallel_tool_calls",
        "tools",
    }
)
FOR_COMMANDS: Final = ("args", "cwd", "env", "env_vars")
FOR_ADDRESSES: Final = ("bearer_token_env_var", "http_headers", "env_http_headers")
REFUSED: Final = {
    "bearer_token": "is not supported: put the token into a variable, and its name into "
    "bearer_token_env_var",
    "http_headers_helper": "is not supported",
    "headersHelper": "is not supported",
}
Seconds = Annotated[float, Field(gt=0, le=LONGEST_S)]
NAMES: Final = {"headers": "http_headers"}


class Forwarded(BaseModel):
    """A variable that a child process gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The name of the variable.")
    source: Literal["local"] = Field(
        default="local", description="Where the variable is from; only this machine can be named."
    )


class Entry(BaseModel):
    """What a server's table says; it has either `command` or `url`."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    command: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, description="The program of a server that is a child process."
    )
    args: list[str] = Field(default=[], description="Arguments of the program.")
    cwd: str | None = Field(
        default=None, description="The folder it starts in; null for the gateway's own."
    )
    env: dict[str, str] = Field(default={}, description="Environment variables that it gets.")
    env_vars: list[str | Forwarded] = Field(
        default=[], description="Names of variables of this machine that it gets as well."
    )
    url: str | None = Field(
        default=None, description="The address of a server that is reached by HTTP."
    )
    bearer_token_env_var: str | None = Field(
        default=None, description="The variable that holds the bearer token for the address."
    )
    http_headers: dict[str, str] = Field(
        default={}, description="Headers that are sent to the address."
    )
    env_http_headers: dict[str, str] = Field(
        default={}, description="Headers by name, each with the variable that holds its value."
    )
    startup_timeout_sec: Seconds = Field(
        default=STARTUP_S, description="Seconds the server may take to start, at most 86400."
    )
    tool_timeout_sec: Seconds = Field(
        default=TOOL_S, description="Seconds a call of a tool may take, at most 86400."
    )
    enabled: bool = Field(default=True, description="Whether the server is used.")
    required: bool = Field(default=False, description="Whether nothing works without it.")
    enabled_tools: list[str] | None = Field(
        default=None, description="The only tools that are offered; null for all."
    )
    disabled_tools: list[str] = Field(default=[], description="Tools that are not offered.")
    type: Literal["stdio", "http", "streamable-http", "streamable_http"] | None = Field(
        default=None, description="The transport; null where command or url already say it."
    )

    @model_validator(mode="before")
    @classmethod
    def _in_our_names(cls, table: object) -> object:
        if not isinstance(table, dict):
            return table
        for key, why in REFUSED.items():
            if key in table:
                raise ValueError(f"{key} {why}")
        if isinstance(table.get("env"), dict) and "env_vars" in table["env"]:
            raise ValueError("env_vars stands in env; it belongs beside it")
        return _in_seconds({NAMES.get(str(key), str(key)): value for key, value in table.items()})

    @model_validator(mode="after")
    def _has_one_transport(self) -> Entry:
        if self.command is None and self.url is None:
            raise ValueError("there is neither command nor url")
        kind, others = ("stdio", FOR_ADDRESSES) if self.url is None else ("http", FOR_COMMANDS)
        if self.command is not None and self.url is not None:
            raise ValueError("there is both command and url; a server has one of them")
        for key in others:
            if key in self.model_fields_set:
                raise ValueError(f"{key} is not supported for {kind}")
        return self

    @property
    def forwarded(self) -> list[str]:
        """The names in `env_vars`."""
        return [each if isinstance(each, str) else each.name for each in self.env_vars]


def unknown_keys(table: dict[str, object]) -> list[str]:
    """The keys that mean nothing to us, perhaps because they are misspelt."""
    known = {*Entry.model_fields, *PASSED_OVER, *NAMES, *IN_MS, "disabled"}
    return sorted(key for key in table if key not in known)


IN_MS: Final = {"startup_timeout_ms": "startup_timeout_sec", "timeout": "tool_timeout_sec"}


def _in_seconds(table: dict[str, object]) -> dict[str, object]:
    for key, seconds in IN_MS.items():
        value = table.get(key)
        if isinstance(value, int | float) and seconds not in table:
            table[seconds] = value / 1000
    if isinstance(table.get("disabled"), bool):
        table.setdefault("enabled", not table["disabled"])
    return table
