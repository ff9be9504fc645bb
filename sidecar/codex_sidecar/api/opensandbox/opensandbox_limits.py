"""Limits as OpenSandbox names them, `"500m"` of a core and `"2Gi"`, and what they come to here."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codex_sidecar.engine.catalog import DEFAULTS
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.snippet import Limits

CPU: Final = r"^[0-9]{1,9}(\.[0-9]{1,9})?m?$"
MEMORY: Final = r"^[0-9]{1,15}(\.[0-9]{1,9})?([kMG]|[KMG]i)?$"
UNITS: Final = MappingProxyType[str, float](
    {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
)


class Amounts(BaseModel):
    """Cores and bytes, as text with a unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: Annotated[str, Field(pattern=CPU)] | None = Field(
        default=None, description="Processor cores, such as 2, 0.5 or 500m; null for no bound."
    )
    memory: Annotated[str, Field(pattern=MEMORY)] | None = Field(
        default=None,
        description="Memory in bytes or with a unit, such as 512Mi or 2G; null for no bound.",
    )

    @property
    def cores(self) -> float | None:
        """The first as a number."""
        return None if self.cpu is None else _number(self.cpu)

    @property
    def memory_mb(self) -> float | None:
        """The second in MiB."""
        return None if self.memory is None else _number(self.memory) / 2**20


def limits_between(least: Amounts, most: Amounts, timeout_s: float) -> Limits:
    """The limits of a session whose sandboxes have `least`, and take no more than `most`.

    Each language keeps its own where all of them lie between; `BadRequest` where nothing does.
    """
    usual = DEFAULTS.values()
    memory = _between("memory", least.memory_mb, most.memory_mb, (each.memory_mb for each in usual))
    try:
        return Limits(
            timeout_s=timeout_s,
            memory_mb=None if memory is None else int(memory),
            cpus=_between("cpu", least.cores, most.cores, (each.cpus for each in usual)),
        )
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "cpu" if first["loc"] == ("cpus",) else "memory in MiB"
        raise BadRequest(
            f"resourceLimits.{name} {first['input']}: {first['msg']}", field="resourceLimits"
        ) from None


def _between(
    name: str, least: float | None, most: float | None, usual: Iterable[float]
) -> float | None:
    smallest, *_, largest = sorted(usual)
    if least is not None and most is not None and least > most:
        raise BadRequest(
            f"resourceRequests.{name} is more than resourceLimits.{name}", field="resourceRequests"
        )
    if least is not None and least > smallest:
        return least
    return most if most is not None and most < largest else None


def _number(written: str) -> float:
    digits = written.rstrip("mkKMGi")
    return float(digits) * UNITS[written.removeprefix(digits)]
