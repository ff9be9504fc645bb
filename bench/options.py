"""The options of a run, from the environment: `make bench N=30` sets BENCH_N."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT: Final = Path(__file__).parents[1]
OUTPUT_DIR: Final = ROOT / ".bench"


class Options(BaseSettings):
    """Options that can be changed for a run."""

    model_config = SettingsConfigDict(env_prefix="BENCH_", frozen=True, extra="ignore")

    n: Annotated[int, Field(ge=3)] = 30
    runs: Annotated[int, Field(ge=0)] = 2000
    plot: bool = False
    peers: bool = False
    window_s: Annotated[float, Field(gt=0)] = 8.0
    windows: Annotated[int, Field(ge=1)] = 3
    bursts: Annotated[int, Field(ge=1)] = 3
    stock: Annotated[int, Field(ge=32, le=64)] = 34
    socket: str = "/var/run/docker.sock"
    images: str = "mini-agent/sandbox-"
    cores: int = os.cpu_count() or 1

    def image(self, name: str) -> str:
        """The sandbox image of that name."""
        return f"{self.images}{name}:local"
